package rollout

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/schedule"
)

// Rule 7, with a calendar of the world's own: slow, and nothing of package schedule.

// checkTime: a host starts in its window, outside any freeze, and there is time for the
// way there and back; an override lets it outside its window alone.
func (o *operator) checkTime(id fact.HostID, tr *truth) {
	if !o.mayStart(tr.ring.Window, tr.planned.Takes) {
		o.w.fail("rule 7: %s, which takes %s, is begun at %s in window %q", id, tr.planned.Takes, o.w.now, tr.ring.Window)
	}
}

// checkWindow: a ring's gate opens when some host of it may start.
func (o *operator) checkWindow(r plan.Ring) {
	for _, id := range r.Hosts {
		if tr := o.truth[id]; tr.final == "" && o.mayStart(r.Window, tr.planned.Takes) {
			return
		}
	}
	o.w.fail("rule 7: gate %s opened at %s, when no host of it may start", r.Name, o.w.now)
}

func (o *operator) mayStart(window string, takes time.Duration) bool {
	return o.fits(window, 2*takes, o.w.now.Before(o.override.Until))
}

// fits: so long is open from now on.
func (o *operator) fits(window string, takes time.Duration, always bool) bool {
	zone := zoneOf(o.calendar)
	frozen := func(t time.Time) bool {
		return slices.ContainsFunc(o.calendar.Freezes, func(f schedule.Freeze) bool { return inFreeze(f, t.In(zone)) })
	}
	always = always || window == "" || window == schedule.Any
	open := func(t time.Time) bool {
		return !frozen(t) && (always || inWindow(o.calendar.Windows[window], t.In(zone)))
	}
	end := o.w.now.Add(takes)
	for t := o.w.now; t.Before(end); t = t.Add(time.Minute) {
		if !open(t) {
			return false
		}
	}
	return takes == 0 && open(end) || takes > 0 && open(end.Add(-1))
}

func zoneOf(c schedule.Calendar) *time.Location {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// inFreeze: from the first second of a day through the last of another.
func inFreeze(f schedule.Freeze, t time.Time) bool {
	day := t.Format(time.DateOnly)
	return f.From <= day && day <= f.Through
}

// inWindow: opened on a day that is named, not yet that long ago.
func inWindow(w schedule.Window, t time.Time) bool {
	for _, r := range w.Rules {
		start, err := time.Parse("15:04", r.Start)
		if err != nil {
			continue
		}
		for back := range 8 {
			opens := time.Date(t.Year(), t.Month(), t.Day()-back, start.Hour(), start.Minute(), 0, 0, t.Location())
			named := slices.ContainsFunc(r.Days, func(d schedule.Day) bool { return d.Weekday == opens.Weekday() })
			if named && !t.Before(opens) && t.Before(opens.Add(r.Length)) {
				return true
			}
		}
	}
	return false
}
