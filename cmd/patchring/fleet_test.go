package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// What scripts ask the fleet, or do to it, beyond its packages.

// rolloutCommand: `rollout VARIABLE [STATE]` sets a variable to the newest rollout's id.
func rolloutCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: rollout VARIABLE [STATE]")
	}
	state := ".patchring"
	if len(args) == 2 {
		state = args[1]
	}
	entries, err := os.ReadDir(ts.MkAbs(filepath.Join(state, "rollouts")))
	ts.Check(err)
	newest, id := os.FileInfo(nil), ""
	for _, entry := range entries {
		info, err := entry.Info()
		ts.Check(err)
		if entry.IsDir() && (newest == nil || info.ModTime().After(newest.ModTime())) {
			newest, id = info, entry.Name()
		}
	}
	if id == "" {
		ts.Fatalf("there is no rollout in %s", state)
	}
	ts.Setenv(args[0], id)
}

// countedCommand: `counted HOST N WORDS` asks how often lab-count was called on a host
// with these words, the last of them being whom it was called for.
func countedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: counted HOST N WORD…")
	}
	count(ts, hostOf(ts, args[0]).Effects().Counts[strings.Join(args[2:], " ")], args[1])
}

// apartCommand: `apart HOST HOST` holds that two hosts were never worked on at once.
func apartCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: apart HOST HOST")
	}
	a, b := hostOf(ts, args[0]).Effects().Out(), hostOf(ts, args[1]).Effects().Out()
	if a.From.IsZero() || b.From.IsZero() {
		ts.Fatalf("one of them was never worked on: %v, %v", a, b)
	}
	if a.Overlaps(b) {
		ts.Fatalf("both were out at once: %s %v, %s %v", args[0], a, args[1], b)
	}
}

// afterCommand: `after HOST HOST` holds that the first was worked on only when the
// second was done.
func afterCommand(ts *testscript.TestScript, neg bool, args []string) {
	apartCommand(ts, neg, args)
	a, b := hostOf(ts, args[0]).Effects().Out(), hostOf(ts, args[1]).Effects().Out()
	if a.From.Before(b.From) {
		ts.Fatalf("%s came before %s", args[0], args[1])
	}
}

// portCommand: `port open|closed HOST` opens or closes a host's SSH port.
func portCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || args[0] != "open" && args[0] != "closed" {
		ts.Fatalf("usage: port open|closed HOST")
	}
	ts.Check(hostOf(ts, args[1]).Refuse(args[0] == "closed"))
}
