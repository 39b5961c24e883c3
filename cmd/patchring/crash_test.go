package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestCrashMatrix kills the program at the first event of every kind, and at the first and
// the last of every step that has an effect, of a rollout that has a bit of everything: a
// soak, an approval, drains, hooks, silences, a reboot, a host that falls sick and is begun
// again. Then the same command is given again, until the end. What the fleet counted is
// what it counts without the kill.
func TestCrashMatrix(t *testing.T) {
	whole := newStory(t)
	seen := whole.play(t, moment{})
	want := whole.ending(t)
	for _, problem := range want.problems() {
		t.Error(problem)
	}
	if t.Failed() {
		t.FailNow()
	}
	var all sync.WaitGroup
	room := make(chan struct{}, crashesAtOnce)
	for _, cut := range moments(seen) {
		if cut.nth > 1 && testing.Short() {
			continue
		}
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			t.Run(cut.String(), func(t *testing.T) { crash(t, cut, want) })
		})
	}
	all.Wait()
}

// crashesAtOnce: the plays wait for each other's sleeps more than for a processor.
const crashesAtOnce = 16

func crash(t *testing.T, cut moment, want ending) {
	t.Helper()
	s := newStory(t)
	s.play(t, cut)
	if !s.killed {
		t.Logf("it came to its end without that event")
	}
	if got := s.ending(t); !reflect.DeepEqual(got, want) {
		t.Errorf("ended otherwise\ngot  %+v\nwant %+v", got, want)
	}
}

// moment is the nth event of a kind. The zero moment never comes.
type moment struct {
	kind string
	nth  int
	// during: not at the event, but once the fleet shows that the step has an effect.
	during bool
}

func (m moment) String() string {
	return fmt.Sprintf("%s#%d%s", m.kind, m.nth, map[bool]string{true: "_at_work"}[m.during])
}

// moments are the first of every kind, and of those steps that must not happen twice the
// middle, and the last.
func moments(seen map[string]int) []moment {
	var all []moment
	for _, kind := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, moment{kind: kind, nth: 1})
		how, step, ofHost := strings.Cut(strings.TrimPrefix(kind, "step_"), "_")
		if !ofHost || !effective(step) {
			continue
		}
		if how == "started" {
			all = append(all, moment{kind: kind, nth: 1, during: true})
		}
		if seen[kind] > 1 {
			all = append(all, moment{kind: kind, nth: seen[kind]})
		}
	}
	return all
}

func effective(step string) bool {
	switch step {
	case "begin", "before", "preflight", "stage", "verify", "check":
		return false
	}
	return true
}

// ending is what is left in the end: what patchring says, and what was really done.
type ending struct {
	Phase string
	Hosts []standing
	Calls map[string]int // of lab-count, on the load balancer and the hosts themselves
	Quiet []string       // hosts whose alerts are still silenced
}

type standing struct {
	Host, State  string
	Drained      bool
	Transactions []string
	Reboots      int
	Locked       bool
}

func (s *story) ending(t *testing.T) ending {
	t.Helper()
	var doc struct {
		Phase string
		Hosts []struct {
			Host, State string
			Drained     bool
		}
	}
	if err := json.Unmarshal(s.say(t, "status", s.id(t), "--json"), &doc); err != nil {
		t.Fatal(err)
	}
	end := ending{Phase: doc.Phase, Calls: map[string]int{}, Quiet: s.alerts.left()}
	for _, h := range doc.Hosts {
		host := s.fleet.Host(strings.TrimPrefix(h.Host, "default/"))
		effects := host.Effects()
		got := standing{Host: h.Host, State: h.State, Drained: h.Drained, Reboots: effects.Reboots}
		for _, done := range effects.Transactions {
			got.Transactions = append(got.Transactions, done.Package+" "+done.To)
		}
		got.Locked = host.Exec(t.Context(), io.Discard, io.Discard, "/usr/bin/test", "-e", "/var/lib/patchring/lock") == 0
		end.Hosts = append(end.Hosts, got)
	}
	slices.SortFunc(end.Hosts, func(a, b standing) int { return cmp.Compare(a.Host, b.Host) })
	for _, name := range s.fleet.Names() {
		for call, n := range s.fleet.Host(name).Effects().Counts {
			end.Calls[name+": "+call] = n
		}
	}
	return end
}

// problems are what is wrong with an ending by itself, whatever it is compared with.
func (e ending) problems() []string {
	var all []string
	restarts := 0
	for _, h := range e.Hosts {
		restarts += h.Reboots
		slices.Sort(h.Transactions)
		switch {
		case h.State != "healthy", h.Drained, h.Locked:
			all = append(all, fmt.Sprintf("%s was not brought to its end: %+v", h.Host, h))
		case len(slices.Compact(h.Transactions)) != len(h.Transactions), h.Reboots > 1:
			all = append(all, fmt.Sprintf("%s was patched twice: %+v", h.Host, h))
		}
	}
	if len(e.Quiet) > 0 {
		all = append(all, fmt.Sprintf("alerts are still quiet: %v", e.Quiet))
	}
	if len(e.Hosts) != 4 || len(e.Calls) == 0 || restarts != 2 {
		all = append(all, fmt.Sprintf("that was not the story: %+v", e))
	}
	for call, n := range e.Calls {
		// The host that fell sick was begun twice, and put back once.
		twice := strings.HasSuffix(call, "drain p2") || strings.HasSuffix(call, "backup p2")
		if n != 1 && !(n == 2 && twice) {
			all = append(all, fmt.Sprintf("%s: %d times", call, n))
		}
	}
	slices.Sort(all)
	return all
}
