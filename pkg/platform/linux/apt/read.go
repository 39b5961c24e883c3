package apt

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// reader adds what only apt tells.
type reader struct{ *linux.Reader }

// read fills in what the sections of a host with apt tell.
func read(of *linux.Reader) {
	r := reader{of}
	r.Arch()
	r.Facts.Manager.State, r.Facts.Manager.Detail = dpkgState(r.Report.Get("audit"), r.Report.Get("journal"))
	if r.Facts.Manager.State == fact.ManagerUnknown {
		r.Problem("manager", "%s", r.Facts.Manager.Detail)
	}
	r.Locks()
	r.aptHolds()
	r.Refreshed(linux.RefreshFailure(r.Report, "apt-get update"))
	for _, trouble := range listTroubles(r.Report.Get("lists").Lines(), r.Report.Get("valid").Lines(), r.Facts.Clock) {
		r.Problem("lists", "%s", trouble)
	}
	r.aptUpdates()
	r.Installed("packages", "dpkg-query")
}

func (r reader) aptHolds() {
	holds := r.Report.Get("holds")
	if !holds.OK() {
		r.Problem("holds", "apt-mark showhold: %s", holds.Why())
	}
	for _, line := range holds.Lines() {
		name, _, _ := strings.Cut(line, ":")
		if linux.IsName(name) {
			r.Facts.Holds = append(r.Facts.Holds, remote.Clean(line, 200))
		}
	}
}

func (r reader) aptUpdates() {
	s, status := r.Report.Get("updates"), r.Report.Get("updates_status")
	if !s.OK() || strings.TrimSpace(status.Out) != "0" {
		r.noPlan()
	}
	plan := readPlan(s.Out)
	if len(plan.odd) > 0 {
		r.Problem("updates", "%d lines of apt were not understood, the first: %s", len(plan.odd), plan.odd[0])
	}
	r.Facts.Updates = plan.changes
	tables := readPolicy(r.Report.Get("policy").Out)
	r.Facts.KeptBack = explain(markHeld(plan.kept, r.Facts.Holds), r.Report.Get("full"))
	r.Facts.KeptBack = append(r.Facts.KeptBack, pinned(r.Report.Get("pins").Lines(), tables)...)
	r.aptSizes()
	r.aptFixes(tables)
}

// noPlan tells why apt does not say what is pending. Where packages lack what they
// depend on, that is why.
func (r reader) noPlan() {
	why := r.Report.Get("plan").Why()
	if broken := unmet(r.Report.Get("check")); broken != "" {
		why = broken
	}
	r.Problem("updates", "apt-get -s upgrade: %s", why)
	if r.Facts.Manager.State == fact.ManagerOK {
		r.Facts.Manager.State, r.Facts.Manager.Detail = fact.ManagerBroken, why
	}
}

func (r reader) aptSizes() {
	sizes := readSizes(r.Report.Get("sizes").Out)
	for i, u := range r.Facts.Updates {
		r.Facts.Updates[i].Size = sizes[fileKey{u.Name, u.To, u.Arch}]
	}
}

// aptFixes corrects "not security" where a security fix is on the way to the
// version; where the question failed, it takes the answer back.
func (r reader) aptFixes(tables map[string]policy) {
	asked, indexes := r.Report.Get("policy"), r.Report.Get("indexes")
	if len(r.Facts.Updates)+len(r.Facts.KeptBack) == 0 {
		return
	}
	known := readIndexes(indexes.Out)
	failed := !asked.OK() || !indexes.OK()
	if failed {
		r.Problem("security", "apt-cache policy: %s", asked.Why())
	}
	for i, u := range r.Facts.Updates {
		switch table := tables[u.Name].versions; {
		case u.Security == patch.Yes, u.From == "":
		case fixesUnderway(u, table, known):
			r.Facts.Updates[i].Security = patch.Yes
		case failed:
			r.Facts.Updates[i].Security = patch.Unknown
		}
	}
	for i, k := range r.Facts.KeptBack {
		if !failed {
			r.Facts.KeptBack[i].Update.Security = tableSecurity(k.Update, tables[k.Update.Name].versions, known)
		}
	}
}

// markHeld tells what a person holds from what apt keeps back by itself.
func markHeld(kept []patch.Left, holds []string) []patch.Left {
	for i, k := range kept {
		if slices.Contains(holds, k.Update.Name) || slices.Contains(holds, k.Update.Key()) {
			kept[i].Reason, kept[i].Detail = patch.ReasonHeld, "held on the host (apt-mark hold)"
		}
	}
	return kept
}
