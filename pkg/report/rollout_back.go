package report

import (
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// TakenBack is a host's way back to its former versions; null: it was not taken back.
type TakenBack struct {
	From     string    `json:"from_state"` // its state before
	Done     bool      `json:"done"`       // it is back, verified, and all checks pass
	Packages []Reverse `json:"packages"`
}

// Reverse is one package of it.
type Reverse struct {
	Package string `json:"package"`
	Arch    string `json:"arch"`
	From    string `json:"from"`
	To      string `json:"to"`     // empty: it was new, and goes
	Source  string `json:"source"` // repository | store | host: where the former version comes from; empty: nothing had to be done
}

func newTakenBack(h rollout.HostStatus) *TakenBack {
	if !h.Back {
		return nil
	}
	out := &TakenBack{From: stateWord(h.FellFrom), Done: h.State == rollout.HostRolledBack, Packages: []Reverse{}}
	var work patch.Work
	if h.Began != nil && h.Began.Work.Back {
		work = h.Began.Work
	}
	for _, u := range h.Did {
		one := Reverse{Package: clean(u.Name), Arch: clean(u.Arch), From: clean(u.To), To: clean(u.From)}
		if at := slices.IndexFunc(work.Install, func(w patch.Update) bool { return w.Name == u.Name && w.To == u.From && plan.Alike(w.Arch, u.Arch) }); at >= 0 {
			one.Source = orElse(string(work.Install[at].Source), "repository")
		}
		out.Packages = append(out.Packages, one)
	}
	return out
}

// backSheet shows what was taken back.
func (d Rollout) backSheet() sheet {
	s := sheet{title: "Taken back", group: true, columns: []column{{head: "HOST", whole: true}, {head: "PACKAGE", least: 12}, {head: "CHANGE", least: 14}, {head: "FROM"}, {head: "DONE"}}}
	for _, h := range d.Hosts {
		if h.TakenBack == nil {
			continue
		}
		for _, p := range h.TakenBack.Packages {
			to := orElse(p.To, "(removed)")
			s.rows = append(s.rows, texts(h.Host, p.Package, p.From+" -> "+to, p.Source, yesNo(h.TakenBack.Done)))
		}
	}
	return s
}

// newSets finds what each ring is bound to in the journal's events.
func newSets(s Source) map[string]SetTotals {
	out := map[string]SetTotals{}
	for _, e := range s.Events {
		if gate, ok := e.Entry.(rollout.GateOpened); ok && gate.Set != "" {
			out[clean(gate.Ring)] = totalsOf(gate.Frozen)
		}
	}
	return out
}

func (d Rollout) setSheet() sheet {
	s := sheet{title: "Patch sets", columns: []column{{head: "RING", whole: true}, {head: "SET", whole: true}, {head: "VERSIONS", right: true}, {head: "DIGESTS", least: 20}}}
	for _, r := range d.Rings {
		if r.Set != "" && r.Digests != nil {
			s.rows = append(s.rows, texts(r.Name, shortDigest(r.Set), fmt.Sprint(r.Digests.Versions), r.Digests.assurance()))
		}
	}
	return s
}

// Late is a version that came out after the plan was made, and waits for the next rollout.
type Late struct {
	Package  string   `json:"package"`
	Arch     string   `json:"arch"`
	Version  string   `json:"version"`
	Security string   `json:"security"` // yes | no | unknown
	Severity string   `json:"severity"`
	Hosts    []string `json:"hosts"` // that could have it
}

// newLate compares the plan with what the begin steps saw; security fixes come first.
func newLate(s Source) []Late {
	out := []Late{}
	planned := s.planned()
	for _, h := range s.Status.Hosts {
		facts, seen := s.Facts[h.ID]
		if !seen || h.Back {
			continue
		}
		for _, u := range plan.Newer(planned[h.ID], facts) {
			c := newChange(u)
			at := slices.IndexFunc(out, func(l Late) bool {
				return l.Package == c.Package && l.Arch == c.Arch && l.Version == c.To && l.Security == c.Security
			})
			if at < 0 {
				at = len(out)
				out = append(out, Late{Package: c.Package, Arch: c.Arch, Version: c.To, Security: c.Security, Severity: c.Severity})
			}
			out[at].Hosts = append(out[at].Hosts, clean(h.ID.String()))
		}
	}
	rank := []string{"yes", "unknown", "no"}
	slices.SortStableFunc(out, func(a, b Late) int { return slices.Index(rank, a.Security) - slices.Index(rank, b.Security) })
	return out
}

func (d Rollout) lateSheet() sheet {
	s := sheet{title: "Came out since the plan, for the next rollout", columns: []column{{head: "PACKAGE", least: 12}, {head: "VERSION", least: 12}, {head: "SECURITY"}, {head: "HOSTS", least: 16}}}
	for _, l := range d.Late {
		s.rows = append(s.rows, texts(l.Package, l.Version, l.Security, some(l.Hosts)))
	}
	return s
}

// backTold is what a host's story says of its way back: done, or what a person who looks
// at a host that did not come through wants to know.
func (h Host) backTold() []string {
	switch {
	case h.TakenBack != nil && h.TakenBack.Done:
		return []string{count(len(h.TakenBack.Packages), "package") + " taken back, it was " + h.TakenBack.From}
	case h.TakenBack != nil:
		return []string{"on its way back, it was " + h.TakenBack.From}
	case h.Touched && (h.State == string(rollout.HostFailed) || h.State == string(rollout.HostUnknown)) && h.Back.Light != "":
		return []string{because("way back "+h.Back.Light, h.Back.Reasons)}
	}
	return nil
}

// backSince says what a person has taken back since a rollout was over: its reasons do not.
func backSince(s Source) []string {
	var out []string
	over := false
	for _, e := range s.Events {
		switch e := e.Entry.(type) {
		case rollout.Finished, rollout.Aborted:
			over = true
		case rollout.RollbackAsked:
			if over {
				out = append(out, "since then "+wereBack(len(e.Hosts))+": "+said(e.Reason))
			}
		}
	}
	return out
}

func wereBack(n int) string {
	if n == 1 {
		return "1 host was rolled back"
	}
	return fmt.Sprintf("%d hosts were rolled back", n)
}
