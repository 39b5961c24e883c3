package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/schedule"
)

// naive answers by looking at each minute of three weeks, and by comparing what the
// site's clock shows as text. It shares no arithmetic with what it judges.
type naive struct {
	begin  time.Time
	open   []bool // by minute since begin
	closes []int  // the first minute from each on that is not open
}

const clockForm = "2006-01-02 15:04"

func newNaive(cal schedule.Calendar, zone *time.Location, begin time.Time, minutes int) naive {
	n := naive{begin: begin, open: make([]bool, minutes), closes: make([]int, minutes+1)}
	shown := make([]string, minutes)
	for m := range shown {
		shown[m] = n.time(m).In(zone).Format(clockForm)
	}
	for _, r := range cal.Windows["w"].Rules {
		for _, d := range r.Days {
			n.openBy(d, r, shown)
		}
	}
	for _, f := range cal.Freezes {
		n.freeze(f, shown)
	}
	n.closes[minutes] = minutes
	for m := minutes - 1; m >= 0; m-- {
		n.closes[m] = m
		if n.open[m] {
			n.closes[m] = n.closes[m+1]
		}
	}
	return n
}

func (n naive) time(minute int) time.Time { return n.begin.Add(time.Duration(minute) * time.Minute) }

// openBy opens from the first minute at which the clock has come to the start, or past it.
func (n naive) openBy(d schedule.Day, r schedule.Rule, shown []string) {
	for date := n.begin.AddDate(0, 0, -2); date.Before(n.time(len(shown)).AddDate(0, 0, 2)); date = date.AddDate(0, 0, 1) {
		if !isDay(d, date) {
			continue
		}
		wanted := date.Format(time.DateOnly) + " " + r.Start
		if shown[0] > wanted {
			continue // it started before begin: newNaive's caller asks only about later times
		}
		for m := max(0, int(date.Sub(n.begin)/time.Minute)-2*24*60); m < len(shown); m++ {
			if shown[m] < wanted {
				continue
			}
			for i := m; i < min(len(shown), m+int(r.Length/time.Minute)); i++ {
				n.open[i] = true
			}
			break
		}
	}
}

func isDay(d schedule.Day, date time.Time) bool {
	if date.Weekday() != d.Weekday {
		return false
	}
	switch {
	case d.Nth == 0:
		return true
	case d.Nth < 0:
		return date.AddDate(0, 0, 7).Month() != date.Month()
	}
	before := date.AddDate(0, 0, -7*d.Nth)
	return date.AddDate(0, 0, -7*(d.Nth-1)).Month() == date.Month() && before.Month() != date.Month()
}

// freeze closes from the first minute at which the clock has come to From through the
// last at which it has not gone past Through.
func (n naive) freeze(f schedule.Freeze, shown []string) {
	first, last := len(shown), -1
	for m, text := range shown {
		if text[:min(len(text), len(f.From))] >= f.From && m < first {
			first = m
		}
		if text[:min(len(text), len(f.Through))] <= f.Through {
			last = m
		}
	}
	for m := first; m <= last; m++ {
		n.open[m] = false
	}
}

func (n naive) fits(at time.Time, need time.Duration) bool {
	from := int(at.Sub(n.begin) / time.Minute)
	end := at.Add(max(need, 1)) // what takes no time still needs the moment
	return !n.time(n.closes[from]).Before(end)
}

func changes(t *rapid.T) (*time.Location, string) {
	places := map[string][]string{
		"Europe/London":       {"2026-03-20", "2026-10-16", "2026-12-20"},
		"America/New_York":    {"2026-02-28", "2026-10-24"},
		"Australia/Lord_Howe": {"2026-03-27", "2026-09-25"},
		"Pacific/Apia":        {"2011-12-22", "2026-06-01"},
		"America/Havana":      {"2026-02-28", "2026-10-24"}, // at midnight
		"Africa/Casablanca":   {"2026-02-06", "2026-03-14"},
		"UTC":                 {"2026-02-20"},
	}
	names := []string{"Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana", "Africa/Casablanca", "UTC"}
	name := rapid.SampledFrom(names).Draw(t, "zone")
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone, rapid.SampledFrom(places[name]).Draw(t, "around")
}

