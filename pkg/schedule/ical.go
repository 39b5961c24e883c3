package schedule

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

// mostSpans bounds what one file may mean.
const mostSpans = 10_000

// ParseICal reads the events of an iCalendar file (RFC 5545) and gives each occurrence
// that touches the time between from and to, by its beginning. Times without a zone are
// on the clock of zone. What it can't honour is an error that names the line.
func ParseICal(src []byte, zone *time.Location, from, to time.Time) ([]Span, error) {
	if zone == nil {
		zone = time.UTC
	}
	lines, err := splitICal(src)
	if err != nil {
		return nil, err
	}
	events, err := parseEvents(lines, zone)
	if err != nil {
		return nil, err
	}
	moved, err := overrides(events)
	if err != nil {
		return nil, err
	}
	x := expansion{from: from.Unix(), to: to.Unix(), patience: mostDays}
	if to.Nanosecond() > 0 {
		x.to++
	}
	for _, e := range events {
		if err := x.add(e, moved[e.uid]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(x.out, func(a, b Span) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(x.out), nil
}

// parseEvents finds the VEVENTs.
func parseEvents(lines []line, site *time.Location) ([]event, error) {
	var out []event
	var open, own []line // the components that have begun; the lines of the event itself
	for _, l := range lines {
		var err error
		switch {
		case l.name == "BEGIN":
			err = checkBegin(l, open)
			open, own = append(open, l), ownOf(own, open)
		case l.name == "END":
			if len(open) == 0 || !strings.EqualFold(l.value, open[len(open)-1].value) {
				return nil, l.fault("%q has not begun", clip(l.value))
			}
			begin := open[len(open)-1]
			if open = open[:len(open)-1]; strings.EqualFold(l.value, "VEVENT") {
				var e event
				e, err = parseEvent(begin, own, site)
				out = append(out, e)
			}
		case len(open) == 0:
			err = l.fault("it stands outside of VCALENDAR")
		case len(open) == 1:
			err = checkCalendar(l)
		case strings.EqualFold(open[len(open)-1].value, "VEVENT"):
			own = append(own, l)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(open) > 0 || len(lines) == 0 {
		return nil, fault.Usagef("fetch the file again", "this is no whole iCalendar file: it does not end in END:VCALENDAR")
	}
	return out, nil
}

// ownOf: an event begins without lines, and what stands in it (an alarm) adds none.
func ownOf(own, open []line) []line {
	if len(open) == 1 {
		return nil
	}
	return own
}

// checkBegin refuses what might say when something is, and is not read.
func checkBegin(l line, open []line) error {
	name := strings.ToUpper(l.value)
	known := []string{"VEVENT", "VTIMEZONE", "VTODO", "VJOURNAL"}
	switch {
	case len(open) == 0 && name != "VCALENDAR":
		return l.fault("%q stands outside of VCALENDAR", clip(l.value))
	case len(open) == 1 && !slices.Contains(known, name) && !strings.HasPrefix(name, "X-"):
		return l.fault("%q can't be honoured", clip(l.value))
	case len(open) > 1 && (name == "VEVENT" || name == "VCALENDAR"):
		return l.fault("%q stands in another component", clip(l.value))
	case len(open) > 5:
		return l.fault("it is nested too deeply")
	}
	return nil
}

// checkCalendar looks at the properties of the whole file.
func checkCalendar(l line) error {
	switch {
	case l.name == "METHOD" && strings.EqualFold(l.value, "CANCEL"),
		l.name == "CALSCALE" && !strings.EqualFold(l.value, "GREGORIAN"):
		return l.fault("%q can't be honoured", clip(l.value))
	}
	return nil
}

// overrides are, by uid, the occurrences that an event of their own stands for.
func overrides(events []event) (map[string]map[int64]event, error) {
	out := map[string]map[int64]event{}
	for _, e := range events {
		if e.instead == nil {
			continue
		}
		if e.uid == "" {
			return nil, e.at.fault("an event with RECURRENCE-ID must have a UID")
		}
		of := out[e.uid]
		if of == nil {
			of = map[int64]event{}
			out[e.uid] = of
		}
		if _, twice := of[e.instead.key()]; twice {
			return nil, e.at.fault("two events stand for the same occurrence")
		}
		of[e.instead.key()] = e
	}
	return out, nil
}
