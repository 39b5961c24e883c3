package linux

import (
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// Driver drives one platform by its package manager.
type Driver struct {
	Manager
	Platform fact.Platform
	all      Managers
}

var (
	_ platform.Driver   = Driver{}
	_ platform.Resolver = Driver{}
	_ platform.Locker   = Driver{}
	_ platform.Marker   = Driver{}
	_ platform.Stager   = Driver{}
)

// Read gives what Read of all managers gives.
func (d Driver) Read(results []remote.Result) (fact.Facts, error) { return d.all.Read(results) }

// Capabilities of the driver.
func (d Driver) Capabilities() platform.Capabilities {
	return platform.Capabilities{Platform: d.Platform, Class: fact.ClassServer, Detects: true, Upgrades: d.Refused == "", Why: d.Refused, Locks: true}
}

// Resolve simulates the installation of exactly these versions, as root and without locks.
func (d Driver) Resolve(f fact.Facts, want []patch.Update) remote.Command {
	return d.ruling(f).resolve(f, want)
}

// Resolved reads the simulation.
func (d Driver) Resolved(f fact.Facts, want []patch.Update, r remote.Result) (platform.Resolution, error) {
	return d.ruling(f).resolved(f, want, r)
}

// Staged asks for the files that the stage step has downloaded, and kept.
func (d Driver) Staged(f fact.Facts, w patch.Work) remote.Command { return d.ruling(f).staged(f, w) }

// ruling is the manager that rules this host: several may drive one platform.
func (d Driver) ruling(f fact.Facts) Manager {
	if m, ok := d.all.named(f.Manager.Name); ok && slices.Contains(m.Drives, d.Platform) {
		return m
	}
	return d.Manager
}

// Steps are repair, snapshot, supply, preflight, stage and install, as far as the work has
// something for them, unless the playbook says never, reboot, and last services.
func (d Driver) Steps(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	return d.ruling(f).steps(f, w)
}

func (m Manager) steps(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	if err := m.check(f, w); err != nil {
		return nil, err
	}
	former, err := m.bootFormer(f, w)
	if err != nil {
		return nil, err
	}
	repair, err := m.repair(f, w)
	if err != nil {
		return nil, err
	}
	steps := slices.Concat(former, repair)
	if len(w.Install)+len(w.Remove) > 0 {
		transaction, err := m.transactionSteps(f, w)
		if err != nil {
			return nil, err
		}
		steps = slices.Concat(steps, m.supply(f, w), []platform.Step{m.preflight(f, w)}, transaction)
	}
	reboot, err := m.reboot(f, w)
	if err != nil {
		return nil, err
	}
	services, err := m.services(f, w)
	return slices.Concat(steps, reboot, services), err
}

// Lock takes the host's lock for o's rollout; a lock that this rollout holds is
// taken already. Of another's lock it says whose it is and since when, and fails.
func (Driver) Lock(on fact.HostID, o platform.Owner) platform.Step { return lock(on, o) }

// Unlock gives it back; another's is left alone.
func (Driver) Unlock(on fact.HostID, o platform.Owner) platform.Step { return unlock(on, o) }

// Mark leaves the word of o's rollout on the host; see platform.Marker.
func (Driver) Mark(on fact.HostID, o platform.Owner) platform.Step { return mark(on, o) }

// Unmark removes it; another's is left alone.
func (Driver) Unmark(o platform.Owner) remote.Command { return unmark(o) }
