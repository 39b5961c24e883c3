package schedule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// longestRule is how long one rule may hold a window open.
const longestRule = 7 * 24 * time.Hour

// rule is a Rule that was checked.
type rule struct {
	days  []Day
	start wall // since midnight
	long  int64
}

// freeze is one stretch in which nothing starts.
type freeze struct {
	from, to int64
	why      string
}

// Compile checks a calendar and makes it a Clock. The error names what is wrong.
func Compile(cal Calendar) (*Clock, error) {
	zone, err := loadZone(cal.Zone)
	if err != nil {
		return nil, err
	}
	c := &Clock{zone: zone, windows: map[string]*window{}}
	if c.freezes, err = compileFreezes(cal.Freezes, zone); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(cal.Windows)) {
		if c.windows[name], err = compileWindow(name, cal.Windows[name], c); err != nil {
			return nil, err
		}
	}
	always := &window{clock: c, always: true, why: "no window"}
	c.windows[Any], c.windows[""] = always, always
	return c, nil
}

// loadZone refuses "Local": a plan must mean the same on each machine.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local {
		return nil, fault.Usagef(`write a name of the IANA list: "Europe/London", "UTC"`, "time zone %q is not known", clip(name))
	}
	return zone, nil
}

func compileWindow(name string, w Window, c *Clock) (*window, error) {
	if name == Any || name == "" {
		return nil, fault.Usagef("give the window another name", "a window can't be called %q: that one is always open", name)
	}
	out := &window{clock: c, why: "window " + remote.Clean(name, 80)}
	for i, r := range w.Rules {
		checked, err := compileRule(r)
		if err != nil {
			return nil, placed(err, "window %q, rule %d", clip(name), i+1)
		}
		out.rules = append(out.rules, checked)
	}
	for i, s := range w.Spans {
		if !s.From.Before(s.To) {
			return nil, placed(spanFault(s), "window %q, span %d", clip(name), i+1)
		}
		out.spans = append(out.spans, opening{from: nano(s.From), to: nano(s.To)})
	}
	return out, nil
}

func compileRule(r Rule) (rule, error) {
	start, ok := clockTime(r.Start)
	switch {
	case !ok:
		return rule{}, fault.Usagef(`write hours and minutes with two digits each: "22:00"`, "start %q is no time of day", clip(r.Start))
	case r.Length <= 0 || r.Length > longestRule:
		return rule{}, fault.Usagef(`write how long it stays open, up to 168h: "6h"`, "length %v is not between nothing and 7 days", r.Length)
	case len(r.Days) == 0:
		return rule{}, fault.Usagef(dayHint, "it names no days")
	}
	for _, d := range r.Days {
		if !d.valid() {
			return rule{}, fault.Usagef(dayHint, "%s", d)
		}
	}
	return rule{days: slices.Clone(r.Days), start: start, long: int64(r.Length)}, nil
}

func clockTime(text string) (wall, bool) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, false
	}
	return wall(t.Hour()*60+t.Minute()) * minuteLong, true
}

// compileFreezes gives disjoint stretches in order. Where freezes overlap, the one that
// ends last gives the reason: it is what one waits for.
func compileFreezes(freezes []Freeze, zone *time.Location) ([]freeze, error) {
	var all []freeze
	for i, f := range freezes {
		checked, err := compileFreeze(f, zone)
		if err != nil {
			return nil, placed(err, "freeze %d (%s)", i+1, remote.Clean(f.Reason, 80))
		}
		all = append(all, checked...)
	}
	return disjoint(all), nil
}

func compileFreeze(f Freeze, zone *time.Location) ([]freeze, error) {
	if len(f.Spans) > 0 {
		return freezeSpans(f)
	}
	const hint = `write "2026-12-18" or "2026-12-18 18:00"`
	from, _, ok := parseMoment(f.From)
	if !ok {
		return nil, fault.Usagef(hint, "from %q is no date", clip(f.From))
	}
	through, day, ok := parseMoment(f.Through)
	if !ok {
		return nil, fault.Usagef(hint, "through %q is no date", clip(f.Through))
	}
	end := through.after(zone)
	if day {
		end = (through + dayLong).first(zone)
	}
	if from > through && !(day && from < through+dayLong) {
		return nil, fault.Usagef("write the earlier one as from", "it ends (%s) before it begins (%s)", f.Through, f.From)
	}
	return []freeze{{from: nanoOf(from.first(zone)), to: nanoOf(end), why: freezeWhy(f.Reason, "")}}, nil
}

func freezeSpans(f Freeze) ([]freeze, error) {
	if f.From != "" || f.Through != "" {
		return nil, fault.Usagef("write either from and through, or an iCalendar file", "it has both dates and spans")
	}
	var out []freeze
	for i, s := range f.Spans {
		if !s.From.Before(s.To) {
			return nil, placed(spanFault(s), "span %d", i+1)
		}
		out = append(out, freeze{from: nano(s.From), to: nano(s.To), why: freezeWhy(f.Reason, s.What)})
	}
	return out, nil
}

// parseMoment reads a date, or a date and a time of day.
func parseMoment(text string) (w wall, day, ok bool) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, text); err == nil && len(text) == len(layout) {
			return wall(t.Unix()), layout == time.DateOnly, true
		}
	}
	return 0, false, false
}

func freezeWhy(reason, what string) string {
	reason, what = remote.Clean(reason, 120), remote.Clean(what, 120)
	switch {
	case reason == "" && what == "":
		return "freeze"
	case reason == "" || reason == what:
		return "freeze: " + what
	case what == "":
		return "freeze: " + reason
	}
	return "freeze: " + reason + " (" + what + ")"
}

func spanFault(s Span) *fault.Error {
	return fault.Usagef("give it an end that is later than its beginning", "it ends (%s) not after it begins (%s)",
		s.To.Format(time.RFC3339), s.From.Format(time.RFC3339))
}

// placed says where a mistake is, and keeps what to write instead.
func placed(err error, format string, args ...any) *fault.Error {
	return fault.Usagef(fault.HintOf(err), "%s: %s", fmt.Sprintf(format, args...), err)
}

// clip keeps a foreign text short enough for an error.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
