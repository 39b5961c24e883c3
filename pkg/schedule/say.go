package schedule

import (
	"strconv"
	"time"
)

// Say writes a moment for people, on the site's clock: "Sat 22:00 Europe/London" within
// a week of now, else "Sat 2027-01-09 22:00 Europe/London". The zero time is an
// Answer's Until that is not foreseen, and is said so.
func (c *Clock) Say(t, now time.Time) string {
	if t.IsZero() {
		return "not within " + strconv.Itoa(int(Horizon/(24*time.Hour))) + " days"
	}
	t, now = t.In(c.Zone()), now.In(c.Zone())
	layout := "Mon 2006-01-02 15:04 "
	if sameWeek(t, now) {
		layout = "Mon 15:04 "
	}
	return t.Format(layout) + c.Zone().String()
}

// sameWeek: a weekday alone tells which day is meant. On a Saturday, "Sat" is today.
func sameWeek(t, now time.Time) bool {
	const week = 7 * 24 * time.Hour
	if away := t.Sub(now); away <= -week || away >= week {
		return false
	}
	return t.Weekday() != now.Weekday() || t.YearDay() == now.YearDay()
}

// refusal is why something that takes as long as need may not start.
type refusal struct {
	has, need int64
	why       string
	never     bool // has is the longest opening that there will be, not what is left of one
}

// said is the last refusal in words: many hosts get the same one at one moment.
type said struct {
	refusal
	text string
}

func (s *said) words(r refusal) string {
	if r.has > int64(time.Minute) {
		r.has -= r.has % int64(time.Minute)
	}
	if s.text == "" || s.refusal != r {
		*s = said{r, r.words()}
	}
	return s.text
}

func (r refusal) words() string {
	has, need := span(time.Duration(r.has)), span(roundUp(time.Duration(r.need)))
	switch {
	case !r.never:
		return r.why + ": " + has + " left, " + need + " needed"
	case r.has == 0:
		return r.why + ": not open within " + strconv.Itoa(int(Horizon/(24*time.Hour))) + " days"
	}
	return r.why + ": open for " + has + " at most, " + need + " needed"
}

// roundUp keeps "1h left, 1h needed" from being said where a second is missing.
func roundUp(d time.Duration) time.Duration {
	unit := time.Minute
	if d < time.Minute {
		unit = time.Second
	}
	return (d + unit - 1).Truncate(unit)
}

// span is a length in words, "6h" or "1h30m"; seconds only where there is nothing else.
func span(d time.Duration) string {
	if d < time.Minute {
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
	hours, minutes := int(d/time.Hour), int(d/time.Minute)%60
	switch {
	case hours == 0:
		return strconv.Itoa(minutes) + "m"
	case minutes == 0:
		return strconv.Itoa(hours) + "h"
	}
	return strconv.Itoa(hours) + "h" + strconv.Itoa(minutes) + "m"
}
