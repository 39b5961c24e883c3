package device

import (
	"testing"
	"time"
)

func TestUptime(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"1 year, 2 weeks, 3 days, 4 hours, 5 minutes": (365+14+3)*day + 4*time.Hour + 5*time.Minute,
		"12 weeks, 4 days":                            88 * day,
		"up 2 days, 3:04":                             2*day + 3*time.Hour + 4*time.Minute,
		"1d2h3m":                                      day + 2*time.Hour + 3*time.Minute,
		"3 days 04:05:06":                             3*day + 4*time.Hour + 5*time.Minute + 6*time.Second,
		"2w1d 22:02":                                  15*day + 22*time.Hour + 2*time.Minute,
		"1w2d03:04:05":                                9*day + 3*time.Hour + 4*time.Minute + 5*time.Second,
		"3:04:05:06":                                  3*day + 4*time.Hour + 5*time.Minute + 6*time.Second,
		"0 weeks, 1 day, 2 hours, 3 minutes":          day + 2*time.Hour + 3*time.Minute,
		"5 hours and 2 minutes":                       5*time.Hour + 2*time.Minute,
		"123456 seconds":                              123456 * time.Second,
		"0 minutes":                                   0,
		"45 days, 6:07:08.90":                         45*day + 6*time.Hour + 7*time.Minute + 8*time.Second,
		"1 hr 2 mins 3 secs":                          time.Hour + 2*time.Minute + 3*time.Second,
		"10 min":                                      10 * time.Minute,
	} {
		if got, ok := uptime(text); !ok || got != want {
			t.Errorf("%q: %v, %v, not %v", text, got, ok, want)
		}
	}
}

func TestUptimeRefuses(t *testing.T) {
	for _, text := range []string{
		"", "up", "5", "3 months", "2 days, 3:04, 2 users", "1 day 2 days", "3:99", "1:25:00:00", "-1 day", "99999999 years",
		"9999999999 weeks 1 day", "1 day, soon", "yesterday", "1:2:3",
	} {
		if got, ok := uptime(text); ok {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestAbsolute(t *testing.T) {
	want := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for text, zoned := range map[string]bool{
		"2026-02-03 04:05:06 UTC": true, "2026-02-03T04:05:06Z": true, "2026-02-03 05:05:06 +0100": true,
		"Tue Feb  3 04:05:06 2026": false, "04:05:06 UTC Tue Feb 3 2026": true, "*04:05:06.123 UTC Tue Feb 3 2026": true,
		"2026/02/03 04:05:06": false, "Feb 3 2026 04:05:06": false, "Tue Feb 3 04:05:06 CET 2026": false,
	} {
		at, known, ok := absolute(text)
		if !ok || known != zoned || zoned && !at.Truncate(time.Second).Equal(want) {
			t.Errorf("%q: %v, zone known: %v, %v", text, at, known, ok)
		}
	}
	for _, text := range []string{"", "now", "0001-01-01 00:00:00", "2026-13-01 00:00:00 UTC", "1970-01-01 00:00:00 UTC"} {
		if at, _, ok := absolute(text); ok {
			t.Errorf("%q was read as %v", text, at)
		}
	}
}

func TestBootOf(t *testing.T) {
	seen := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		as, value, now string
		want           time.Duration // before seen
		ok             bool
	}{
		{"uptime", "2 hours", "", 2 * time.Hour, true},
		{"absolute", "2026-03-01 11:00:00 UTC", "", time.Hour, true},
		{"absolute", "2026-03-01 11:00:00 CST", "", 0, false},                                   // whose CST?
		{"absolute", "2020-01-01 11:00:00 CST", "2020-01-01 14:00:00 CST", 3 * time.Hour, true}, // the device's clock is wrong, the distance is not
		{"absolute", "2020-01-01 11:00:00", "2020-01-01 10:00:00", 0, false},                    // booted after now
		{"absolute", "2031-01-01 11:00:00 UTC", "", 0, false},                                   // booted in the future
		{"uptime", "soon", "", 0, false},
	} {
		at, ok := bootOf(c.as, c.value, c.now, seen)
		if ok != c.ok || ok && seen.Sub(at) != c.want {
			t.Errorf("%+v: %v, %v", c, at, ok)
		}
	}
}

func FuzzUptime(f *testing.F) {
	for _, text := range []string{"1 year, 2 weeks", "up 2 days, 3:04", "2w1d 22:02", "2026-02-03 04:05:06 UTC"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, ok := uptime(text); ok && (d < 0 || d > longest) {
			t.Errorf("%q: %v", text, d)
		}
		if at, _, ok := absolute(text); ok && at.Year() < 1990 {
			t.Errorf("%q: %v", text, at)
		}
	})
}
