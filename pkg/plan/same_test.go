package plan

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/schedule"
)

const daily = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260101T200000\r\nDTEND:20260102T020000\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// nightly is what an iCalendar file of a window says on a day, through the journal.
func nightly(t *testing.T, from time.Time) schedule.Calendar {
	t.Helper()
	spans, err := schedule.ParseICal([]byte(daily), time.UTC, from.AddDate(0, 0, -7), from.Add(schedule.Horizon))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(schedule.Calendar{Windows: map[string]schedule.Window{"night": {Spans: spans}}})
	if err != nil {
		t.Fatal(err)
	}
	var c schedule.Calendar
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// The same file, read on a later day, says the same; until too little is left ahead.
func TestTheHorizonMovesAndNothingChanges(t *testing.T) {
	made := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	old := nightly(t, made)
	for days, want := range map[int]bool{0: true, 1: true, 31: true, 300: true, 339: true, 341: false, 399: false, 500: false} {
		now := made.AddDate(0, 0, days)
		if got := SameCalendar(old, nightly(t, now), now); got != want {
			t.Errorf("after %d days: %v", days, got)
		}
	}
}

func TestSameCalendar(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	day := func(n int) schedule.Span {
		return schedule.Span{From: at.AddDate(0, 0, n), To: at.AddDate(0, 0, n).Add(time.Hour), What: "change"}
	}
	window := func(days ...int) schedule.Calendar {
		w := weekend()
		for _, n := range days {
			w.Spans = append(w.Spans, day(n))
		}
		return schedule.Calendar{Zone: "Europe/London", Windows: map[string]schedule.Window{"weekend": w}, Freezes: []schedule.Freeze{{From: "2026-12-18", Through: "2027-01-04", Reason: "year-end"}}}
	}
	freeze := func(reason string, days ...int) schedule.Calendar {
		c := window()
		f := schedule.Freeze{Reason: reason}
		for _, n := range days {
			f.Spans = append(f.Spans, day(n))
		}
		c.Freezes = append(c.Freezes, f)
		return c
	}
	changed := func(change func(*schedule.Calendar)) schedule.Calendar {
		c := window(7)
		change(&c)
		return c
	}
	for name, tt := range map[string]struct {
		old, newer schedule.Calendar
		want       bool
	}{
		"nothing":                      {schedule.Calendar{}, schedule.Calendar{}, true},
		"the same":                     {window(7, 14), window(7, 14), true},
		"further ahead":                {window(7, 100), window(7, 100, 101), true},
		"not as far ahead":             {window(7, 100, 101), window(7, 100), false},
		"soon, though behind all":      {window(7, 14), window(7, 14, 59), false},
		"behind all, and far off":      {window(7, 14), window(7, 14, 60), true},
		"between":                      {window(7, 100), window(7, 80, 100), false},
		"beside the last":              {freeze("audit", 100), changed(func(c *schedule.Calendar) { *c = freeze("audit", 100); c.Windows = window(100).Windows }), false},
		"one less":                     {window(7, 14), window(14), false},
		"moved":                        {window(7), window(8), false},
		"over by now":                  {window(-3, 7), window(7), true},
		"over, and found again":        {window(7), window(-3, 7), true},
		"under way":                    {window(7), window(0, 7), false},
		"another zone":                 {window(7), changed(func(c *schedule.Calendar) { c.Zone = "" }), false},
		"another window":               {window(7), changed(func(c *schedule.Calendar) { c.Windows["nights"] = schedule.Window{} }), false},
		"a window of another name":     {window(), changed(func(c *schedule.Calendar) { c.Windows = map[string]schedule.Window{"nights": weekend()} }), false},
		"another rule":                 {window(7), changed(func(c *schedule.Calendar) { c.Windows["weekend"].Rules[0].Length++ }), false},
		"a freeze by date more":        {window(7), changed(func(c *schedule.Calendar) { c.Freezes = append(c.Freezes, c.Freezes[0]) }), false},
		"a freeze by date moved":       {window(7), changed(func(c *schedule.Calendar) { c.Freezes[0].Through = "2027-01-05" }), false},
		"a freeze by date renamed":     {window(7), changed(func(c *schedule.Calendar) { c.Freezes[0].Reason = "holidays" }), false},
		"a freeze from a file":         {freeze("audit", 7), freeze("audit", 7), true},
		"one whose events are over":    {freeze("audit", -7), window(), true},
		"one whose events are far off": {window(), freeze("audit", 90), true},
		"one whose event is soon":      {window(), freeze("audit", 30), false},
		"one of another reason":        {freeze("audit", 7), freeze("visit", 7), false},
		"lifted":                       {freeze("audit", 7, 14), freeze("audit", 7), false},
		"a window turned into one":     {window(7), freeze("weekend", 7), false},
	} {
		if got := SameCalendar(tt.old, tt.newer, at); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Whatever the file says: read later it is the same, and whatever is the same says the
// same of the next 60 days.
func TestSameCalendarNeverHidesASoonChange(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfDistinct(rapid.IntRange(-10, 600), func(n int) int { return n })
		spans := func(days []int, from, to int) schedule.Calendar {
			var w schedule.Window
			for _, n := range days {
				if n >= from && n < to {
					w.Spans = append(w.Spans, schedule.Span{From: at.AddDate(0, 0, n), To: at.AddDate(0, 0, n+1)})
				}
			}
			return schedule.Calendar{Windows: map[string]schedule.Window{"w": w}}
		}
		file, later := days.Draw(t, "file"), rapid.IntRange(0, 340).Draw(t, "later")
		now := at.AddDate(0, 0, later)
		old := spans(file, -7, 400)
		if !SameCalendar(old, spans(file, later-7, later+400), now) {
			t.Fatalf("the same file is another after %d days", later)
		}
		edited := days.Draw(t, "edited")
		soon := func(days []int) []int {
			return slices.Sorted(slices.Values(slices.DeleteFunc(slices.Clone(days), func(n int) bool { return n < later || n >= later+60 })))
		}
		if SameCalendar(old, spans(edited, later-7, later+400), now) && !slices.Equal(soon(file), soon(edited)) {
			t.Fatalf("%v and %v are the same at %d", file, edited, later)
		}
	})
}
