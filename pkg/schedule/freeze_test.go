package schedule_test

import (
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/schedule"
)

func TestFreezesInTheHoursThatTheClockChanges(t *testing.T) {
	const zone = "Europe/London"
	for _, test := range []struct{ name, from, through, begins, ends string }{
		{"a whole day of 23 hours", "2026-03-29", "2026-03-29", "2026-03-29 00:00", "2026-03-30 00:00"},
		{"a whole day of 25 hours", "2026-10-25", "2026-10-25", "2026-10-25 00:00", "2026-10-26 00:00"},
		{"from the first 01:30 through the second", "2026-10-25 01:30", "2026-10-25 01:30", "2026-10-25 01:30 +0100", "2026-10-25 01:31 +0000"},
		{"through the minute before the repeated hour", "2026-10-25 00:30", "2026-10-25 00:59", "2026-10-25 00:30 +0100", "2026-10-25 01:00 +0100"},
		{"through the last repeated minute", "2026-10-25 00:30", "2026-10-25 01:59", "2026-10-25 00:30 +0100", "2026-10-25 02:00 +0000"},
		{"from the skipped hour", "2026-03-29 01:15", "2026-03-29 03:29", "2026-03-29 02:00", "2026-03-29 03:30"},
		{"through the skipped hour", "2026-03-29 00:15", "2026-03-29 01:29", "2026-03-29 00:15", "2026-03-29 02:00"},
		{"a day and a minute", "2026-06-01", "2026-06-01 17:59", "2026-06-01 00:00", "2026-06-01 18:00"},
		{"a minute and its day", "2026-06-01 17:00", "2026-06-01", "2026-06-01 17:00", "2026-06-02 00:00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := compile(t, schedule.Calendar{Zone: zone, Freezes: []schedule.Freeze{{From: test.from, Through: test.through, Reason: "x"}}})
			begins, ends := on(t, zone, test.begins), on(t, zone, test.ends)
			if got := c.At(schedule.Any, begins.Add(-1)); !got.Open || !got.Until.Equal(begins) {
				t.Errorf("it begins at %v; want %v", got.Until, begins)
			}
			if got := c.At(schedule.Any, begins); got.Open || !got.Frozen || !got.Until.Equal(ends) {
				t.Errorf("it ends at %v; want %v", got.Until, ends)
			}
		})
	}
	t.Run("within the skipped hour", func(t *testing.T) {
		c := compile(t, schedule.Calendar{Zone: zone, Freezes: []schedule.Freeze{{From: "2026-03-29 01:10", Through: "2026-03-29 01:20", Reason: "x"}}})
		if got := c.At(schedule.Any, on(t, zone, "2026-03-28 12:00")); !got.Open || !got.Until.IsZero() {
			t.Errorf("a freeze that never is should freeze nothing: %+v", got)
		}
	})
}

func TestSpansAreAbsolute(t *testing.T) {
	at := func(text string) time.Time { return on(t, "UTC", text) }
	c := compile(t, schedule.Calendar{
		Zone: "Europe/London",
		Windows: map[string]schedule.Window{"w": {
			Spans: []schedule.Span{{From: at("2026-06-08 10:00"), To: at("2026-06-08 12:00")}, {From: at("2026-06-06 20:00"), To: at("2026-06-06 21:00")}},
			Rules: []schedule.Rule{{Days: days(t, "sat"), Start: "22:00", Length: hour}},
		}},
		Freezes: []schedule.Freeze{
			{Reason: "change freeze", Spans: []schedule.Span{{From: at("2026-06-08 11:00"), To: at("2026-06-08 11:30"), What: "audit"}}},
			{Spans: []schedule.Span{{From: at("2026-06-08 11:30"), To: at("2026-06-08 11:40")}}},
		},
	})
	// The span ends as the rule begins, 22:00 in London: they are one.
	wantOpening(t, c, at("2026-06-06 10:00"), at("2026-06-06 20:00"), at("2026-06-06 22:00"))
	wantOpening(t, c, at("2026-06-07 10:00"), at("2026-06-08 10:00"), at("2026-06-08 11:00"))
	for text, why := range map[string]string{"2026-06-08 11:00": "freeze: change freeze (audit)", "2026-06-08 11:30": "freeze"} {
		if got := c.At("w", at(text)); !got.Frozen || got.Why != why || !got.Until.Equal(at("2026-06-08 11:40")) {
			t.Errorf("at %s: %+v", text, got)
		}
	}
}
