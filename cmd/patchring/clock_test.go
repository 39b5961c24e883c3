package main

import (
	"fmt"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// clockOf gives the clock of a test's program, nil for the machine's own. A mistake in
// what a test says is its own, and loud.
func clockOf(now, fast string) func() time.Time {
	switch {
	case now != "":
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			panic(err)
		}
		began := time.Now()
		return func() time.Time { return at.Add(time.Since(began)) }
	case fast != "":
		var since, speed int64
		if _, err := fmt.Sscanf(fast, "%ds%d", &since, &speed); err != nil {
			panic(err)
		}
		origin := time.Unix(since, 0)
		return func() time.Time { return origin.Add(time.Since(origin) * time.Duration(speed)) }
	}
	return nil
}

// clockCommand: `clock N` lets the clocks of all programs that a script starts run N times
// as fast from now on. Who waits reads the clock every few seconds.
func clockCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: clock N")
	}
	ts.Setenv(testClock, fmt.Sprintf("%ds%s", time.Now().Unix(), args[0]))
}

// fillCommand: `fill FILE…` puts the script's variables into files.
func fillCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: fill FILE…")
	}
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}
