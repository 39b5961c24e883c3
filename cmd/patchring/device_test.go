package main

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/rogpeppe/go-internal/testscript"
)

// What scripts ask the devices of a fleet: the simulator counts what was really done,
// whatever patchring says.

// deviceCommands are those of device*.txtar.
func deviceCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"did":     didCommand,
		"typed":   typedCommand,
		"runs":    runsCommand,
		"watch":   watchCommand,
		"never":   neverCommand,
		"advance": advanceCommand,
	}
}

func deviceOf(ts *testscript.TestScript, name string) *device.Device {
	d := hostOf(ts, name).Device()
	if d == nil {
		ts.Fatalf("%s is no device", name)
	}
	return d
}

// didCommand: `did HOST EFFECT N` asks how often a device really did something.
func didCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: did HOST EFFECT N")
	}
	count(ts, deviceOf(ts, args[0]).Done().Count(args[1]), args[2])
}

// typedCommand: `typed HOST REGEXP N` counts the lines that a device was given, and the
// answers among them.
func typedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: typed HOST REGEXP N")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	n := 0
	for _, line := range deviceOf(ts, args[0]).Done().Lines {
		if pattern.MatchString(line) {
			n++
		}
	}
	count(ts, n, args[2])
}

// runsCommand: `runs HOST VERSION` holds that every member of a device runs it.
func runsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: runs HOST VERSION")
	}
	for _, m := range deviceOf(ts, args[0]).Truth().Members {
		if got := m.Values["version"]; got != args[1] {
			ts.Fatalf("member %s of %s runs %s, not %s", m.ID, args[0], got, args[1])
		}
	}
}

// advanceCommand: `advance HOST DURATION` lets a device's time pass. Simulated restarts take
// moments, and a clock that is off by moments is no evidence of one: retries come later.
func advanceCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: advance HOST DURATION")
	}
	span, err := time.ParseDuration(args[1])
	ts.Check(err)
	deviceOf(ts, args[0]).Advance(span)
}

// watcher looks again and again at which devices of a fleet are down.
type watcher struct {
	mu   sync.Mutex
	seen [][]string // the sets that were seen, in order, none twice in a row
}

// watchCommand: `watch` looks from now on at which devices are down.
func watchCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: watch")
	}
	s, w := stageOf(ts), &watcher{}
	s.watcher = w
	done := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() { w.look(s.fleet, done) })
	ts.Defer(func() { close(done); looking.Wait() })
}

func (w *watcher) look(fleet *lab.Fleet, done <-chan struct{}) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		w.note(down(fleet))
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

// down are the devices of a fleet that nobody can log in to.
func down(fleet *lab.Fleet) []string {
	var all []string
	for _, name := range fleet.Names() {
		if d := fleet.Host(name).Device(); d != nil && d.Truth().Down {
			all = append(all, name)
		}
	}
	return all
}

func (w *watcher) note(now []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 || !slices.Equal(w.seen[len(w.seen)-1], now) {
		w.seen = append(w.seen, now)
	}
}

// neverCommand: `never HOST HOST…` holds that since `watch` no two of them were down at
// once, and that each was down at some time.
func neverCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := stageOf(ts).watcher
	if neg || len(args) < 2 || w == nil {
		ts.Fatalf("usage: never HOST HOST…, after watch")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	once := map[string]bool{}
	for _, set := range w.seen {
		both := slices.DeleteFunc(slices.Clone(set), func(name string) bool { return !slices.Contains(args, name) })
		if len(both) > 1 {
			ts.Fatalf("at once down: %s", strings.Join(both, ", "))
		}
		for _, name := range both {
			once[name] = true
		}
	}
	if len(once) != len(args) {
		ts.Fatalf("not each was ever down: %v", once)
	}
}

// brokenDevices are templates of device files that failed: a bug of the simulation.
func brokenDevices(fleet *lab.Fleet) []string {
	var all []string
	for _, name := range fleet.Names() {
		if d := fleet.Host(name).Device(); d != nil {
			all = append(all, d.Done().Broken...)
		}
	}
	return all
}
