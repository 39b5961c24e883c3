package schedule_test

import (
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/schedule"
)

func TestSay(t *testing.T) {
	c := compile(t, schedule.Calendar{Zone: "Europe/London"})
	now := on(t, "Europe/London", "2027-01-02 10:00") // a Saturday
	for at, want := range map[string]string{
		"2027-01-02 22:00": "Sat 22:00 Europe/London",
		"2027-01-03 04:00": "Sun 04:00 Europe/London",
		"2027-01-08 22:00": "Fri 22:00 Europe/London",
		"2027-01-09 09:00": "Sat 2027-01-09 09:00 Europe/London", // "Sat" alone would be today
		"2027-01-09 22:00": "Sat 2027-01-09 22:00 Europe/London",
		"2026-12-30 22:00": "Wed 22:00 Europe/London",
		"2026-07-01 22:00": "Wed 2026-07-01 22:00 Europe/London",
	} {
		if got := c.Say(on(t, "Europe/London", at).UTC(), now.UTC()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := c.Say(time.Time{}, now); got != "not within 400 days" {
		t.Errorf("a time that is not foreseen: %q", got)
	}
	if got := compile(t, schedule.Calendar{}).Say(now, now); got != "Sat 10:00 UTC" {
		t.Errorf("got %q", got)
	}
}
