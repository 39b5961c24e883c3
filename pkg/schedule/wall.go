package schedule

import (
	"time"
	_ "time/tzdata" // a small machine that has no zone files knows every zone as well
)

// wall is what a clock on the wall shows, as seconds since 1970: the moment at which
// a clock in UTC would show it. It names no moment until a zone is known.
type wall int64

const (
	minuteLong = 60
	dayLong    = 24 * 60 * 60
)

// firstOf is the midnight that a month begins with. Months may count on beyond a year.
func firstOf(year int, month time.Month) wall {
	return wall(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Unix())
}

// reading is what the site's clock shows at a moment.
func reading(zone *time.Location, at int64) wall { return wall(at + offset(zone, at)) }

func offset(zone *time.Location, at int64) int64 {
	_, seconds := time.Unix(at, 0).In(zone).Zone()
	return int64(seconds)
}

// moments are the first and the last moment at which the clock shows w: two where the
// hour is repeated. In a gap it shows w never, and both are the first moment after it.
func (w wall) moments(zone *time.Location) (first, last int64, shown bool) {
	before, after := w.offsets(zone)
	if before == after {
		return int64(w) - before, int64(w) - before, true
	}
	first, last = int64(w)-max(before, after), int64(w)-min(before, after)
	firstShown, lastShown := reading(zone, first) == w, reading(zone, last) == w
	switch {
	case firstShown && lastShown:
		return first, last, true
	case firstShown:
		return first, first, true
	case lastShown:
		return last, last, true
	}
	_, gapEnd := time.Unix(first, 0).In(zone).ZoneBounds()
	if gapEnd.IsZero() { // a zone with a history that offsets does not expect
		return last, last, false
	}
	return gapEnd.Unix(), gapEnd.Unix(), false
}

// offsets are the zone's a day before and a day after w: no zone is as far as a day
// from UTC, and none changes its clock twice in two days.
func (w wall) offsets(zone *time.Location) (before, after int64) {
	return offset(zone, int64(w)-dayLong), offset(zone, int64(w)+dayLong)
}

func (w wall) first(zone *time.Location) int64 {
	first, _, _ := w.moments(zone)
	return first
}

// after is the first moment at which the minute that w names is over for good.
func (w wall) after(zone *time.Location) int64 {
	_, last, shown := w.moments(zone)
	if !shown {
		return last
	}
	return last + minuteLong
}

func (w wall) weekday() time.Weekday {
	const thursday = 4 // 1970 began on one
	day := floorDiv(int64(w), dayLong)
	return time.Weekday(((day+thursday)%7 + 7) % 7)
}

// date is the midnight that w's day begins with.
func (w wall) date() wall { return wall(floorDiv(int64(w), dayLong) * dayLong) }

func (w wall) civil() (year int, month time.Month, day int) {
	return time.Unix(int64(w), 0).UTC().Date()
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// nano is a moment as a number that can be compared and added to without overflow.
// What lies centuries away is brought nearer: nothing is foreseen so far.
func nano(t time.Time) int64 {
	const far = 9_000_000_000 // seconds: the years 1684 to 2255
	return min(max(t.Unix(), -far), far)*int64(time.Second) + int64(t.Nanosecond())
}

func nanoOf(seconds int64) int64 {
	return nano(time.Unix(seconds, 0))
}

func moment(n int64) time.Time { return time.Unix(0, n).UTC() }
