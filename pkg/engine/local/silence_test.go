package local

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

func silenced(p *plan.Plan) *plan.Plan {
	p.Silences = []plan.Silence{
		{Hosts: []fact.HostID{host("a")}, Mute: playbook.Mute{Name: "am", TTL: 10 * time.Minute}},
		{Hosts: []fact.HostID{host("b")}, Mute: playbook.Mute{Name: "not ours"}},
	}
	return p
}

func silenceRig(t *testing.T) (*world, *outside, *rig) {
	t.Helper()
	w := newWorld(t, "a")
	o := &outside{begin: time.Now(), until: map[string]time.Time{}}
	r := w.rig(silenced(planOf("a")), "r1", func(c *Config) { c.Outside = o })
	return w, o, r
}

func TestSilenceAroundTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, o, r := silenceRig(t)
		end := r.all(t, "a")
		want(t, end, rollout.OutcomeOK, "")
		if end.Step != rollout.FlowEnd || !slices.Equal(o.told, []string{"silence am a @0s", "unsilence am a @0s"}) || len(o.until) > 0 {
			t.Errorf("%s: %q, left %v", end.Step, o.told, o.until)
		}
	})
}

// While a step takes long, the silence never ends; once the step has ended, nobody
// extends it any more.
func TestSilenceIsExtended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, o, r := silenceRig(t)
		r.must(t, "a", rollout.FlowBegin)
		r.must(t, "a", rollout.FlowSilence)
		var end rollout.StepEnded
		done := make(chan struct{})
		go func() {
			defer close(done)
			quiet := r.verifying().keepQuiet(t.Context())
			pause(t.Context(), 32*time.Minute)
			end.Notes = quiet()
		}()
		for range 31 {
			pause(t.Context(), time.Minute)
			if left := time.Until(untilOf(o)); left < 4*time.Minute {
				t.Errorf("after %s it ends in %s", time.Since(o.begin), left)
			}
		}
		<-done
		told := len(o.told)
		pause(t.Context(), time.Hour)
		if told != 7 || len(o.told) != told || len(end.Notes) > 0 {
			t.Errorf("%q, notes %q", o.told, end.Notes)
		}
	})
}

// verifying is the verify step of host a, as Perform has it at work.
func (r *rig) verifying() *work {
	task := rollout.Task{Rollout: r.Owner.Rollout, Host: host("a"), Step: rollout.FlowVerify}
	return &work{p: r.Performer, task: task, host: r.Hosts[host("a")], link: r.sessions(host("a"))}
}

func untilOf(o *outside) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, at := range o.until {
		return at
	}
	return time.Time{}
}

func TestSilenceAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, o, r := silenceRig(t)
		r.must(t, "a", rollout.FlowBegin)
		r.must(t, "a", rollout.FlowSilence)
		again := r.restart()
		want(t, again.must(t, "a", rollout.FlowBefore), rollout.OutcomeOK, "")
		want(t, mustAgain(t, again, rollout.FlowSilence), rollout.OutcomeOK, "")
		want(t, mustAgain(t, again, rollout.FlowUnsilence), rollout.OutcomeOK, "")
		want(t, mustAgain(t, again, rollout.FlowUnsilence), rollout.OutcomeOK, "")
		if len(o.until) > 0 {
			t.Errorf("left %v", o.until)
		}
		// As the state tells it where the silence could not be removed: nothing extends it.
		told := len(o.told)
		known := again.hosts[host("a")]
		known.Silenced = true
		again.hosts[host("a")] = known
		again.must(t, "a", rollout.FlowEnd)
		if len(o.told) != told {
			t.Errorf("extended while the host was unlocked: %q", o.told)
		}
	})
}

func mustAgain(t *testing.T, r *rig, id platform.StepID) rollout.StepEnded {
	t.Helper()
	end, err := r.step(t.Context(), "a", id, rollout.Reconcile)
	if err != nil {
		t.Fatal(err)
	}
	return end
}

func TestSilencesThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, o, r := silenceRig(t)
		r.must(t, "a", rollout.FlowBegin)
		o.errs = []error{down()}
		want(t, r.must(t, "a", rollout.FlowSilence), rollout.OutcomeOK, "") // once more is enough
		o.errs = []error{down(), down()}
		want(t, r.must(t, "a", rollout.FlowSilence), rollout.OutcomeFailed, "silence am: no answer")
		o.errs = []error{down(), down()}
		want(t, r.must(t, "a", rollout.FlowUnsilence), rollout.OutcomeOK, "could not be removed, and ends by itself within 10m0s")
		if slices.Contains(w.at("a").effects, "install") {
			t.Error("it was touched")
		}
		r.Outside = nil
		want(t, r.must(t, "a", rollout.FlowSilence), rollout.OutcomeFailed, "nothing can keep alerts quiet")
	})
}

// An extension that fails is tried again soon, and is a note if it never succeeds.
func TestExtensionFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, o, r := silenceRig(t)
		r.must(t, "a", rollout.FlowBegin)
		r.must(t, "a", rollout.FlowSilence)
		for _, c := range []struct {
			errs []error
			note string
		}{{[]error{down()}, ""}, {[]error{down(), down(), down(), down()}, "alerts may come through"}} {
			o.errs = c.errs
			quiet := r.verifying().keepQuiet(t.Context())
			pause(t.Context(), 7*time.Minute)
			if got := strings.Join(quiet(), ""); !strings.Contains(got, c.note) || (c.note == "") != (got == "") {
				t.Errorf("notes %q, want %q", got, c.note)
			}
			o.errs = nil
		}
	})
}

func TestStoppedWhileExtending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, r := silenceRig(t)
		r.must(t, "a", rollout.FlowBegin)
		r.must(t, "a", rollout.FlowSilence)
		ctx, cancel := context.WithCancel(t.Context())
		quiet := r.verifying().keepQuiet(ctx)
		cancel()
		if notes := quiet(); len(notes) > 0 {
			t.Errorf("%q", notes)
		}
	})
}
