package schedule

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// recurrence is an RRULE. Each BY part that is given must hold for a day.
type recurrence struct {
	line      line
	freq      string
	interval  int64
	count     int64 // 0: no limit
	until     *stamp
	byDay     []nthDay
	byDate    []int // days of the month, from its end where negative
	byMonth   []int
	bySet     []int // positions in the period
	weekStart time.Weekday
}

// nthDay is a BYDAY: a weekday, or the nth of the period, from its end where negative.
type nthDay struct {
	weekday time.Weekday
	nth     int
}

// parseRecurrence reads an RRULE. Each part that is not understood is an error: a rule
// that is half understood names other days.
func parseRecurrence(l line, start stamp) (*recurrence, error) {
	r := &recurrence{line: l, interval: 1, weekStart: time.Monday}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.ToUpper(l.value), ";") {
		key, value, _ := strings.Cut(part, "=")
		if seen[key] {
			return nil, l.fault("%s stands twice", clip(key))
		}
		seen[key] = true
		if !r.part(key, value, start) {
			return nil, l.fault("%s can't be honoured", clip(part))
		}
	}
	if err := r.coherent(); err != nil {
		return nil, err
	}
	r.complete(start)
	if days := r.period(r.base(start.at), nil); !slices.Contains(days, start.at.date()) {
		return nil, l.fault("DTSTART is not one of the days that it names")
	}
	return r, nil
}

// part takes one part of the rule, and tells whether it was understood.
func (r *recurrence) part(key, value string, start stamp) (ok bool) {
	switch key {
	case "FREQ":
		r.freq, ok = value, slices.Contains([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}, value)
	case "INTERVAL":
		r.interval, ok = positive(value, 1000)
	case "COUNT":
		r.count, ok = positive(value, 1_000_000)
	case "UNTIL":
		var until stamp
		until, ok = parseStamp(value, start.zone, start.zone)
		r.until = &until
	case "BYDAY":
		r.byDay, ok = nthDays(value)
	case "BYMONTHDAY":
		r.byDate, ok = numbers(value, -31, 31)
	case "BYMONTH":
		r.byMonth, ok = numbers(value, 1, 12)
	case "BYSETPOS":
		r.bySet, ok = numbers(value, -366, 366)
	case "WKST":
		r.weekStart, ok = icalDay(value)
	}
	return ok
}

// coherent refuses what RFC 5545, 3.3.10, says must not stand together.
func (r *recurrence) coherent() error {
	narrow := r.freq == "DAILY" || r.freq == "WEEKLY"
	switch {
	case r.freq == "":
		return r.line.fault("it has no FREQ")
	case r.count > 0 && r.until != nil:
		return r.line.fault("it has COUNT and UNTIL: only one may stand")
	case r.freq == "WEEKLY" && r.byDate != nil:
		return r.line.fault("BYMONTHDAY can't stand with FREQ=WEEKLY")
	case r.bySet != nil && r.byDay == nil && r.byDate == nil && r.byMonth == nil:
		return r.line.fault("BYSETPOS needs another BY part")
	case narrow && slices.ContainsFunc(r.byDay, func(d nthDay) bool { return d.nth != 0 }):
		return r.line.fault("a numbered BYDAY can't stand with FREQ=%s", r.freq)
	}
	return nil
}

// complete takes from DTSTART what the rule leaves open.
func (r *recurrence) complete(start stamp) {
	_, month, day := start.at.civil()
	if r.byDay != nil || r.byDate != nil || r.freq == "DAILY" {
		return
	}
	if r.freq == "WEEKLY" {
		r.byDay = []nthDay{{weekday: start.at.weekday()}}
		return
	}
	r.byDate = []int{day}
	if r.freq == "YEARLY" && r.byMonth == nil {
		r.byMonth = []int{int(month)}
	}
}

func positive(text string, most int64) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0 && n <= most
}

// numbers reads a list. Nothing is numbered zero.
func numbers(text string, least, most int) ([]int, bool) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n == 0 || n < least || n > most || len(out) > 400 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

func nthDays(text string) ([]nthDay, bool) {
	var out []nthDay
	for part := range strings.SplitSeq(text, ",") {
		at := max(0, len(part)-2)
		weekday, ok := icalDay(part[at:])
		n, known := numbers(part[:at], -53, 53)
		if !ok || at > 0 && (!known || len(n) != 1) || len(out) > 400 {
			return nil, false
		}
		d := nthDay{weekday: weekday}
		if at > 0 {
			d.nth = n[0]
		}
		out = append(out, d)
	}
	return out, true
}

func icalDay(text string) (time.Weekday, bool) {
	i := slices.Index([]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}, text)
	return time.Weekday(max(0, i)), i >= 0
}
