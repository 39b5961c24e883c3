package linux

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// layout makes the file system of a fresh installation.
func (m *Machine) layout() {
	home := "/home/" + m.conf.User
	for _, dir := range []string{
		"/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/etc", "/root", "/home", "/proc/sys/kernel/random",
		"/var/lib", "/var/log", "/var/cache", "/dev", "/boot", "/sys/class", "/run", "/tmp", "/var/tmp", "/usr/lib",
	} {
		m.must(m.FS.MkdirAll(memfs.Root, dir, 0o755))
	}
	for _, mount := range m.mounts() {
		m.must(m.FS.MkdirAll(memfs.Root, mount.Point, 0o755))
	}
	m.must(m.FS.Chmod(memfs.Root, "/root", 0o700))
	m.must(m.FS.MkdirAll(memfs.Root, home, 0o755))
	m.must(m.FS.Chown(memfs.Root, home, 1000))
	for _, link := range []string{"bin", "sbin"} {
		m.must(m.FS.Symlink(memfs.Root, "usr/"+link, "/"+link))
	}
	m.must(m.FS.Symlink(memfs.Root, "/run", "/var/run"))
	m.must(m.FS.Symlink(memfs.Root, "../usr/lib/os-release", "/etc/os-release"))
	m.must(m.FS.Device("/dev/null"))
	m.write("/usr/lib/os-release", m.dist.osRelease)
	m.write("/etc/hostname", m.conf.Name+"\n")
	m.write("/etc/machine-id", strings.ReplaceAll(uuid(), "-", "")+"\n")
	m.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"+m.conf.User+":x:1000:1000::"+home+":/bin/sh\n")
	m.packageFiles()
	m.generated()
	m.firstProcess()
	m.installGrub()
	for name := range m.tools {
		m.must(m.FS.Tool(path.Join(place(name), name), name))
	}
}

func (m *Machine) write(name, content string) {
	m.must(m.FS.WriteFile(memfs.Root, name, 0o644, []byte(content)))
}

// place is the folder that a program lies in: a session's PATH has no sbin.
func place(tool string) string {
	if slices.Contains([]string{"reboot", "shutdown", "poweroff", "halt"}, tool) {
		return "/usr/sbin"
	}
	return "/usr/bin"
}

func (m *Machine) packageFiles() {
	switch {
	case m.dist.apt:
		m.write("/var/lib/dpkg/status", "made up: what is installed is in the lab's own state\n")
		m.write("/var/cache/apt/archives/lock", "")
		m.write("/etc/debian_version", "12.11\n")
		for _, dir := range []string{"/var/cache/apt/archives/partial", "/var/lib/apt/lists/partial", "/var/lib/dpkg/updates", "/etc/apt", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d"} {
			m.must(m.FS.MkdirAll(memfs.Root, dir, 0o755))
		}
		m.write("/var/lib/dpkg/lock", "")
		m.write("/var/lib/dpkg/lock-frontend", "")
		m.write("/etc/apt/sources.list", m.sourcesList())
	case m.dist.zypper:
		m.zypperFiles()
	case m.dist.pacman:
		m.pacmanFiles()
	case m.dist.ostree:
		m.ostreeFiles()
	case m.dist.apk:
		m.apkFiles()
	default:
		m.write("/etc/redhat-release", "Rocky Linux release 9.5 (Blue Onyx)\n")
		m.write("/var/lib/rpm/rpmdb.sqlite", "")
		m.must(m.FS.MkdirAll(memfs.Root, "/var/cache/dnf", 0o755))
		m.must(m.FS.MkdirAll(memfs.Root, "/var/lib/dnf", 0o755))
		m.write("/var/lib/rpm/.rpm.lock", "")
		m.dnfCaches()
		m.versionLocks()
	}
	for _, p := range m.installed {
		m.kernelFiles(p.Package)
		if p.Conffile != "" {
			m.write(p.Conffile, "# changed by the admin\n")
		}
	}
}

// kernelFiles are what a kernel package leaves, as far as there is room for it.
func (m *Machine) kernelFiles(p Package) {
	if p.Kernel == "" || m.dist.ostree { // an image has its kernel in a folder of its own
		return
	}
	if m.dist.oneKernel() {
		m.soleKernel(p)
		return
	}
	initrd := "/boot/initrd.img-" + p.Kernel
	if !m.dist.apt {
		initrd = "/boot/initramfs-" + p.Kernel + ".img"
	}
	m.try(m.FS.WriteFile(memfs.Root, "/boot/vmlinuz-"+p.Kernel, 0o644, []byte("kernel "+p.Kernel+"\n")))
	m.try(m.FS.WriteFile(memfs.Root, initrd, 0o644, []byte("initrd "+p.Kernel+"\n")))
	m.try(m.FS.MkdirAll(memfs.Root, "/lib/modules/"+p.Kernel, 0o755))
}

