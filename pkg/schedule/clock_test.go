package schedule_test

import (
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/schedule"
)

const hour = time.Hour

// on is what a clock in a zone shows, with an offset where that is not clear: the
// repeated hour has each moment twice.
func on(t *testing.T, zone, text string) time.Time {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	for _, layout := range []string{"2006-01-02 15:04 -0700", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, text, location); err == nil {
			return at
		}
	}
	t.Fatalf("%q is no time", text)
	return time.Time{}
}

func days(t *testing.T, texts ...string) []schedule.Day {
	t.Helper()
	var out []schedule.Day
	for _, text := range texts {
		d, err := schedule.ParseDay(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d...)
	}
	return out
}

func compile(t *testing.T, cal schedule.Calendar) *schedule.Clock {
	t.Helper()
	c, err := schedule.Compile(cal)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// windowOf is a calendar with the one window "w".
func windowOf(zone string, rules ...schedule.Rule) schedule.Calendar {
	return schedule.Calendar{Zone: zone, Windows: map[string]schedule.Window{"w": {Rules: rules}}}
}

// TestAWindowOpensAndClosesOnTheSitesClock asks for the opening that begins first after
// a moment: when, and for how long.
func TestAWindowOpensAndClosesOnTheSitesClock(t *testing.T) {
	for _, test := range []struct {
		name, zone, days, start string
		length                  time.Duration
		after, opens, closes    string
	}{
		{"over midnight", "Europe/London", "sat", "22:00", 6 * hour, "2026-06-01 00:00", "2026-06-06 22:00", "2026-06-07 04:00"},
		{"spring: an hour is skipped in it", "Europe/London", "sat", "22:00", 6 * hour, "2026-03-28 00:00", "2026-03-28 22:00", "2026-03-29 05:00"},
		{"autumn: an hour is repeated in it", "Europe/London", "sat", "22:00", 6 * hour, "2026-10-24 00:00", "2026-10-24 22:00", "2026-10-25 03:00"},
		{"starts in the skipped hour", "Europe/London", "sun", "01:30", hour, "2026-03-28 00:00", "2026-03-29 02:00", "2026-03-29 03:00"},
		{"starts where the gap begins", "Europe/London", "sun", "01:00", hour, "2026-03-28 00:00", "2026-03-29 02:00", "2026-03-29 03:00"},
		{"starts where the gap ends", "Europe/London", "sun", "02:00", hour, "2026-03-28 00:00", "2026-03-29 02:00", "2026-03-29 03:00"},
		{"starts in the repeated hour: the first", "Europe/London", "sun", "01:30", hour, "2026-10-24 00:00", "2026-10-25 01:30 +0100", "2026-10-25 01:30 +0000"},
		{"the repeated hour opens once", "Europe/London", "sun", "01:30", 10 * time.Minute, "2026-10-25 01:41 +0100", "2026-11-01 01:30", "2026-11-01 01:40"},
		{"New York, spring", "America/New_York", "sun", "02:30", 2 * hour, "2026-03-07 00:00", "2026-03-08 03:00", "2026-03-08 05:00"},
		{"New York, autumn", "America/New_York", "sun", "00:30", 2 * hour, "2026-10-31 00:00", "2026-11-01 00:30", "2026-11-01 01:30 -0500"},
		{"Lord Howe skips half an hour", "Australia/Lord_Howe", "sun", "02:15", hour, "2026-10-03 00:00", "2026-10-04 02:30", "2026-10-04 03:30"},
		{"Lord Howe repeats half an hour", "Australia/Lord_Howe", "sun", "01:45", hour, "2026-04-04 00:00", "2026-04-05 01:45 +1100", "2026-04-05 02:15 +1030"},
		{"Apia had no 30th of December", "Pacific/Apia", "fri", "22:00", 2 * hour, "2011-12-24 00:00", "2011-12-31 00:00", "2011-12-31 02:00"},
		{"Apia, across the skipped day", "Pacific/Apia", "thu", "22:00", 4 * hour, "2011-12-29 00:00", "2011-12-29 22:00", "2011-12-31 02:00"},
		{"UTC", "", "wed", "00:00", hour, "2026-03-29 00:00", "2026-04-01 00:00", "2026-04-01 01:00"},
		{"longer than a day", "Europe/London", "fri", "18:00", 60 * hour, "2026-06-02 00:00", "2026-06-05 18:00", "2026-06-08 06:00"},
		{"days that adjoin are one", "Europe/London", "mon-tue", "00:00", 24 * hour, "2026-06-05 00:00", "2026-06-08 00:00", "2026-06-10 00:00"},
		{"days that overlap are one", "UTC", "mon-wed", "12:00", 30 * hour, "2026-06-05 00:00", "2026-06-08 12:00", "2026-06-11 18:00"},
		{"2nd Tuesday", "Europe/London", "2nd tue", "20:00", hour, "2026-09-09 00:00", "2026-10-13 20:00", "2026-10-13 21:00"},
		{"1st Sunday, the 1st of the month", "Europe/London", "1st sun", "20:00", hour, "2026-10-30 00:00", "2026-11-01 20:00", "2026-11-01 21:00"},
		{"5th Friday: not each month has one", "Europe/London", "5th fri", "20:00", hour, "2026-02-01 00:00", "2026-05-29 20:00", "2026-05-29 21:00"},
		{"last Friday, the fourth", "Europe/London", "last fri", "20:00", hour, "2026-06-01 00:00", "2026-06-26 20:00", "2026-06-26 21:00"},
		{"last Friday, the fifth", "Europe/London", "last fri", "20:00", hour, "2026-07-01 00:00", "2026-07-31 20:00", "2026-07-31 21:00"},
		{"last day of a month, into the next", "Europe/London", "last sat", "22:00", 6 * hour, "2026-10-30 00:00", "2026-10-31 22:00", "2026-11-01 04:00"},
		{"last of February", "Europe/London", "last sun", "22:00", 6 * hour, "2028-02-01 00:00", "2028-02-27 22:00", "2028-02-28 04:00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := compile(t, windowOf(test.zone, schedule.Rule{Days: days(t, test.days), Start: test.start, Length: test.length}))
			wantOpening(t, c, on(t, test.zone, test.after), on(t, test.zone, test.opens), on(t, test.zone, test.closes))
		})
	}
}

