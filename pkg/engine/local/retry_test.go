package local

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

func diffed(p *plan.Plan) *plan.Plan {
	p.Hosts[0].Checks = []health.Check{{DefaultDiff: true, Within: 1}}
	return p
}

// retry is what the journal makes of a host that is begun again.
func (r *rig) retry() { r.try++ }

// A host that a try has installed on and found sick is compared, in the next, with its
// state before the first: its fault does not become the normal state.
func TestRetryOfATouchedHost(t *testing.T) {
	w := newWorld(t, "a")
	r := w.rig(diffed(planOf("a")), "r1")
	for _, id := range []platform.StepID{rollout.FlowBegin, "before", "stage", "install", "verify"} {
		want(t, r.must(t, "a", id), rollout.OutcomeOK, "")
	}
	first := r.hosts[host("a")].Before
	w.at("a").units = []string{"app.service"}
	want(t, r.must(t, "a", rollout.FlowCheck), rollout.OutcomeFailed, "newly failed: app.service")
	r.must(t, "a", rollout.FlowEnd)

	for _, again := range []*rig{r, r.restart()} { // in the same process, and in the next
		again.retry()
		begin := again.must(t, "a", rollout.FlowBegin)
		want(t, begin, rollout.OutcomeOK, "")
		if !slices.Equal(begin.Began.Steps, []platform.StepID{"before", "verify", "check", "end"}) || !strings.HasSuffix(begin.Began.Work.ID, "-t"+string(rune('0'+again.try))) {
			t.Fatalf("got %+v", begin.Began)
		}
		if before := again.must(t, "a", rollout.FlowBefore); before.Before != first {
			t.Errorf("it is compared with %s, not with the state before the work", before.Before)
		}
		want(t, again.must(t, "a", rollout.FlowVerify), rollout.OutcomeOK, "")
		want(t, again.must(t, "a", rollout.FlowCheck), rollout.OutcomeFailed, "newly failed: app.service")
		again.must(t, "a", rollout.FlowEnd)
	}

	w.at("a").units = nil // a person has mended it
	r.retry()
	begin := r.must(t, "a", rollout.FlowBegin)
	r.must(t, "a", rollout.FlowBefore)
	verified := r.restart().must(t, "a", rollout.FlowVerify)
	if len(verified.Proven) != 1 || verified.Proven[0].Version != "1.3-1" {
		t.Errorf("what the first try installed is proven now, got %+v (%+v)", verified, begin.Began.Work)
	}
	want(t, r.must(t, "a", rollout.FlowCheck), rollout.OutcomeOK, "")
}

// What the first try installed and is gone again is no success.
func TestRetryVerifiesWhatTheFirstTryInstalled(t *testing.T) {
	w := newWorld(t, "a")
	r := w.rig(planOf("a"), "r1")
	for _, id := range []platform.StepID{rollout.FlowBegin, "before", "stage", "install"} {
		r.must(t, "a", id)
	}
	r.retry()
	r.must(t, "a", rollout.FlowBegin)
	w.at("a").installed = false
	want(t, r.must(t, "a", rollout.FlowVerify), rollout.OutcomeFailed, "not at the planned 1.3-1")
}

// A host that was never touched is begun afresh: a new state before, and nothing to do
// means nothing.
func TestRetryOfAnUntouchedHost(t *testing.T) {
	w := newWorld(t, "a")
	r := w.rig(diffed(planOf("a")), "r1")
	for _, id := range []platform.StepID{rollout.FlowBegin, "before", "stage", rollout.FlowEnd} {
		want(t, r.must(t, "a", id), rollout.OutcomeOK, "")
	}
	first := r.hosts[host("a")].Before
	w.at("a").units = []string{"app.service"}
	r.retry()
	begin := r.must(t, "a", rollout.FlowBegin)
	if before := r.must(t, "a", rollout.FlowBefore); before.Before == first || before.Before == "" {
		t.Errorf("it is compared with %q", before.Before)
	}
	if left := earlier(begin.Began.Work); len(left) > 0 {
		t.Errorf("credited %v", left)
	}
	r.must(t, "a", rollout.FlowEnd)
	w.at("a").installed = true
	r.retry()
	want(t, r.must(t, "a", rollout.FlowBegin), rollout.OutcomeNothing, "nothing left to install")
}

// A touched host that is still drained comes back by its own steps, with jobs of their own.
func TestRetryDrainsAnew(t *testing.T) {
	w, here, controller := hookWorld(t)
	w.at("a").fails["4after"] = 1
	r := w.rig(hooked(planOf("a")), "r1", controller)
	want(t, r.all(t, "a"), rollout.OutcomeFailed, "smoke failed")
	w.at("a").fails = nil
	r.retry()
	want(t, r.all(t, "a"), rollout.OutcomeOK, "")
	if got := strings.Join(w.at("lb").effects, "; "); got != "job 1drain; job 1undrain; job 1drain-t2; job 1undrain-t2" {
		t.Errorf("lb: %s", got)
	}
	if got := strings.Join(here.effects, "; "); got != "job 0before; job 3drain; job 0before-t2; job 3drain-t2" {
		t.Errorf("controller: %s", got)
	}
}

// A host looked at again because of its last rollout is drained only if it was in doubt:
// it may be drained still.
func TestRecheckDrainsTheDoubtful(t *testing.T) {
	for doubted, drains := range map[bool]bool{true: true, false: false} {
		w, _, controller := hookWorld(t)
		p := hooked(planOf("a"))
		p.Hosts[0].Install, p.Hosts[0].Recheck = nil, &plan.Recheck{Rollout: "r0", Doubted: doubted, Proved: []patch.Proven{{Domain: "debian 12 amd64", Name: "pr-plain", Arch: "all", Version: "1.2-1"}}}
		begin := w.rig(p, "r1", controller).must(t, "a", rollout.FlowBegin)
		want(t, begin, rollout.OutcomeOK, "")
		if got := slices.Contains(begin.Began.Steps, rollout.FlowDrain); got != drains || len(begin.Began.Changing) > 0 {
			t.Errorf("doubted %v: %q", doubted, begin.Began.Steps)
		}
	}
}
