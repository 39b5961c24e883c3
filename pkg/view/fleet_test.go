package view

import (
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// run plays a small rollout: every event is folded into a real state first and then
// shown, as the engine does it.
type run struct {
	t     *testing.T
	state *rollout.State
	views []View
	seq   uint64
	mu    sync.Mutex
	now   time.Time // guarded by mu: a live view asks for it from its own goroutine
}

// clock is the time of the run, for views.
func (r *run) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *run) wait(d time.Duration) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
	return r.now
}

func newRun(t *testing.T, views ...View) *run {
	t.Helper()
	return &run{t: t, state: &rollout.State{}, views: views, now: time.Date(2026, 3, 7, 22, 0, 0, 0, time.UTC)}
}

func id(name string) fact.HostID { return fact.HostID{Site: "hq", Name: name} }

func openssl() patch.Update {
	return patch.Update{Name: "openssl", Arch: "amd64", From: "3.0.15", To: "3.0.16", Security: patch.Yes}
}

func (r *run) do(after time.Duration, entry rollout.Entry) {
	r.t.Helper()
	r.seq++
	e := rollout.Event{Seq: r.seq, Time: r.wait(after), Actor: "jane@laptop", Entry: entry}
	if err := r.state.Fold(e); err != nil {
		r.t.Fatal(err)
	}
	for _, v := range r.views {
		v.Event(e, r.state)
	}
}

func (r *run) tell(l Line) {
	for _, v := range r.views {
		v.Tell(l)
	}
}

func (r *run) open() {
	r.t.Helper()
	r.do(0, rollout.Opened{
		Rollout: "monthly-hq-7f3a", Playbook: "monthly", Site: "hq",
		Rings: []plan.Ring{
			{Name: "test", Hosts: []fact.HostID{id("canary1")}, Batches: []int{1}, MaxInFlight: 1},
			{Name: "production", Hosts: []fact.HostID{id("idle1"), id("mail1"), id("web1"), id("web2"), id("web3")}, Batches: []int{5}, MaxInFlight: 5},
		},
		Problems: map[string]plan.Problem{"hq/mail1": {Code: string(fault.Unreachable), What: "no route to host"}},
		Idle:     []fact.HostID{id("idle1")},
	})
	r.do(0, rollout.GateOpened{Ring: "test", Reasons: []string{"the first ring: it gets the plan's own versions"}})
}

func (r *run) started(after time.Duration, host string, step platform.StepID) {
	r.t.Helper()
	r.do(after, rollout.StepStarted{Host: id(host), Step: step, Mode: rollout.Start})
}

func (r *run) ended(after time.Duration, host string, step platform.StepID, e rollout.StepEnded) {
	r.t.Helper()
	e.Host, e.Step = id(host), step
	if e.Outcome == "" && e.Code == "" {
		e.Outcome = rollout.OutcomeOK
	}
	r.do(after, e)
}

// begin brings a host to the point where its install step has begun.
func (r *run) begin(host string) {
	r.t.Helper()
	r.started(0, host, rollout.FlowBegin)
	r.ended(2*time.Second, host, rollout.FlowBegin, rollout.StepEnded{Began: &rollout.Began{
		Work:     patch.Work{ID: "w", Install: []patch.Update{openssl()}},
		Steps:    []platform.StepID{rollout.FlowBefore, "install", rollout.FlowVerify, rollout.FlowCheck, rollout.FlowEnd},
		Changing: []platform.StepID{"install"},
	}})
	r.started(0, host, rollout.FlowBefore)
	r.ended(time.Second, host, rollout.FlowBefore, rollout.StepEnded{})
	r.started(0, host, "install")
}

// finish brings it from there to its end; the check's verdict decides.
func (r *run) finish(host string, verdict health.Verdict) {
	r.t.Helper()
	r.ended(time.Minute, host, "install", rollout.StepEnded{})
	r.started(0, host, rollout.FlowVerify)
	r.ended(time.Second, host, rollout.FlowVerify, rollout.StepEnded{Proven: []patch.Proven{{Domain: "debian 12 amd64", Name: "openssl", Arch: "amd64", Version: "3.0.16"}}})
	r.started(0, host, rollout.FlowCheck)
	seen := "nginx.service is " + verdict.String()
	r.ended(time.Second, host, rollout.FlowCheck, rollout.StepEnded{Checks: []health.Result{{Check: "service nginx", Verdict: verdict, Seen: seen, Tries: 1}}})
	r.started(0, host, rollout.FlowEnd)
	r.ended(time.Second, host, rollout.FlowEnd, rollout.StepEnded{})
}

// middle plays until two hosts of production are at work and one has failed.
func (r *run) middle() {
	r.t.Helper()
	r.open()
	r.begin("canary1")
	r.finish("canary1", health.Pass)
	set := plan.Freeze([]patch.Proven{{Domain: "debian 12 amd64", Name: "openssl", Arch: "amd64", Version: "3.0.16"}})
	r.do(time.Second, rollout.GateOpened{Ring: "production", Set: plan.SetDigest(set), Frozen: set, Reasons: []string{"ring test: 1 of 1 hosts healthy"}})
	for _, host := range []string{"web1", "web2", "web3"} {
		r.begin(host)
	}
	r.tell(Progress(id("web2"), "install", "Unpacking openssl (3.0.16) over (3.0.15) ..."))
	r.tell(Progress(id("web3"), "install", "Setting up \x1b[2Jlibc6\r\nforged line"))
	r.tell(Note(r.clock(), "connection to hq/web3 lost, trying again\nforged"))
	r.finish("web1", health.Fail)
}

// last plays to the halt with one host unknown.
func (r *run) last() {
	r.t.Helper()
	r.do(0, rollout.Halted{Ring: "production", Reasons: []string{"ring production: 1 failed (limit 0)"}})
	r.finish("web2", health.Pass)
	r.ended(time.Second, "web3", "install", rollout.StepEnded{Outcome: rollout.OutcomeUnknown, Code: fault.Lost, Reasons: []string{"the connection ended and the host has not come back"}})
}
