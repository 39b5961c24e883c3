package schedule_test

import (
	"fmt"
	"testing"

	"github.com/patchring/patchring/pkg/schedule"
)

func TestParseDay(t *testing.T) {
	for text, want := range map[string]string{
		"sat": "[sat]", "Saturday": "[sat]", "SUN": "[sun]",
		"2nd tue": "[2nd tue]", " 2nd  Tuesday ": "[2nd tue]", "second tue": "[2nd tue]",
		"last fri": "[last fri]", "1st sunday": "[1st sun]", "5th mon": "[5th mon]",
		"mon-fri": "[mon tue wed thu fri]", "fri-mon": "[fri sat sun mon]", "sat-sat": "[sat]",
		"weekday": "[mon tue wed thu fri]", "weekdays": "[mon tue wed thu fri]", "weekend": "[sat sun]",
		"daily": "[mon tue wed thu fri sat sun]",
	} {
		if got, err := schedule.ParseDay(text); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "sa", "6th mon", "0th mon", "2 tue", "2ndtue", "mon-", "-mon", "mon-xyz", "last", "last daily", "2nd mon-fri", "mon tue wed", "someday"} {
		if got, err := schedule.ParseDay(text); err == nil {
			t.Errorf("%q is no day, and became %v", text, got)
		}
	}
}

func FuzzParseDay(f *testing.F) {
	for _, seed := range []string{"sat", "2nd tue", "last fri", "fri-mon", "daily", "last\tSunday"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		days, err := schedule.ParseDay(text)
		if err != nil {
			return
		}
		if len(days) == 0 || len(days) > 7 {
			t.Fatalf("%d days", len(days))
		}
		for _, d := range days {
			if again, err := schedule.ParseDay(d.String()); err != nil || len(again) != 1 || again[0] != d {
				t.Errorf("%v became %v, %v", d, again, err)
			}
		}
	})
}
