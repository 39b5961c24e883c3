package plan

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/schedule"
)

// horizonLeft is how much of an older calendar must lie ahead for it to be kept, although
// a newer one reaches further.
const horizonLeft = 60 * 24 * time.Hour

// SameCalendar tells whether a newer calendar says the same as an older one, apart from
// how far ahead iCalendar files were read, which moves by itself. Rules, freezes by date
// and the zone must be equal. Of spans, those that are over do not matter, and the newer
// one may have more where the older one ends: later than all that the older one has, and
// not within the next 60 days.
//
//	old: weekly to 2027-11-05; new: the same to 2027-12-03  → same
//	and it is 2027-09-10                                    → not: less than 60 days are left
//	one event less, moved or renamed, or one more between   → not
//
// So an event that is added far ahead, behind all others, is taken in 60 days before it
// begins at the latest.
func SameCalendar(old, newer schedule.Calendar, now time.Time) bool {
	if old.Zone != newer.Zone || !sameRules(old.Windows, newer.Windows) || !slices.EqualFunc(dated(old), dated(newer), sameDates) {
		return false
	}
	known, found := ahead(old, now), ahead(newer, now)
	ends := now.Add(horizonLeft) // to here at least the older one must be complete
	for s := range known {
		if !found[s] {
			return false
		}
		if !s.from.Before(ends) {
			ends = s.from.Add(1)
		}
	}
	for s := range found {
		if !known[s] && s.from.Before(ends) {
			return false
		}
	}
	return true
}

func sameRules(a, b map[string]schedule.Window) bool {
	if len(a) != len(b) {
		return false
	}
	for name, w := range a {
		other, there := b[name]
		if !there || !slices.EqualFunc(w.Rules, other.Rules, sameRule) {
			return false
		}
	}
	return true
}

func sameRule(a, b schedule.Rule) bool {
	return a.Start == b.Start && a.Length == b.Length && slices.Equal(a.Days, b.Days)
}

// dated are the freezes that no file gave.
func dated(c schedule.Calendar) []schedule.Freeze {
	return slices.DeleteFunc(slices.Clone(c.Freezes), func(f schedule.Freeze) bool { return len(f.Spans) > 0 })
}

func sameDates(a, b schedule.Freeze) bool {
	return a.From == b.From && a.Through == b.Through && a.Reason == b.Reason
}

// placed is a span with where it stands. A freeze stands by its reason: from a file that
// has nothing ahead there is none.
type placed struct {
	window, freeze string
	from, to       time.Time // in UTC
	what           string
}

// ahead are the spans that are not over.
func ahead(c schedule.Calendar, now time.Time) map[placed]bool {
	out := map[placed]bool{}
	add := func(in placed, spans []schedule.Span) {
		for _, s := range spans {
			if s.To.After(now) {
				in.from, in.to, in.what = s.From.UTC().Round(0), s.To.UTC().Round(0), s.What
				out[in] = true
			}
		}
	}
	for name, w := range c.Windows {
		add(placed{window: name}, w.Spans)
	}
	for _, f := range c.Freezes {
		add(placed{freeze: f.Reason}, f.Spans)
	}
	return out
}