// generated are the files that a kernel makes up when they are read.
func (m *Machine) generated() {
	for name, content := range map[string]func() string{
		"/proc/sys/kernel/random/boot_id": func() string { return m.BootID() + "\n" },
		"/proc/sys/kernel/random/uuid":    func() string { return uuid() + "\n" },
		"/proc/sys/kernel/osrelease":      func() string { return m.Kernel() + "\n" },
		"/proc/sys/kernel/hostname":       func() string { return m.conf.Name + "\n" },
		"/proc/version":                   func() string { return "Linux version " + m.Kernel() + " (lab)\n" },
		"/proc/loadavg":                   m.loadavg,
		"/proc/uptime":                    m.uptime,
		"/proc/meminfo": func() string {
			return "MemTotal:        2030228 kB\nMemFree:          812304 kB\nMemAvailable:    1501224 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n"
		},
		"/proc/cpuinfo": func() string {
			return "processor\t: 0\nmodel name\t: Simulated CPU\n\nprocessor\t: 1\nmodel name\t: Simulated CPU\n\n"
		},
		"/proc/stat":                             m.procStat,
		"/proc/mounts":                           m.mountTable,
		"/proc/self/mounts":                      m.mountTable,
		"/proc/1/comm":                           func() string { return m.initName() + "\n" },
		"/proc/locks":                            m.lockTable,
		"/proc/net/tcp":                          m.socketTable,
		"/proc/sys/net/ipv4/ip_local_port_range": func() string { return "32768\t60999\n" },
		"/proc/cmdline": func() string {
			return "BOOT_IMAGE=/boot/vmlinuz-" + m.Kernel() + " root=/dev/vda1 ro quiet\n"
		},
	} {
		m.must(m.FS.MkdirAll(memfs.Root, path.Dir(name), 0o755))
		m.must(m.FS.Generate(name, func() []byte { return []byte(content()) }))
	}
}

func (m *Machine) initName() string {
	if m.conf.NoSystemd {
		return "init"
	}
	return "systemd"
}

func (m *Machine) loadavg() string {
	if m.conf.Load != "" {
		return m.conf.Load + "\n"
	}
	return "0.08 0.03 0.01 1/131 4242\n"
}

func (m *Machine) uptime() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	up := (m.conf.Start + time.Since(m.boot.at)).Seconds()
	return fmt.Sprintf("%.2f %.2f\n", up, 1.9*up)
}

func (m *Machine) procStat() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("cpu  100 0 100 1000 0 0 0 0 0 0\nbtime %d\n", m.boot.at.Unix())
}

// clearVolatile makes /run and /tmp as a boot finds them. The caller holds mu.
func (m *Machine) clearVolatile() {
	for _, dir := range []string{"/run", "/tmp"} {
		for _, name := range m.FS.Names(dir) {
			m.must(m.FS.RemoveAll(memfs.Root, path.Join(dir, name)))
		}
	}
	for _, name := range m.FS.Names("/proc") {
		if n, err := strconv.Atoi(name); err == nil && n > 1 {
			m.must(m.FS.RemoveAll(memfs.Root, "/proc/"+name))
		}
	}
	m.must(m.FS.Chmod(memfs.Root, "/tmp", 0o777|fs.ModeSticky))
	if !m.conf.NoSystemd {
		m.must(m.FS.MkdirAll(memfs.Root, "/run/systemd/system", 0o755))
	}
	if m.conf.Container != "" {
		m.must(m.FS.WriteFile(memfs.Root, "/run/systemd/container", 0o644, []byte(m.conf.Container+"\n")))
	}
}

// Tool finds a program by name.
func (m *Machine) Tool(name string) (posix.Tool, bool) {
	tool, ok := m.tools[name]
	if !ok {
		return nil, false
	}
	return m.wrapped(name, tool), true
}

// User names a uid.
func (m *Machine) User(uid int) string {
	if uid == memfs.Root {
		return "root"
	}
	return m.conf.User
}

// Enter lists a process under /proc.
func (m *Machine) Enter(argv []string) (pid int, leave func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nextPID++
	pid = m.nextPID
	life := m.boot.id
	m.listProcess(pid, argv, nil)
	return pid, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.boot.id == life {
			m.forgetProcess(pid)
		}
	}
}

// listProcess makes /proc/PID, with the files that the process has open. The caller
// holds mu.
func (m *Machine) listProcess(pid int, argv, open []string) {
	m.procs[pid] = process{argv: slices.Clone(argv)}
	dir := "/proc/" + strconv.Itoa(pid)
	m.must(m.FS.MkdirAll(memfs.Root, dir, 0o755))
	m.must(m.FS.MkdirAll(memfs.Root, dir+"/fd", 0o500))
	for i, file := range open {
		m.must(m.FS.Symlink(memfs.Root, file, fmt.Sprintf("%s/fd/%d", dir, i+4)))
	}
	cmdline, comm := strings.Join(argv, "\x00")+"\x00", path.Base(argv[0])
	m.must(m.FS.Generate(dir+"/cmdline", func() []byte { return []byte(cmdline) }))
	m.must(m.FS.Generate(dir+"/comm", func() []byte { return []byte(comm[:min(len(comm), 15)] + "\n") }))
}

func (m *Machine) forgetProcess(pid int) {
	delete(m.procs, pid)
	m.must(m.FS.RemoveAll(memfs.Root, "/proc/"+strconv.Itoa(pid)))
}

// hostile makes a tool print what no parser and no terminal should trust.
func hostile(tool posix.Tool) posix.Tool {
	return func(ctx context.Context, p *posix.Proc, args []string) int {
		child := p.Child()
		child.Out = p.Out
		p.Printf("\x1b]0;owned\x07\x1b[2J\x1b[31mHACKED\r\n\u202e\x00\xff\xfe$(reboot)`reboot`\n")
		p.Printf("%s\n", strings.Repeat("A", 2<<20))
		return tool(ctx, child, args)
	}
}
