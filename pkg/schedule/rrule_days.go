package schedule

import (
	"iter"
	"slices"
	"time"
)

// dates are the occurrences of the rule, as the clock shows them, that may touch the
// time between from and to. Each day that is looked at costs patience.
func (r *recurrence) dates(start stamp, from, to wall, patience *int) iter.Seq[wall] {
	return func(yield func(wall) bool) {
		var days []wall
		left := r.count
		for k := r.skip(start.at, from); ; k++ {
			first := r.nth(r.base(start.at), k)
			*patience -= int(r.next(first)-first) / dayLong
			if first > to || *patience <= 0 {
				return
			}
			days = r.period(first, days[:0])
			for _, day := range days {
				s := stamp{at: day + start.at - start.at.date(), day: start.day, zone: start.zone}
				if s.at < start.at {
					continue
				}
				if r.over(s) || !yield(s.at) {
					return
				}
				if left--; left == 0 {
					return
				}
			}
		}
	}
}

// skip is a period that surely ends before from: what is long past need not be looked
// at, unless it is counted.
func (r *recurrence) skip(start, from wall) int64 {
	if r.count > 0 {
		return 0
	}
	longest := map[string]int64{"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[r.freq]
	return max(0, floorDiv(int64(from-start), longest*r.interval*dayLong)-1)
}

// base is the first day of the period that start lies in.
func (r *recurrence) base(start wall) wall {
	year, month, _ := start.civil()
	switch r.freq {
	case "WEEKLY":
		return start.date() - wall((start.weekday()-r.weekStart+7)%7)*dayLong
	case "MONTHLY":
		return firstOf(year, month)
	case "YEARLY":
		return firstOf(year, time.January)
	}
	return start.date()
}

// nth is the first day of the k-th period after that which begins at base.
func (r *recurrence) nth(base wall, k int64) wall { return r.later(base, k*r.interval) }

// next is the day after the period that begins at first.
func (r *recurrence) next(first wall) wall { return r.later(first, 1) }

func (r *recurrence) later(first wall, periods int64) wall {
	year, month, _ := first.civil()
	switch r.freq {
	case "WEEKLY":
		return first + wall(periods*7*dayLong)
	case "MONTHLY":
		return firstOf(year, month+time.Month(periods))
	case "YEARLY":
		return firstOf(year+int(periods), time.January)
	}
	return first + wall(periods*dayLong)
}

// over tells that the rule has ended before s.
func (r *recurrence) over(s stamp) bool {
	switch {
	case r.until == nil:
		return false
	case s.day || r.until.day:
		return s.at.date() > r.until.at.date()
	}
	return s.unix() > r.until.unix()
}

// period gives the days that the rule names in the period that begins at first. It
// may reuse days, which is empty.
func (r *recurrence) period(first wall, days []wall) []wall {
	for day, end := first, r.next(first); day < end; day += dayLong {
		if r.names(day) {
			days = append(days, day)
		}
	}
	if r.bySet == nil {
		return days
	}
	var picked []wall
	for i, day := range days {
		if slices.Contains(r.bySet, i+1) || slices.Contains(r.bySet, i-len(days)) {
			picked = append(picked, day)
		}
	}
	return picked
}

// names tells whether each BY part holds for a day.
func (r *recurrence) names(day wall) bool {
	year, month, date := day.civil()
	if r.byMonth != nil && !slices.Contains(r.byMonth, int(month)) {
		return false
	}
	long := int(firstOf(year, month+1)-firstOf(year, month)) / dayLong
	if r.byDate != nil && !slices.Contains(r.byDate, date) && !slices.Contains(r.byDate, date-long-1) {
		return false
	}
	if r.byDay == nil {
		return true
	}
	if r.freq == "YEARLY" && r.byMonth == nil {
		january := firstOf(year, time.January)
		date = int(day-january)/dayLong + 1
		long = int(firstOf(year+1, time.January)-january) / dayLong
	}
	return slices.ContainsFunc(r.byDay, func(d nthDay) bool {
		return d.weekday == day.weekday() && (d.nth == 0 || d.nth == (date-1)/7+1 || d.nth == -((long-date)/7+1))
	})
}
