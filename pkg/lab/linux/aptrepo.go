package linux

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// Delay is a time after the host was made, written as Go writes it: 2s, 1m30s.
type Delay time.Duration

// UnmarshalText reads a duration.
func (d *Delay) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("want a duration such as 300ms or 2s, not %q", text)
	}
	*d = Delay(parsed)
	return nil
}

// offering is what the repositories have now, of all that they ever will. The caller holds mu.
func (m *Machine) offering() []Package {
	age := Delay(time.Since(m.made))
	return slices.DeleteFunc(slices.Clone(m.remote), func(p Package) bool {
		return age < p.Since || p.Until > 0 && age >= p.Until
	})
}

// served tells whether the repositories still hold what the lists promise.
func (m *Machine) served(p Package) bool {
	return slices.ContainsFunc(m.offering(), func(r Package) bool { return r.Name == p.Name && r.Version == p.Version })
}

// Withdraw takes a version out of the repositories while the host runs; without a version,
// all of the package. The host learns of it when it next fetches the lists.
func (m *Machine) Withdraw(name, version string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	goes := func(p Package) bool { return p.Name == name && (version == "" || p.Version == version) }
	for _, p := range m.remote {
		if goes(p) {
			m.withdrawn = append(m.withdrawn, p)
		}
	}
	m.remote = slices.DeleteFunc(m.remote, goes)
}

// withdraw is lab-withdraw NAME [VERSION].
func (m *Machine) withdraw(_ context.Context, p *posix.Proc, args []string) int {
	if len(args) < 2 || len(args) > 3 || p.UID != memfs.Root {
		p.Errorf("lab-withdraw", "want NAME [VERSION], from root")
		return posix.Usage
	}
	m.Withdraw(args[1], append(args, "")[2])
	return 0
}

// publish is lab-publish NAME VERSION [SUITE].
func (m *Machine) publish(_ context.Context, p *posix.Proc, args []string) int {
	if len(args) < 3 || len(args) > 4 || p.UID != memfs.Root {
		p.Errorf("lab-publish", "want NAME VERSION [SUITE], from root")
		return posix.Usage
	}
	fresh := Package{Name: args[1], Version: args[2]}
	m.mu.Lock()
	if at := m.installed[fresh.Name]; at != nil { // it stays what it is, but for its version
		fresh = at.Package
		fresh.Version = args[2]
	}
	m.mu.Unlock()
	if len(args) == 4 {
		fresh.Suite = args[3]
	}
	m.Publish(fresh)
	return 0
}
