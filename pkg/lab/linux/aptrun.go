package linux

import (
	"context"
	"crypto/md5" //nolint:gosec // apt prints MD5 sums
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// simulate prints the Inst, Conf and Remv lines of apt-get -s.
func (r *aptRun) simulate(t *transaction) {
	for _, p := range t.removes {
		r.p.Printf("Remv %s [%s]\n", p.Name, p.Version)
	}
	for _, c := range t.changes {
		old := ""
		if c.from != "" {
			old = "[" + c.from + "] "
		}
		r.p.Printf("Inst %s %s(%s %s [%s])\n", c.to.Name, old, c.to.Version, r.origins(c.to), c.to.Arch)
	}
	for _, c := range t.changes {
		r.p.Printf("Conf %s (%s %s [%s])\n", c.to.Name, c.to.Version, r.origins(c.to), c.to.Arch)
	}
}

// origins names where a version comes from. Ubuntu's security updates are in the
// updates suite too, and apt lists both; a file that was named it calls local-deb.
func (r *aptRun) origins(p Package) string {
	own := r.m.dist.suites[p.Suite].origin
	if p.Suite == "security" && r.m.conf.OS == "ubuntu-24.04" {
		own = r.m.dist.suites["updates"].origin + ", " + own
	}
	switch {
	case r.files[p.Name+" "+p.Version] == "":
		return own
	case r.m.isListed(p):
		return own + ", local-deb"
	}
	return "local-deb"
}

func (r *aptRun) uris(t *transaction) {
	r.summary(t)
	for _, c := range t.changes {
		sum := md5.Sum(content(c.to)) //nolint:gosec // this is what apt prints
		r.p.Printf("'%s' %s %d MD5Sum:%x\n", r.m.uri(c.to), debFile(c.to), c.to.Size, sum)
	}
}

func (m *Machine) uri(p Package) string {
	_, version := epoch(p.Version)
	file := fmt.Sprintf("%s_%s_%s.deb", p.Name, version, p.Arch)
	return fmt.Sprintf("%s/pool/main/%s/%s/%s", m.dist.suites[p.Suite].server, p.Name[:1], p.Name, strings.ReplaceAll(url.PathEscape(file), "+", "%2b"))
}

// content is what a package file of the lab holds; its digest is real.
func content(p Package) []byte {
	return []byte("lab package " + p.Name + " " + p.Version + " " + p.Arch + "\n")
}

func digestOf(p Package) string {
	sum := sha256.Sum256(content(p))
	return hex.EncodeToString(sum[:])
}

// perform runs the transaction. It lives in the host: it ends with the host's power
// alone, not with who asked for it.
func (r *aptRun) perform(ctx context.Context, t *transaction) int {
	r.summary(t)
	if len(t.changes)+len(t.removes) == 0 {
		return 0
	}
	if !r.yes() {
		r.p.Printf("Do you want to continue? [Y/n] ")
		return r.abort()
	}
	if code := r.fetch(ctx, t); code != 0 || r.o.Has("d") {
		return code
	}
	r.m.power.Event("install")
	defer r.m.working()()
	return r.unpack(ctx, t)
}

// abort: nobody answers here.
func (r *aptRun) abort() int {
	fmt.Fprintln(r.p.Out, "Abort.")
	return 1
}

func (r *aptRun) unpack(ctx context.Context, t *transaction) int {
	for _, p := range t.removes {
		r.p.Printf("Removing %s (%s) ...\n", p.Name, p.Version)
		r.m.mu.Lock()
		r.m.remove(p.Name)
		r.m.mu.Unlock()
	}
	var failed []string
	for _, c := range t.changes {
		if !r.intact(c.to) {
			return r.errorf("dpkg-deb: error: '%s' is not a Debian format archive\nE: Sub-process /usr/bin/dpkg returned an error code (1)", r.source(c.to))
		}
		over := ""
		if c.from != "" {
			over = fmt.Sprintf(" over (%s)", c.from)
		}
		r.p.Printf("Preparing to unpack .../%s ...\nUnpacking %s (%s)%s ...\n", debFile(c.to), c.to.Name, c.to.Version, over)
		if !r.m.configure(ctx, c) {
			return aptFailed // the power went
		}
		r.p.Printf("Setting up %s (%s) ...\n", c.to.Name, c.to.Version)
		if why := r.m.postinst(c, r.conffile(c)); why != "" {
			fmt.Fprintf(r.p.Err, "dpkg: error processing package %s (--configure):\n %s\n", c.to.Name, why)
			failed = append(failed, c.to.Name)
		}
	}
	r.mark(t)
	if len(failed) == 0 {
		r.m.log(t)
		return 0
	}
	fmt.Fprintf(r.p.Err, "Errors were encountered while processing:\n %s\n", strings.Join(failed, "\n "))
	return r.errorf("E: Sub-process /usr/bin/dpkg returned an error code (1)")
}

// mark: whom apt is told to install, a person wanted; who comes along, nobody did. A hold
// that it was allowed to change is gone.
func (r *aptRun) mark(t *transaction) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, c := range t.changes {
		switch {
		case r.command == "install" && (r.named(c.to.Name) || r.files[c.to.Name+" "+c.to.Version] != ""):
			r.m.auto[c.to.Name] = false
		case c.from == "":
			r.m.auto[c.to.Name] = true
		}
		if slices.Contains(t.held, c.to.Name) {
			r.m.installed[c.to.Name].hold = false
		}
	}
}

