package zypper

import (
	"github.com/patchring/patchring/pkg/patch"
)

const (
	whyHeld    = "a lock on the host (zypper locks)"
	whyLeft    = "zypper leaves it out: the newer version is another vendor's, or can't be installed with what is there"
	whyPatched = "a patch wants it, and zypper does not list it: that may be another vendor's package"
)

// leftOut adds what can be had and list-updates does not offer. What a needed patch wants
// for certain is an update like the others.
func (r reader) leftOut(about *advice, m missed, listed []patch.Update) {
	seen := byKey(listed)
	for _, u := range m.sure {
		if !r.held(u.Name) {
			r.Facts.Updates = append(r.Facts.Updates, about.update(u))
			seen[u.Key()] = u
		}
	}
	keep := func(u patch.Update, detail string) {
		if _, known := seen[u.Key()]; known {
			return
		}
		seen[u.Key()] = u
		left := patch.Left{Update: about.update(u), Reason: patch.ReasonKeptBack, Detail: detail}
		if r.held(u.Name) {
			left.Reason, left.Detail = patch.ReasonHeld, whyHeld
		}
		r.Facts.KeptBack = append(r.Facts.KeptBack, left)
	}
	for _, u := range r.all() {
		keep(u, whyLeft)
	}
	for _, u := range m.sure { // held ones that the list of all did not have
		keep(u, whyHeld)
	}
	for _, u := range m.unsure {
		keep(u, whyPatched)
	}
}

// all is whatever is newer, installable or not.
func (r reader) all() []patch.Update {
	s := r.Report.Get("all")
	all, _, err := readUpdates(s.Out)
	if err != nil || !s.OK() {
		r.Problem("kept_back", "zypper list-updates --all: %s", told(s, err))
	}
	return all
}