// wantOpening looks at both edges, to the nanosecond.
func wantOpening(t *testing.T, c *schedule.Clock, after, opens, closes time.Time) {
	t.Helper()
	if got := c.At("w", after); got.Open || !got.Until.Equal(opens) {
		t.Fatalf("at %v it is %+v; it should open at %v", after, got, opens)
	}
	if got := c.At("w", opens.Add(-1)); got.Open || !got.Until.Equal(opens) {
		t.Errorf("just before it opens: %+v", got)
	}
	if got := c.At("w", opens); !got.Open || !got.Until.Equal(closes) {
		t.Errorf("open until %v; want %v", got.Until, closes)
	}
	if got := c.At("w", closes.Add(-1)); !got.Open {
		t.Errorf("just before it closes: %+v", got)
	}
	if got := c.At("w", closes); got.Open {
		t.Errorf("when it closes: %+v", got)
	}
	if got := c.Fits("w", opens, closes.Sub(opens)); !got.Open || !got.Until.Equal(opens) {
		t.Errorf("what takes all of it should fit: %+v", got)
	}
	if got := c.Fits("w", opens.Add(1), closes.Sub(opens)); got.Open {
		t.Errorf("what takes a nanosecond too long: %+v", got)
	}
}

// TestAnswersSayWhyAndUntil is one calendar with all that closes a window.
func TestAnswersSayWhyAndUntil(t *testing.T) {
	const zone = "Europe/London"
	c := compile(t, schedule.Calendar{
		Zone: zone,
		Windows: map[string]schedule.Window{
			"weekend": {Rules: []schedule.Rule{{Days: days(t, "sat"), Start: "22:00", Length: 6 * hour}}},
			"early":   {Rules: []schedule.Rule{{Days: days(t, "daily"), Start: "02:00", Length: 2 * hour}, {Days: days(t, "sun"), Start: "04:00", Length: 3 * hour}}},
			"empty":   {},
		},
		Freezes: []schedule.Freeze{
			{From: "2026-12-18", Through: "2027-01-04", Reason: "year-end"},
			{From: "2026-12-24", Through: "2026-12-26", Reason: "Christmas"},
			{From: "2027-01-04 12:00", Through: "2027-01-05 11:59", Reason: "stocktaking"},
			{From: "2026-06-07 01:00", Through: "2026-06-07 01:29", Reason: "failover test"},
		},
	})
	for _, test := range []struct {
		window, at string
		need       time.Duration
		open       bool
		frozen     bool
		until, why string
	}{
		{"weekend", "2026-06-01 10:00", 0, false, false, "2026-06-06 22:00", "window weekend"},
		{"weekend", "2026-06-06 22:00", 2 * hour, true, false, "2026-06-06 23:00", "window weekend"},
		{"weekend", "2026-06-06 23:00", 2 * hour, true, false, "2026-06-06 23:00", "window weekend"},
		{"weekend", "2026-06-06 23:30", 2 * hour, false, true, "2026-06-07 01:30", "freeze: failover test: 1h30m left, 2h needed"},
		{"weekend", "2026-06-07 01:10", 0, false, true, "2026-06-07 01:30", "freeze: failover test"},
		{"weekend", "2026-06-07 01:10", 3 * hour, false, true, "2026-06-13 22:00", "freeze: failover test"},
		{"weekend", "2026-06-07 03:00", 2 * hour, false, false, "2026-06-13 22:00", "window weekend: 1h left, 2h needed"},
		{"weekend", "2026-06-07 03:00:01", hour, false, false, "2026-06-13 22:00", "window weekend: 59m left, 1h needed"},
		{"weekend", "2026-06-07 03:59:48", hour, false, false, "2026-06-13 22:00", "window weekend: 12s left, 1h needed"},
		{"weekend", "2026-06-07 03:00", 9 * hour, false, false, "", "window weekend: 1h left, 9h needed"},
		{"weekend", "2026-06-10 03:00", 9 * hour, false, false, "", "window weekend: open for 6h at most, 9h needed"},
		{"weekend", "2026-12-12 22:00", 6 * hour, true, false, "2026-12-12 22:00", "window weekend"},
		{"weekend", "2026-12-17 22:00", 0, false, false, "2027-01-09 22:00", "window weekend"},
		{"weekend", "2026-12-19 23:00", 0, false, true, "2027-01-09 22:00", "freeze: year-end"},
		{"early", "2026-06-14 03:30", 3 * hour, true, false, "2026-06-14 04:00", "window early"},
		{"early", "2026-06-15 03:30", 3 * hour, false, false, "2026-06-21 02:00", "window early: 30m left, 3h needed"},
		{"empty", "2026-06-15 03:30", 0, false, false, "", "window empty: not open within 400 days"},
		{"nowhere", "2026-06-15 03:30", 0, false, false, "", "no window nowhere in the site"},
		{"any", "2026-06-15 03:30", 5 * hour, true, false, "2026-12-17 19:00", "no window"},
		{"", "2026-12-17 20:00", 5 * hour, false, true, "2027-01-05 12:00", "freeze: year-end: 4h left, 5h needed"},
		{"any", "2026-12-17 23:59:59", 0, true, false, "2026-12-18 00:00", "no window"},
		{"any", "2026-12-18 00:00", 0, false, true, "2027-01-05 12:00", "freeze: year-end"},
		{"any", "2026-12-25 00:00", 0, false, true, "2027-01-05 12:00", "freeze: year-end"},
		{"any", "2027-01-04 23:59:59", 0, false, true, "2027-01-05 12:00", "freeze: stocktaking"},
		{"any", "2027-01-05 12:00", 300 * 24 * hour, true, false, "", "no window"},
		{"any", "2027-01-05 12:00", 5000 * 24 * hour, true, false, "", "no window"},
	} {
		t.Run(test.window+" "+test.at, func(t *testing.T) {
			got := c.Fits(test.window, on(t, zone, test.at), test.need)
			want := schedule.Answer{Open: test.open, Frozen: test.frozen, Why: test.why}
			if test.until != "" {
				want.Until = on(t, zone, test.until).UTC()
			}
			if got != want {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestLongest(t *testing.T) {
	c := compile(t, schedule.Calendar{
		Windows: map[string]schedule.Window{
			"w":      {Rules: []schedule.Rule{{Days: days(t, "sat"), Start: "22:00", Length: 6 * hour}, {Days: days(t, "wed"), Start: "22:00", Length: 2 * hour}}},
			"always": {Rules: []schedule.Rule{{Days: days(t, "daily"), Start: "00:00", Length: 24 * hour}}},
			"once":   {Spans: []schedule.Span{{From: on(t, "UTC", "2026-07-01 00:00"), To: on(t, "UTC", "2026-07-01 09:00")}}},
		},
		Freezes: []schedule.Freeze{{From: "2020-01-01", Through: "2020-01-31", Reason: "x"}},
	})
	for _, test := range []struct {
		window, at string
		want       time.Duration
	}{
		{"w", "2026-06-01 00:00", 6 * hour},
		{"always", "2026-06-01 00:00", schedule.Horizon},
		{schedule.Any, "2026-06-01 00:00", schedule.Horizon},
		{schedule.Any, "2019-12-30 00:00", schedule.Horizon}, // after the freeze it does not end
		{"once", "2026-06-01 00:00", 9 * hour},
		{"once", "2026-07-01 07:00", 2 * hour},
		{"once", "2026-07-01 09:00", 0},
		{"once", "2025-05-27 00:00", 9 * hour}, // it begins at the horizon
		{"once", "2025-05-26 23:59", 0},
		{"nowhere", "2026-06-01 00:00", 0},
	} {
		if got := c.Longest(test.window, on(t, "UTC", test.at)); got != test.want {
			t.Errorf("%s at %s: %v, want %v", test.window, test.at, got, test.want)
		}
	}
}

func TestWhatNoCalendarMadeIsClosed(t *testing.T) {
	now := on(t, "UTC", "2026-06-01 00:00")
	for name, c := range map[string]*schedule.Clock{"nil": nil, "zero": {}} {
		if got := c.At(schedule.Any, now); got.Open || c.Longest(schedule.Any, now) != 0 || c.Zone() != time.UTC {
			t.Errorf("%s: %+v", name, got)
		}
	}
	zero := compile(t, schedule.Calendar{})
	if got := zero.At(schedule.Any, now); !got.Open {
		t.Errorf("any should be open in the calendar that says nothing: %+v", got)
	}
	if got := zero.At("weekend", now); got.Open {
		t.Errorf("no window should be open in it: %+v", got)
	}
}

func TestTimesFarAwayAreAnswered(t *testing.T) {
	c := compile(t, schedule.Calendar{
		Zone:    "America/New_York",
		Windows: map[string]schedule.Window{"w": {Rules: []schedule.Rule{{Days: days(t, "2nd tue"), Start: "22:00", Length: hour}}}},
		Freezes: []schedule.Freeze{{From: "0001-01-01", Through: "1500-01-01", Reason: "x"}, {From: "2030-01-01", Through: "9999-12-31", Reason: "closed down"}},
	})
	for _, at := range []time.Time{{}, time.Unix(1<<60, 0), time.Unix(-1<<60, 0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		c.Fits("w", at, hour) // must not panic or hang
		c.Fits(schedule.Any, at, 1<<62)
		c.Longest("w", at)
	}
	if got := c.At(schedule.Any, on(t, "UTC", "2031-01-01 00:00")); got.Open || !got.Until.IsZero() || got.Why != "freeze: closed down" {
		t.Errorf("%+v", got)
	}
}
