package linux

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

func byName(a, b Package) int {
	if a.Name != b.Name {
		return strings.Compare(a.Name, b.Name)
	}
	return compare(a.Version, b.Version)
}

// change is one package that a transaction takes to another version.
type change struct {
	to   Package
	from string // "": new
}

func (c change) downgrade() bool { return c.from != "" && compare(c.to.Version, c.from) < 0 }

// transaction is what a package manager would do.
type transaction struct {
	changes []change // what something depends on comes first
	removes []Package
	kept    []string // not upgraded, because something would have to be installed, or held
	held    []string // held packages that would change
}

func (t *transaction) names(pick func(change) bool) []string {
	var names []string
	for _, c := range t.changes {
		if pick(c) {
			names = append(names, c.to.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (t *transaction) has(name string) bool {
	return slices.ContainsFunc(t.changes, func(c change) bool { return c.to.Name == name })
}

// The callers of what follows hold mu.

// offered finds a version in the lists; without a version the newest.
func (m *Machine) offered(name, version string) (Package, bool) {
	var best Package
	found := false
	for _, p := range m.lists {
		if p.Name == name && (version == "" || p.Version == version) && (!found || compare(p.Version, best.Version) >= 0) {
			best, found = p, true
		}
	}
	if at := m.installed[name]; at != nil && (version == "" && (!found || compare(at.Version, best.Version) > 0) || version == at.Version && !found) {
		return at.Package, true
	}
	return best, found
}

// upgradable lists installed packages with a newer version, sorted by name.
func (m *Machine) upgradable() []change {
	var list []change
	for _, name := range slices.Sorted(maps.Keys(m.installed)) {
		at := m.installed[name]
		if best, ok := m.offered(name, ""); ok && compare(best.Version, at.Version) > 0 {
			list = append(list, change{to: best, from: at.Version})
		}
	}
	return list
}

// add puts a package and what it needs into the transaction.
func (m *Machine) add(t *transaction, p Package) error {
	if t.has(p.Name) {
		return nil
	}
	for _, need := range p.Depends {
		name, version, exact := strings.Cut(need, "=")
		at := m.installed[name]
		if at != nil && (!exact || at.Version == version) || t.has(name) {
			continue
		}
		dependency, ok := m.offered(name, version)
		if !ok {
			return fmt.Errorf(" %s : Depends: %s but it is not installable", p.Name, need)
		}
		if err := m.add(t, dependency); err != nil {
			return err
		}
	}
	at := m.installed[p.Name]
	from := ""
	if at != nil {
		from = at.Version
	}
	if from == p.Version && !at.broken {
		return nil
	}
	t.changes = append(t.changes, change{to: p, from: from})
	if at != nil && at.hold {
		t.held = append(t.held, p.Name)
	}
	return nil
}

// upgrade plans what "upgrade" does: no removals, and new packages only if withNew.
func (m *Machine) upgrade(withNew bool) (*transaction, error) {
	t := &transaction{}
	for _, c := range m.upgradable() {
		if m.installed[c.to.Name].hold {
			t.kept = append(t.kept, c.to.Name)
			continue
		}
		with := &transaction{changes: slices.Clone(t.changes)}
		if err := m.add(with, c.to); err != nil {
			return nil, err
		}
		if !withNew && slices.ContainsFunc(with.changes, func(c change) bool { return c.from == "" }) {
			t.kept = append(t.kept, c.to.Name)
			continue
		}
		t.changes = with.changes
	}
	return t, nil
}

// newestKernel is the kernel that the next boot starts.
func (m *Machine) newestKernel() string {
	best := ""
	for _, p := range m.installed {
		if p.Kernel != "" && (best == "" || compare(p.Kernel, best) > 0) {
			best = p.Kernel
		}
	}
	return best
}

// put makes a package installed, and does to the host what it brings.
func (m *Machine) put(c change, broken bool) {
	hold := m.installed[c.to.Name] != nil && m.installed[c.to.Name].hold
	name := c.to.Name
	if !m.dist.apt && !m.dist.oneKernel() && c.to.Kernel != "" && c.from != "" {
		// RPM keeps older kernels beside the new one.
		m.installed[name+"-"+c.from] = m.installed[name]
	}
	m.installed[name] = &installed{Package: c.to, broken: broken, hold: hold}
	m.effects.Transactions = append(m.effects.Transactions, Transaction{Package: name, From: c.from, To: c.to.Version, Broken: broken})
	m.kernelFiles(c.to)
	if c.to.Conffile != "" && m.dist.apt {
		m.try(m.FS.WriteFile(0, c.to.Conffile+".dpkg-dist", 0o644, []byte("# the package's own\n")))
	}
	if c.to.Reboot || c.to.Kernel != "" {
		m.stale = append(m.stale, name)
		m.rebootRequired(name)
	}
	m.replace(name)
	m.serve(c, broken)
	if m.conf.Faults.SickAfter > 0 && m.sickAt.IsZero() {
		m.sickAt = time.Now().Add(m.conf.Faults.SickAfter)
		m.sicken()
	}
}

// serve is what becomes of the package's service.
func (m *Machine) serve(c change, broken bool) {
	back := c.from != "" && compare(c.from, c.to.Version) > 0
	if back {
		m.mendServices(c.to.Name + " " + c.from)
	}
	m.restart(c.to)
	if m.conf.Faults.UnhealthyAfter == c.to.Name && !broken && !back {
		m.breakServices(c.to)
	}
}

func (m *Machine) rebootRequired(name string) {
	if !m.dist.apt {
		return
	}
	m.try(m.FS.WriteFile(0, "/run/reboot-required", 0o644, []byte("*** System restart required ***\n")))
	old, _ := m.FS.ReadFile(0, "/run/reboot-required.pkgs") // absent the first time
	m.try(m.FS.WriteFile(0, "/run/reboot-required.pkgs", 0o644, append(old, name+"\n"...)))
}

func (m *Machine) remove(name string) {
	at := m.installed[name]
	delete(m.installed, name)
	m.effects.Transactions = append(m.effects.Transactions, Transaction{Package: name, From: at.Version})
	if at.Service != "" {
		delete(m.units, at.Service+".service")
	}
	if at.Kernel != "" && !m.dist.oneKernel() {
		for _, file := range []string{"/boot/vmlinuz-" + at.Kernel, "/boot/initrd.img-" + at.Kernel, "/boot/initramfs-" + at.Kernel + ".img"} {
			_ = m.FS.RemoveAll(memfs.Root, file) // one of them has another name here
		}
	}
}

// simulate marks that someone asked what would happen; a version may vanish then.
func (m *Machine) simulate() {
	gone := m.conf.Faults.Vanished
	if m.simulated || gone == "" {
		return
	}
	best, ok := m.offered(gone, "")
	if !ok {
		return
	}
	m.simulated = true
	m.remote = slices.DeleteFunc(m.remote, func(p Package) bool { return p.Name == gone && p.Version == best.Version })
	m.withdrawn = append(m.withdrawn, best)
}

// try is for what a full disk may refuse: the host goes on without that file.
func (m *Machine) try(err error) { _ = err }
