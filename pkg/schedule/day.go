package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

const dayHint = `write "sat", "mon-fri", "daily", "2nd tue" or "last fri"`

// ParseDay reads what a person calls a day: "sat" or "saturday", "2nd tue", "last
// fri"; or several: "mon-fri", "weekday", "weekend", "daily".
func ParseDay(text string) ([]Day, error) {
	words := strings.Fields(strings.ToLower(text))
	switch len(words) {
	case 1:
		if days := weekdays(words[0]); days != nil {
			return days, nil
		}
	case 2:
		nth, known := nths()[words[0]]
		if weekday, ok := weekdayOf(words[1]); ok && known {
			return []Day{{Weekday: weekday, Nth: nth}}, nil
		}
	}
	return nil, fault.Usagef(dayHint, "%q is no day", clip(text))
}

// weekdays reads one word. A range may go over the end of the week: "fri-mon".
func weekdays(word string) []Day {
	first, last, isRange := strings.Cut(word, "-")
	switch word {
	case "daily":
		first, last, isRange = "mon", "sun", true
	case "weekday", "weekdays":
		first, last, isRange = "mon", "fri", true
	case "weekend", "weekends":
		first, last, isRange = "sat", "sun", true
	}
	if !isRange {
		last = first
	}
	from, ok := weekdayOf(first)
	through, ok2 := weekdayOf(last)
	if !ok || !ok2 {
		return nil
	}
	days := []Day{{Weekday: from}}
	for d := from; d != through; {
		d = (d + 1) % 7
		days = append(days, Day{Weekday: d})
	}
	return days
}

func weekdayOf(word string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		full := strings.ToLower(d.String())
		if word == full || word == full[:3] {
			return d, true
		}
	}
	return 0, false
}

func nths() map[string]int {
	return map[string]int{
		"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "last": -1,
		"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5,
	}
}

// String is as short as ParseDay reads it.
func (d Day) String() string {
	if !d.valid() {
		return fmt.Sprintf("no day (weekday %d, nth %d)", int(d.Weekday), d.Nth)
	}
	name := strings.ToLower(d.Weekday.String()[:3])
	switch d.Nth {
	case 0:
		return name
	case -1:
		return "last " + name
	}
	return []string{"1st ", "2nd ", "3rd ", "4th ", "5th "}[d.Nth-1] + name
}

func (d Day) valid() bool {
	return d.Weekday >= time.Sunday && d.Weekday <= time.Saturday && d.Nth >= -1 && d.Nth <= 5
}

// dates are the midnights of d's days, by date, from the day of one wall to that of another.
func (d Day) dates(from, through wall) []wall {
	if d.Nth == 0 {
		return d.weekly(from.date(), through)
	}
	var out []wall
	year, month, _ := from.civil()
	for first := firstOf(year, month); first <= through; first = firstOf(year, month) {
		month++
		next := firstOf(year, month)
		if day, ok := d.inMonth(first, next); ok && day >= from.date() && day <= through {
			out = append(out, day)
		}
	}
	return out
}

func (d Day) weekly(from, through wall) []wall {
	ahead := (d.Weekday - from.weekday() + 7) % 7
	out := make([]wall, 0, max(0, through-from)/(7*dayLong)+1)
	for day := from + wall(ahead)*dayLong; day <= through; day += 7 * dayLong {
		out = append(out, day)
	}
	return slices.Clip(out)
}

// inMonth: not each month has a fifth one.
func (d Day) inMonth(first, next wall) (wall, bool) {
	days := d.weekly(first, next-1)
	i := d.Nth - 1
	if d.Nth < 0 {
		i = len(days) - 1
	}
	if i >= len(days) {
		return 0, false
	}
	return days[i], true
}