func drawCalendar(t *rapid.T, zone *time.Location, around time.Time) schedule.Calendar {
	clockTime := rapid.Custom(func(t *rapid.T) string {
		return time.Time{}.Add(time.Duration(rapid.IntRange(0, 24*60-1).Draw(t, "minute")) * time.Minute).Format("15:04")
	})
	early := rapid.SampledFrom([]string{"00:00", "01:00", "01:30", "01:45", "02:00", "02:15", "02:30", "03:00"}) // where clocks change
	rule := rapid.Custom(func(t *rapid.T) schedule.Rule {
		day := rapid.Custom(func(t *rapid.T) schedule.Day {
			return schedule.Day{Weekday: time.Weekday(rapid.IntRange(0, 6).Draw(t, "weekday")), Nth: rapid.SampledFrom([]int{0, 0, 0, -1, 1, 2, 3, 4, 5}).Draw(t, "nth")}
		})
		return schedule.Rule{
			Days:   rapid.SliceOfN(day, 1, 4).Draw(t, "days"),
			Start:  rapid.OneOf(clockTime, early).Draw(t, "start"),
			Length: time.Minute * time.Duration(rapid.OneOf(rapid.IntRange(1, 10*60), rapid.SampledFrom([]int{60, 24 * 60, 60 * 60, 7 * 24 * 60})).Draw(t, "length")),
		}
	})
	freeze := rapid.Custom(func(t *rapid.T) schedule.Freeze {
		at := around.Add(time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, "from")) * time.Minute)
		end := at.Add(time.Duration(rapid.IntRange(0, 4*24*60).Draw(t, "long")) * time.Minute)
		layout := rapid.SampledFrom([]string{time.DateOnly, clockForm}).Draw(t, "form")
		return schedule.Freeze{From: at.Format(layout), Through: end.Format(layout), Reason: "x"}
	})
	return schedule.Calendar{
		Zone:    zone.String(),
		Windows: map[string]schedule.Window{"w": {Rules: rapid.SliceOfN(rule, 1, 3).Draw(t, "rules")}},
		Freezes: rapid.SliceOfN(freeze, 0, 3).Draw(t, "freezes"),
	}
}

// TestFitsAgreesWithLookingAtEachMinute draws calendars around the days on which clocks
// change.
func TestFitsAgreesWithLookingAtEachMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, date := changes(t)
		around, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		cal := drawCalendar(t, zone, around)
		c, err := schedule.Compile(cal)
		if err != nil {
			t.Fatal(err)
		}
		const day = 24 * 60
		n := newNaive(cal, zone, around.AddDate(0, 0, -8), (8+18)*day)
		for range 30 {
			at := n.time(8*day + rapid.IntRange(0, 9*day).Draw(t, "minute")).Add(rapid.SampledFrom([]time.Duration{0, 0, 1, time.Second, time.Minute - 1}).Draw(t, "and"))
			need := rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour, 90 * time.Minute, 6 * time.Hour, 25 * time.Hour}).Draw(t, "need")
			compare(t, c, n, at, need)
			wantCoherent(t, c, "w", at, need)
		}
	})
}

// compare judges the answer, and the moments at which it says that it changes.
func compare(t *rapid.T, c *schedule.Clock, n naive, at time.Time, need time.Duration) {
	got := c.Fits("w", at, need)
	if want := n.fits(at, need); got.Open != want {
		t.Fatalf("at %v for %v: %+v, and each minute says %v", at, need, got, want)
	}
	edge := n.time(len(n.open) - 2*24*60)
	for next := at; next.Before(edge); next = next.Truncate(time.Minute).Add(time.Minute) {
		switch fits := n.fits(next, need); {
		case !got.Open && fits:
			if !got.Until.Equal(next) {
				t.Fatalf("at %v for %v: %+v, and each minute says %v", at, need, got, next)
			}
			return
		case got.Open && !fits:
			last := next
			if need > 0 {
				last = next.Add(-time.Minute)
			}
			if last.Before(at) {
				last = at // it ends within the minute of at
			}
			if !got.Until.Equal(last) {
				t.Fatalf("at %v for %v: %+v, and each minute says %v", at, need, got, last)
			}
			return
		}
	}
}

// TestWhatAClockRemembersChangesNoAnswer asks one clock about times far apart, in any order.
func TestWhatAClockRemembersChangesNoAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, date := changes(t)
		around, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		cal := drawCalendar(t, zone, around)
		kept, err := schedule.Compile(cal)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			at := around.Add(time.Duration(rapid.Int64Range(-900, 900).Draw(t, "hours")) * time.Hour)
			need := time.Duration(rapid.IntRange(0, 100).Draw(t, "need")) * time.Hour
			window := rapid.SampledFrom([]string{"w", schedule.Any}).Draw(t, "window")
			fresh, err := schedule.Compile(cal)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := kept.Fits(window, at, need), fresh.Fits(window, at, need); a != b {
				t.Fatalf("at %v for %v it says %+v, a new clock %+v", at, need, a, b)
			}
			if a, b := kept.Longest(window, at), fresh.Longest(window, at); a != b {
				t.Fatalf("longest from %v: %v, of a new clock %v", at, a, b)
			}
		}
	})
}

func BenchmarkFits(b *testing.B) {
	everyDay, err := schedule.ParseDay("daily")
	if err != nil {
		b.Fatal(err)
	}
	c, err := schedule.Compile(schedule.Calendar{
		Zone:    "Europe/London",
		Windows: map[string]schedule.Window{"w": {Rules: []schedule.Rule{{Days: everyDay, Start: "22:00", Length: 6 * time.Hour}}}},
		Freezes: []schedule.Freeze{{From: "2026-12-18", Through: "2027-01-04", Reason: "year-end"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for name, need := range map[string]time.Duration{"often": time.Hour, "never": 9 * time.Hour} {
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				c.Fits("w", begin.Add(time.Duration(i%(7*24*60*60))*time.Second), need)
			}
		})
	}
	b.Run("one moment", func(b *testing.B) {
		for range b.N {
			c.Fits("w", begin.Add(2*time.Hour+30*time.Minute), time.Hour)
		}
	})
	b.Run("worked out anew", func(b *testing.B) {
		for i := range b.N {
			c.Fits("w", begin.AddDate(i%2, 0, 0), time.Hour)
		}
	})
}
