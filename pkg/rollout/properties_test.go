package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
)

// TestRules: over random fleets, outcomes, crashes and words, in virtual time, no
// rule is ever broken, and every rollout comes to an end or waits for a named thing.
func TestRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		if _, err := s.run(sound()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDeterministic: the same scenario gives the same events, and folding them again
// gives the same status.
func TestDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		a, errA := s.run(sound())
		b, errB := s.run(sound())
		if errA != nil || errB != nil || !slices.EqualFunc(a.events, b.events, sameEvent) {
			t.Fatalf("two runs differ: %v, %v", errA, errB)
		}
		again := &State{}
		for _, e := range a.events {
			if err := again.Fold(e); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := fmt.Sprintf("%+v", again.Status()), fmt.Sprintf("%+v", a.state.Status()); got != want {
			t.Fatalf("folded again: %s\nwant %s", got, want)
		}
	})
}

func sameEvent(a, b Event) bool {
	_, x, _ := Marshal(a.Entry)
	_, y, _ := Marshal(b.Entry)
	return a.Seq == b.Seq && a.Time.Equal(b.Time) && a.Entry.Kind() == b.Entry.Kind() && string(x) == string(y)
}

// TestCrashEverywhere cuts one rollout at every event, with the work of the tasks done
// and not done: every host ends as in the uncut run, and nothing happens twice.
func TestCrashEverywhere(t *testing.T) {
	for seed := range 30 {
		s := scenarios().Example(seed)
		s.Crashes, s.Words, s.StopAt = nil, nil, 0
		whole, err := s.run(sound())
		if err != nil {
			t.Fatalf("seed %d, uncut: %v", seed, err)
		}
		for at := 1; at <= len(whole.events); at++ {
			for _, done := range []bool{true, false} {
				s.Crashes = map[uint64]bool{uint64(at): done}
				cut, err := s.run(sound())
				if err != nil {
					t.Fatalf("seed %d, cut behind event %d (%s), done %v: %v", seed, at, whole.events[at-1].Entry.Kind(), done, err)
				}
				sameEnd(t, whole, cut, fmt.Sprintf("seed %d, cut behind event %d, done %v", seed, at, done))
			}
		}
	}
}

// sameEnd: a halted rollout may have begun other hosts when the timing changed; each
// host that both runs began must have come to the same end.
func sameEnd(t *testing.T, whole, cut *world, where string) {
	t.Helper()
	if whole.phase == PhaseFinished && cut.phase != PhaseFinished {
		t.Fatalf("%s: %s, and uncut it finished", where, cut.phase)
	}
	for _, id := range slices.SortedFunc(maps.Keys(whole.truth), fact.HostID.Compare) {
		a, b := whole.truth[id], cut.truth[id]
		if a.begun && b.begun && a.final != b.final {
			t.Fatalf("%s: %s is %s, and uncut %s", where, id, b.final, a.final)
		}
		if whole.phase == PhaseFinished && a.begun != b.begun {
			t.Fatalf("%s: %s begun %v, and uncut %v", where, id, b.begun, a.begun)
		}
	}
}