// conffile is what dpkg does about a file that the admin and the package changed.
// Without being told beforehand it asks, and nobody answers.
func (r *aptRun) conffile(c change) (trouble string) {
	if c.to.Conffile == "" || c.from == "" {
		return ""
	}
	r.p.Printf("\nConfiguration file '%s'\n ==> Modified (by you or by a script) since installation.\n"+
		" ==> Package distributor has shipped an updated version.\n", c.to.Conffile)
	told := slices.ContainsFunc(r.o.All("o"), func(o string) bool {
		return strings.HasSuffix(o, "--force-confold") || strings.HasSuffix(o, "--force-confnew")
	})
	if !told {
		return "end of file on stdin at conffile prompt"
	}
	r.p.Printf(" ==> Keeping old config file as default.\n")
	return ""
}

// configure takes the time that a package needs. A power cut in it leaves dpkg
// interrupted.
func (m *Machine) configure(ctx context.Context, c change) bool {
	if posix.Pause(ctx, m.conf.Pace) {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = true
	m.put(c, true)
	m.try(m.FS.WriteFile(memfs.Root, "/var/lib/dpkg/updates/0001", 0o644, []byte("Package: "+c.to.Name+"\nStatus: install ok unpacked\n")))
	return false
}

// postinst makes the package installed, and says why its script failed, if it did.
func (m *Machine) postinst(c change, trouble string) (why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case trouble != "":
		why = trouble
	case m.conf.Faults.FailingPostinst == c.to.Name:
		why = fmt.Sprintf("installed %s package post-installation script subprocess returned error exit status 1", c.to.Name)
	case c.to.Kernel != "" && m.conf.Faults.FullDisk == "/boot":
		why = fmt.Sprintf("cannot copy extracted data for './boot/vmlinuz-%s' to '/boot/vmlinuz-%s.dpkg-new': failed to write (No space left on device)", c.to.Kernel, c.to.Kernel)
	}
	m.put(c, why != "")
	return why
}

func (m *Machine) diskFull() bool {
	return m.conf.Faults.FullDisk != "" && m.full.mountOf("/var/cache/apt/archives") == m.conf.Faults.FullDisk
}

func (m *Machine) log(t *transaction) {
	old, _ := m.FS.ReadFile(memfs.Root, "/var/log/apt/history.log") // absent the first time
	var line strings.Builder
	line.WriteString("\nUpgrade:")
	for _, c := range t.changes {
		fmt.Fprintf(&line, " %s:%s (%s, %s)", c.to.Name, c.to.Arch, c.from, c.to.Version)
	}
	m.try(m.FS.WriteFile(memfs.Root, "/var/log/apt/history.log", 0o644, append(old, line.String()+"\n"...)))
}
