package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/schedule"
)

// newPlanCalendar keeps the windows that rings name, and the freezes that had not
// ended when the plan was made.
func newPlanCalendar(p *plan.Plan) PlanCalendar {
	out := PlanCalendar{Zone: clean(orElse(p.Calendar.Zone, "UTC")), Windows: []PlanWindow{}, Freezes: []PlanFreeze{}}
	named := map[string]bool{}
	for _, r := range p.Rings {
		if w := windowName(r.Window); w != schedule.Any {
			named[r.Window] = true
		}
	}
	zone := zoneOf(p.Calendar.Zone)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		out.Windows = append(out.Windows, PlanWindow{clean(name), windowWords(p.Calendar.Windows[name], p.Made, zone)})
	}
	for _, f := range p.Calendar.Freezes {
		out.Freezes = append(out.Freezes, newPlanFreezes(f, p.Made, zone)...)
	}
	return out
}

func newPlanFreezes(f schedule.Freeze, made time.Time, zone *time.Location) []PlanFreeze {
	var out []PlanFreeze
	for _, s := range f.Spans {
		if s.To.After(made) {
			out = append(out, PlanFreeze{inZone(s.From, zone), inZone(s.To, zone), clean(orElse(s.What, f.Reason))})
		}
	}
	// Both are on the site's clock, so they sort as text.
	if f.From != "" && f.Through >= made.In(zone).Format(time.DateOnly) {
		out = append(out, PlanFreeze{clean(f.From), clean(f.Through), clean(f.Reason)})
	}
	return out
}

func inZone(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04") }

// windowWords is e.g. "Sat, Sun 22:00 for 6h". Empty: it never opens again.
func windowWords(w schedule.Window, made time.Time, zone *time.Location) string {
	var out []string
	for _, r := range w.Rules {
		out = append(out, ruleWords(r))
	}
	var coming []schedule.Span
	for _, s := range w.Spans {
		if s.To.After(made) {
			coming = append(coming, s)
		}
	}
	if len(coming) > 0 {
		next := inZone(coming[0].From, zone) + " for " + lasting(coming[0].To.Sub(coming[0].From))
		if more := len(coming) - 1; more > 0 {
			next += fmt.Sprintf(" and %d more times", more)
		}
		out = append(out, next)
	}
	return clean(strings.Join(out, "; "))
}

func ruleWords(r schedule.Rule) string {
	var days []string
	for _, d := range r.Days {
		days = append(days, dayWord(d))
	}
	when := strings.Join(days, ", ")
	if len(days) == 7 && !slices.ContainsFunc(r.Days, func(d schedule.Day) bool { return d.Nth != 0 }) {
		when = "every day"
	}
	return when + " " + r.Start + " for " + lasting(r.Length)
}

func dayWord(d schedule.Day) string {
	name := d.Weekday.String()[:3]
	switch d.Nth {
	case 0:
		return name
	case -1:
		return "last " + name
	case 1:
		return "1st " + name
	case 2:
		return "2nd " + name
	case 3:
		return "3rd " + name
	}
	return fmt.Sprintf("%dth %s", d.Nth, name)
}

// zoneOf is a site's clock; one that this system does not know is told in UTC.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