// TestMutations: for each rule a deliberately broken policy is caught; else the
// properties would prove nothing.
func TestMutations(t *testing.T) {
	tests := []struct {
		rule   string
		mutate func(*policy)
	}{
		{"rule 1: the gate is always open", func(p *policy) {
			p.gate = func(*State, *ring) verdict { return verdict{state: GateOpen} }
		}},
		{"rule 1: touched-then-unknown counts as healthy", func(p *policy) {
			p.gate = func(s *State, r *ring) verdict {
				if v := s.judge(r); v.state != GateInconclusive {
					return v
				}
				return verdict{state: GateOpen}
			}
		}},
		{"rule 3: the failure limit does not stop", func(p *policy) {
			p.tripped = func(*ring) bool { return false }
			p.room = func(r *ring) int { return max(0, 1-r.by[HostWorking]) }
		}},
		{"rule 3: one failure too many", func(p *policy) {
			p.tripped = func(r *ring) bool { return r.failures() > r.FailureLimit+1 }
			p.room = func(r *ring) int { return max(0, 1-r.by[HostWorking]) }
		}},
		{"rule 3: hosts in flight are not held to the allowance", func(p *policy) {
			p.room = func(r *ring) int { return max(0, max(1, r.MaxInFlight)-r.by[HostWorking]) }
		}},
		{"rule 4: begun again after a crash", func(p *policy) {
			p.mode = func(*host) Mode { return Start }
		}},
		{"rule 5: sick hosts prove too", func(p *policy) { p.freeze = freezeAll }},
		{"rule 5: a later ring works without its set", func(p *policy) {
			p.set = func(*ring) patch.Digest { return "" }
		}},
		{"rule 5: what is proven gets lost", func(p *policy) {
			p.freeze = func(*State, *ring) patch.PatchSet { return plan.Freeze(nil) }
		}},
		{"batches: all at once", func(p *policy) {
			p.next = func(r *ring, hosts []*host, room int) []int {
				whole := *r
				whole.Batches = nil
				return whole.next(hosts, room)
			}
		}},
		{"rule 6: hosts at work are left when the rollout stops", func(p *policy) {
			p.carryOn = func(s *State) bool { return s.phase == PhaseOpen }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			p := sound()
			tt.mutate(&p)
			rule, _, _ := strings.Cut(tt.rule, ":")
			for seed := range 3000 {
				if _, err := scenarios().Example(seed).run(p); err != nil && strings.HasPrefix(err.Error(), rule) {
					t.Logf("caught at seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("nobody noticed that %s is broken", rule)
		})
	}
}

// freezeAll takes in what was seen installed anywhere.
func freezeAll(s *State, r *ring) patch.PatchSet {
	var proven []patch.Proven
	for _, before := range s.rings[:r.at] {
		for _, at := range before.all {
			proven = append(proven, s.hosts[at].Proven...)
		}
	}
	return plan.Freeze(proven)
}

// scenarios draws fleets of up to three rings, mostly well, with everything that may
// go wrong somewhere.
func scenarios() *rapid.Generator[scenario] {
	return rapid.Custom(func(t *rapid.T) scenario {
		s := scenario{
			Plan:    &plan.Plan{Version: plan.Version, Playbook: "monthly", Site: "hq", Rings: []plan.Ring{}, Hosts: []plan.Host{}},
			Scripts: map[fact.HostID]script{}, Crashes: map[uint64]bool{}, Words: map[uint64]Entry{},
		}
		for i, name := range []string{"test", "pilot", "production"}[:rapid.IntRange(1, 3).Draw(t, "rings")] {
			s.drawRing(t, i, name)
		}
		slices.SortFunc(s.Plan.Hosts, func(a, b plan.Host) int { return a.ID.Compare(b.ID) })
		for range rapid.IntRange(0, 2).Draw(t, "crashes") {
			s.Crashes[rapid.Uint64Range(1, 80).Draw(t, "crash")] = rapid.Bool().Draw(t, "done")
		}
		if rapid.IntRange(0, 3).Draw(t, "word") == 0 {
			word := rapid.SampledFrom([]Entry{Paused{Reason: "lunch"}, Aborted{Reason: "wrong month"}}).Draw(t, "said")
			s.Words[rapid.Uint64Range(1, 60).Draw(t, "said at")] = word
		}
		if rapid.IntRange(0, 4).Draw(t, "stop") == 0 {
			s.StopAt = rapid.Uint64Range(1, 60).Draw(t, "stop at")
		}
		return s
	})
}

func (s *scenario) drawRing(t *rapid.T, i int, name string) {
	n := rapid.IntRange(0, 6).Draw(t, "hosts")
	if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
		n = rapid.IntRange(20, 25).Draw(t, "many hosts") // large enough for 95 % to mean something
	}
	r := plan.Ring{
		Name: name, Hosts: []fact.HostID{}, MaxInFlight: rapid.IntRange(0, 4).Draw(t, "max in flight"),
		FailureLimit: rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, "limit"),
	}
	active := 0
	for j := range n {
		h := plan.Host{ID: fact.HostID{Site: "hq", Name: fmt.Sprintf("%d%s-%02d", i, name, j)}, Ring: name, Platform: "debian", Domain: "debian 12"}
		s.drawHost(t, &h)
		if h.Problem == nil && len(h.Install) > 0 {
			active++
		}
		r.Hosts = append(r.Hosts, h.ID)
		s.Plan.Hosts = append(s.Plan.Hosts, h)
	}
	sizes := rapid.SampledFrom([][]playbook.Size{nil, {{N: 1}}, {{N: 1}, {N: 50, Percent: true}}, {{N: 2}, {N: 3}}}).Draw(t, "batches")
	r.Batches = plan.Batches(active, sizes)
	s.Plan.Rings = append(s.Plan.Rings, r)
}

func (s *scenario) drawHost(t *rapid.T, h *plan.Host) {
	switch rapid.IntRange(0, 19).Draw(t, "kind") {
	case 0:
		h.Problem = &plan.Problem{Code: "unreachable", What: "no answer"}
		return
	case 1, 2:
		return // nothing to do
	case 3:
		h.Domain = "debian 13"
	}
	for _, name := range []string{"bash", "libssl3", "nginx"}[:rapid.IntRange(1, 3).Draw(t, "updates")] {
		to := rapid.SampledFrom([]string{"2", "2", "2", "3"}).Draw(t, "to")
		h.Install = append(h.Install, patch.Update{Name: name, Arch: "amd64", From: "1", To: to, Security: patch.Yes})
	}
	s.Scripts[h.ID] = drawScript(t)
}

func drawScript(t *rapid.T) script {
	s := script{Ends: map[platform.StepID]Outcome{}, Check: health.Pass, Takes: map[platform.StepID]int{}}
	steps := []platform.StepID{FlowBegin, FlowBefore, "preflight", "install", "reboot", FlowVerify, FlowCheck, FlowEnd}
	if rapid.IntRange(0, 3).Draw(t, "trouble") == 0 {
		step := rapid.SampledFrom(steps).Draw(t, "where")
		s.Ends[step] = rapid.SampledFrom([]Outcome{OutcomeUnknown, OutcomeFailed, OutcomeFailed, OutcomeUnreachable}).Draw(t, "what")
	}
	if rapid.IntRange(0, 7).Draw(t, "sick") == 0 {
		s.Check = rapid.SampledFrom([]health.Verdict{health.Unknown, health.Fail}).Draw(t, "verdict")
	}
	for _, step := range steps {
		s.Takes[step] = rapid.IntRange(1, 9).Draw(t, "minutes")
	}
	return s
}

// BenchmarkFold folds the journal of 10,000 hosts; it must stay under a second.
func BenchmarkFold(b *testing.B) {
	events := history(b, 10_000)
	b.ReportMetric(float64(len(events)), "events")
	for b.Loop() {
		s := &State{}
		for _, e := range events {
			if err := s.Fold(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkDecide is one whole rollout: it must grow with the hosts, not with their square.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				history(b, n)
			}
		})
	}
}

