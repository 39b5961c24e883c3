package schedule_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/schedule"
)

func TestCompileNamesTheMistakeAndWhatToWrite(t *testing.T) {
	now := on(t, "UTC", "2026-06-01 00:00")
	rule := func(change func(*schedule.Rule)) schedule.Calendar {
		r := schedule.Rule{Days: days(t, "sat"), Start: "22:00", Length: hour}
		change(&r)
		return windowOf("UTC", r)
	}
	freeze := func(f schedule.Freeze) schedule.Calendar {
		f.Reason = "year-end"
		return schedule.Calendar{Freezes: []schedule.Freeze{f}}
	}
	backwards := []schedule.Span{{From: now, To: now}}
	for what, cal := range map[string]schedule.Calendar{
		`time zone "Mars/Olympus" is not known`: {Zone: "Mars/Olympus"},
		`time zone "Local" is not known`:        {Zone: "Local"},
		`time zone "../etc/passwd"`:             {Zone: "../etc/passwd"},
		`can't be called "any"`:                 {Windows: map[string]schedule.Window{"any": {}}},
		`can't be called ""`:                    {Windows: map[string]schedule.Window{"": {}}},
		`window "w", rule 1: start "25:00"`:     rule(func(r *schedule.Rule) { r.Start = "25:00" }),
		`start "9:00" is no time of day`:        rule(func(r *schedule.Rule) { r.Start = "9:00" }),
		`start "24:00"`:                         rule(func(r *schedule.Rule) { r.Start = "24:00" }),
		`start ""`:                              rule(func(r *schedule.Rule) { r.Start = "" }),
		`length 0s`:                             rule(func(r *schedule.Rule) { r.Length = 0 }),
		`length -1h0m0s`:                        rule(func(r *schedule.Rule) { r.Length = -hour }),
		`length 168h0m0.000000001s`:             rule(func(r *schedule.Rule) { r.Length = 168*hour + 1 }),
		`it names no days`:                      rule(func(r *schedule.Rule) { r.Days = nil }),
		`no day (weekday 7, nth 0)`:             rule(func(r *schedule.Rule) { r.Days[0].Weekday = 7 }),
		`no day (weekday 6, nth -2)`:            rule(func(r *schedule.Rule) { r.Days[0].Nth = -2 }),
		`no day (weekday 6, nth 6)`:             rule(func(r *schedule.Rule) { r.Days[0].Nth = 6 }),
		`window "w", span 1: it ends`:           {Windows: map[string]schedule.Window{"w": {Spans: backwards}}},
		`from "" is no date`:                    freeze(schedule.Freeze{}),
		`freeze 1 (year-end): from "18.12."`:    freeze(schedule.Freeze{From: "18.12.", Through: "2026-12-19"}),
		`through "" is no date`:                 freeze(schedule.Freeze{From: "2026-12-18"}),
		`through "2026-02-30"`:                  freeze(schedule.Freeze{From: "2026-02-18", Through: "2026-02-30"}),
		`through "2026-02-20 7:00"`:             freeze(schedule.Freeze{From: "2026-02-18", Through: "2026-02-20 7:00"}),
		`it ends (2026-12-17) before it begins`: freeze(schedule.Freeze{From: "2026-12-18", Through: "2026-12-17"}),
		`it ends (2026-12-18 08:00) before`:     freeze(schedule.Freeze{From: "2026-12-18 09:00", Through: "2026-12-18 08:00"}),
		`both dates and spans`:                  freeze(schedule.Freeze{From: "2026-12-18", Spans: []schedule.Span{{From: now, To: now.Add(1)}}}),
		`(year-end): span 1: it ends`:           freeze(schedule.Freeze{Spans: backwards}),
	} {
		t.Run(what, func(t *testing.T) {
			_, err := schedule.Compile(cal)
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Fatalf("got %v", err)
			}
			if fault.CodeOf(err) != fault.Usage || fault.HintOf(err) == "" {
				t.Errorf("code %q, hint %q", fault.CodeOf(err), fault.HintOf(err))
			}
		})
	}
}

// TestAPlanKeepsItsCalendar: what was written to a plan means the same when it is read.
func TestAPlanKeepsItsCalendar(t *testing.T) {
	cal := windowOf("Europe/London", schedule.Rule{Days: days(t, "2nd tue", "last fri"), Start: "22:00", Length: hour})
	cal.Freezes = []schedule.Freeze{{From: "2026-10-13", Through: "2026-10-13", Reason: "audit"}}
	text, err := json.Marshal(cal)
	if err != nil {
		t.Fatal(err)
	}
	var again schedule.Calendar
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	now := on(t, "UTC", "2026-10-01 00:00")
	if a, b := compile(t, cal).At("w", now), compile(t, again).At("w", now); a != b {
		t.Errorf("%+v became %+v", a, b)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("Europe/London", "22:00", int64(6*hour), 6, 0, "2026-12-18", "2027-01-04", "year-end", int64(1_780_000_000))
	f.Add("Australia/Lord_Howe", "02:15", int64(168*hour), 2, 2, "2026-12-18 18:00", "2026-12-18 18:00", "", int64(-1))
	f.Add("", "00:00", int64(1), 0, -1, "9999-12-31", "9999-12-31 23:59", "\x00", int64(1<<40))
	f.Fuzz(func(t *testing.T, zone, start string, length int64, weekday, nth int, from, through, reason string, at int64) {
		cal := windowOf(zone, schedule.Rule{
			Days: []schedule.Day{{Weekday: time.Weekday(weekday), Nth: nth}}, Start: start, Length: time.Duration(length),
		})
		cal.Freezes = []schedule.Freeze{{From: from, Through: through, Reason: reason}}
		c, err := schedule.Compile(cal)
		if err != nil {
			if fault.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
			return
		}
		now := time.Unix(at%8_000_000_000, 0) // further away nothing is foreseen
		for _, need := range []time.Duration{0, time.Duration(length), time.Duration(length / 2)} {
			wantCoherent(t, c, "w", now, need)
			wantCoherent(t, c, schedule.Any, now, need)
		}
	})
}

// wantCoherent holds an answer to those that follow from it.
func wantCoherent(t interface{ Errorf(string, ...any) }, c *schedule.Clock, window string, now time.Time, need time.Duration) {
	got := c.Fits(window, now, need)
	fits := got.Open || !got.Until.IsZero()
	if longest := c.Longest(window, now); need > 0 && need <= schedule.Horizon && fits != (longest >= need) {
		t.Errorf("longest is %v, need %v, and it says %+v", longest, need, got)
	}
	if got.Why == "" || strings.ContainsAny(got.Why, "\n\x00\x1b") {
		t.Errorf("why %q", got.Why)
	}
	if got.Until.IsZero() {
		return
	}
	if got.Until.Before(now) || got.Until.Sub(now) > schedule.Horizon {
		t.Errorf("at %v until %v", now, got.Until)
	}
	if next := c.Fits(window, got.Until, need); !next.Open && (!got.Open || need > 0) {
		t.Errorf("it says %+v, and then %+v", got, next)
	}
	if just := c.Fits(window, got.Until.Add(-1), need); !got.Open && just.Open {
		t.Errorf("it says %+v, and just before then %+v", got, just)
	}
	if past := c.Fits(window, got.Until.Add(1), need); got.Open && past.Open && past.Until.Equal(got.Until) {
		t.Errorf("it says %+v, and just after that %+v", got, past)
	}
}
