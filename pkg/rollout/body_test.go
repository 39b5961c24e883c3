package rollout

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

// body is the truth about one host, whoever works on it.
type body struct {
	behaviour
	locked    string // by which rollout
	at        string // which rollout is at work on it
	drained   bool
	silenced  bool
	sick      bool              // it was changed, and has not been seen healthy since
	installed map[string]string // package → version
}

// truth is what one rollout really did to one host.
type truth struct {
	ring                   plan.Ring
	planned                plan.Host
	try                    int
	begun, touched, failed bool
	checked                bool
	final                  HostState
	ended                  time.Time
	work                   patch.Work
	did                    []patch.Update // installed by this rollout, in any try
	effects                map[effect]int // how often a step's effect took place
	before                 bool           // its state before was taken
	notBefore              time.Time
	way
}

type effect struct {
	try  int
	step platform.StepID
}

// in tells whether the host is in a spell all the time from since on until now.
func (w *world) in(id fact.HostID, since time.Time) (spell, bool) {
	for _, s := range w.bodies[id].Spells {
		if !since.Before(beginning.Add(s.From)) && w.now.Before(beginning.Add(s.To)) {
			return s, true
		}
	}
	return spell{}, false
}

// out tells whether the host really is out of use, its own spells counted only if they
// have lasted since then.
func (w *world) out(id fact.HostID, since time.Time) bool {
	b := w.bodies[id]
	_, ill := w.in(id, since)
	return b.at != "" || b.drained || b.sick || ill
}

// look is what somebody sees of a peer: the lock of others, and whether it is well.
func (w *world) look(by *operator, id fact.HostID) string {
	b := w.bodies[id]
	s, ill := w.in(id, w.now)
	switch {
	case ill && s.Gone:
		return "unreachable"
	case b.locked != "" && b.locked != by.ID:
		return "locked by " + b.locked
	case ill, b.sick, b.drained:
		return "check nginx: fail"
	}
	return ""
}

// facts are the host's own, for the packages of the plan.
func (w *world) facts(h plan.Host) fact.Facts {
	f := fact.Facts{Host: h.ID, Platform: "debian", OS: fact.OS{ID: "debian", VersionID: h.Domain[len("debian "):]}}
	for _, u := range h.Install {
		p := fact.Package{Name: u.Name, Arch: u.Arch, Version: u.From, Status: "installed"}
		if v := w.bodies[h.ID].installed[u.Name]; v != "" {
			p.Version = v
		}
		if p.Version == "" { // new with this rollout
			continue
		}
		f.Packages = append(f.Packages, p)
	}
	return f
}