func history(tb testing.TB, n int) []Event {
	tb.Helper()
	s := scenario{Plan: &plan.Plan{Version: plan.Version, Playbook: "monthly", Site: "hq"}}
	u := []patch.Update{{Name: "bash", Arch: "amd64", From: "1", To: "2", Security: patch.Yes}}
	s.Scripts = map[fact.HostID]script{}
	for i, name := range []string{"test", "production"} {
		r := plan.Ring{Name: name, MaxInFlight: 200, FailureLimit: n}
		for j := range n / 2 {
			h := plan.Host{ID: fact.HostID{Site: "hq", Name: fmt.Sprintf("%d%05d", i, j)}, Ring: name, Platform: "debian", Domain: "debian 12", Install: u}
			r.Hosts = append(r.Hosts, h.ID)
			s.Plan.Hosts = append(s.Plan.Hosts, h)
			s.Scripts[h.ID] = script{Check: health.Pass}
		}
		s.Plan.Rings = append(s.Plan.Rings, r)
	}
	return s.plain(tb)
}

// plain runs a scenario without checking rules, which cost more than the rollout.
func (s scenario) plain(tb testing.TB) []Event {
	tb.Helper()
	w := s.start(sound())
	var events []Event
	add := func(e Entry) {
		event := Event{Seq: uint64(len(events)) + 1, Time: time.Unix(int64(len(events)), 0), Entry: e}
		events = append(events, event)
		if err := w.state.Fold(event); err != nil {
			tb.Fatal(err)
		}
	}
	add(Open("id", s.Plan, ""))
	for {
		d := w.state.Decide(Moment{})
		if len(d.Record)+len(d.Do) == 0 {
			return events
		}
		for _, e := range d.Record {
			add(e)
		}
		for _, t := range d.Do {
			add(StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode})
		}
		for _, t := range d.Do {
			add(w.outcome(t))
		}
	}
}
