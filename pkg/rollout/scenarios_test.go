package rollout

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
)

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
