package linux

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

// daemon is the process of a unit that uses libraries of packages.
type daemon struct {
	pid      int
	replaced map[string]bool // packages whose files were replaced since it began
}

// run lists the process of a unit that uses something, in place of the one before. The
// caller holds mu.
func (m *Machine) run(u *unit) {
	m.quit(u)
	if len(u.uses) == 0 || u.state != "active" {
		return
	}
	m.nextPID++
	d := &daemon{pid: m.nextPID, replaced: map[string]bool{}}
	u.daemon, u.pid = d, d.pid
	command := "/usr/sbin/" + strings.TrimSuffix(u.name, ".service")
	m.listProcess(d.pid, []string{command}, nil)
	m.proc(d.pid, "cgroup", func() string { return "0::/system.slice/" + u.name + "\n" })
	m.proc(d.pid, "maps", func() string { return d.maps(u.uses) })
}

// quit ends it.
func (m *Machine) quit(u *unit) {
	if u.daemon != nil {
		m.forgetProcess(u.daemon.pid)
		u.daemon = nil
	}
}

func (m *Machine) proc(pid int, file string, content func() string) {
	name := path.Join("/proc", strconv.Itoa(pid), file)
	m.must(m.FS.MkdirAll(memfs.Root, path.Dir(name), 0o755))
	m.must(m.FS.Generate(name, func() []byte { return []byte(content()) }))
}

// maps is what it has mapped, as the kernel tells it: a line of code and one of data of
// each library.
func (d *daemon) maps(uses []string) string {
	var text strings.Builder
	for i, name := range uses {
		gone := ""
		if d.replaced[name] {
			gone = " (deleted)"
		}
		for part, rights := range []string{"r-xp", "rw-p"} {
			fmt.Fprintf(&text, "7f%02d%08x-7f%02d%08x %s 00000000 fe:01 %-26d /usr/lib/%s.so.1%s\n", i, part<<16, i, (part+1)<<16, rights, 1000+i, name, gone)
		}
	}
	text.WriteString("7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n")
	return text.String()
}

// replace notes that the files of a package are others now.
func (m *Machine) replace(name string) {
	for _, u := range m.units {
		if u.daemon != nil && slices.Contains(u.uses, name) {
			u.daemon.replaced[name] = true
		}
	}
}

// firstProcess is systemd, or what stands in its place.
func (m *Machine) firstProcess() {
	m.must(m.FS.MkdirAll(memfs.Root, "/proc/1", 0o755))
	m.proc(1, "maps", func() string {
		return "560000000000-560000010000 r-xp 00000000 fe:01 900                        /usr/lib/systemd/systemd\n"
	})
	m.proc(1, "cgroup", func() string { return "0::/init.scope\n" })
	// Hundredths of a second after the start of the machine that it began.
	m.proc(1, "stat", func() string { return "1 (" + m.initName() + ") S 0 1 1" + strings.Repeat(" 0", 15) + " 5 0 0\n" })
}
