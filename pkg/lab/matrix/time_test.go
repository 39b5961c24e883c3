package matrix

import (
	"testing"
	"testing/synctest"
	"time"
)

// pass lets virtual time pass; only for use inside a bubble.
func pass(d time.Duration) { time.Sleep(d) }

// begin is when every play begins: a bubble's time begins in 2000, before any device was made.
func begin() { pass(time.Until(time.Date(2026, time.March, 2, 22, 0, 0, 0, time.UTC))) }

// inBubble gives a benchmark virtual time, which testing/synctest has for tests only.
func inBubble(run func()) {
	testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: "many", F: func(t *testing.T) { t.Helper(); synctest.Test(t, func(*testing.T) { run() }) },
	}})
}
