package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

type ringOf = plan.Ring

// word is something that a person may say; what it comes to depends on where the
// rollout stands then.
type word struct {
	What    wordKind
	Ring    int // counted round
	Who     int
	Host    int // -1: all
	For     time.Duration
	Another schedule.Calendar
}

type wordKind string

const (
	sayPause    wordKind = "pause"
	sayResume   wordKind = "resume"
	sayAbort    wordKind = "abort"
	sayApprove  wordKind = "approve"
	sayWaive    wordKind = "waive"
	sayRetry    wordKind = "retry"
	sayOverride wordKind = "override"
	sayCalendar wordKind = "calendar"
	sayRollback wordKind = "rollback"
)

// people are who may speak; the starter is one of them, and on the list of approvers.
var people = []string{"jane@hq.example", "omar@hq.example", starter}

// speak says a word, if it means anything now.
func (o *operator) speak(said word) bool {
	e, err := o.entryOf(said)
	if err != nil || o.state.Check(e) != nil {
		return false
	}
	o.promised = map[string]time.Time{}
	o.append(e)
	return true
}

func (o *operator) entryOf(said word) (Entry, error) {
	ring := o.Plan.Rings[said.Ring%len(o.Plan.Rings)].Name
	switch said.What {
	case sayPause:
		return Paused{Reason: "lunch"}, nil
	case sayResume:
		return Resumed{Reason: "coffee"}, nil
	case sayAbort:
		return Aborted{Reason: "wrong month"}, nil
	case sayApprove:
		return o.approve(ring, people[said.Who%len(people)])
	case sayWaive:
		return o.waive(ring, said.Who)
	case sayRollback:
		return o.state.Rollback(o.someHosts(said.Host), "slow since then")
	case sayRetry:
		return o.state.Retry(o.someHosts(said.Host), "again")
	case sayOverride:
		return WindowOverridden{Reason: "the board said so", Until: o.w.now.Add(said.For)}, nil
	case sayCalendar:
		return CalendarSet{Calendar: said.Another}, nil
	}
	return nil, fmt.Errorf("nobody says %q", said.What)
}

func (o *operator) someHosts(n int) []fact.HostID {
	if n < 0 || len(o.Plan.Hosts) == 0 {
		return nil
	}
	return []fact.HostID{o.Plan.Hosts[n%len(o.Plan.Hosts)].ID}
}

// approve: the starter must be refused, whichever way the word comes.
func (o *operator) approve(ring, as string) (Entry, error) {
	e, err := o.state.Approve(ring, as, as, "fine", false, o.w.now)
	forged := Approved{Ring: ring, Plan: o.opening.Plan, By: "eve@elsewhere", As: starter, Expires: o.w.now.Add(time.Hour)}
	if as == starter && err == nil || o.state.Check(forged) == nil {
		o.w.fail("rule 1: the starter approved ring %s", ring)
	}
	if _, again := o.state.Approve(ring, starter, as, "", false, o.w.now); again == nil {
		o.w.fail("rule 1: the starter approved ring %s as %s", ring, as)
	}
	return e, err
}

// waive: the soak, or a check. What failed must be refused.
func (o *operator) waive(ring string, n int) (Entry, error) {
	what := WaiveSoak
	for _, r := range o.Plan.Rings {
		if r.Name == ring && n%2 == 1 && len(r.Gate.Checks) > 0 {
			what = "check:" + r.Gate.Checks[n/2%len(r.Gate.Checks)].Name
		}
	}
	e, err := o.state.Waive(ring, what, "jane@desk", "the change board knows")
	if k := o.samples[ring]; what == WaiveSoak && err == nil && len(k) > 0 && k[len(k)-1].at.After(o.retried) && k[len(k)-1].verdict() == health.Fail {
		o.w.fail("rule 1: a soak that failed was waived in ring %s", ring)
	}
	return e, err
}

// maxHelps is how often people do what a rollout waits for.
const maxHelps = 8

// help does one thing that the rollout waits for, if anybody does.
func (o *operator) help() bool {
	switch {
	case o.phase == PhasePaused:
		o.append(Resumed{Reason: "well again"})
		return true
	case o.stopping:
		o.stopping = false // run again
		return o.phase == PhaseOpen || o.phase == PhaseHalted || o.falling()
	case len(o.late) > 0:
		said := o.late[0]
		o.late = o.late[1:]
		return o.speak(said) || o.help()
	case !o.Helped || o.helps >= maxHelps:
		return false
	}
	o.helps++
	return slices.ContainsFunc(o.wanted(), o.speak)
}

// wanted is what may help: the approvals that are missing, a waiver of what nobody can
// tell, another try.
func (o *operator) wanted() []word {
	var out []word
	for i, r := range o.Plan.Rings {
		if _, open := o.opened[r.Name]; open {
			continue
		}
		for who := range people {
			if !o.hasApproved(r.Name, people[who]) {
				out = append(out, word{What: sayApprove, Ring: i, Who: who})
			}
		}
		for n := range 4 {
			if o.doubtful(r, n) {
				out = append(out, word{What: sayWaive, Ring: i, Who: n})
			}
		}
	}
	return append(out, word{What: sayRetry, Host: -1})
}

func (o *operator) hasApproved(ring, as string) bool {
	for _, a := range o.approved {
		if a.Ring == ring && a.As == as && a.Expires.After(o.w.now) && a.Set == o.setOf(ring) {
			return true
		}
	}
	return false
}

// setOf is the set that a ring would get now.
func (o *operator) setOf(ring string) (set patch.Digest) {
	_, r := o.state.ring(ring)
	set, _ = o.state.wanted(r)
	return set
}

func (o *operator) doubtful(r ringOf, n int) bool {
	if n%2 == 0 || len(r.Gate.Checks) == 0 {
		return false
	}
	name := r.Gate.Checks[n/2%len(r.Gate.Checks)].Name
	for _, when := range []playbook.When{before, after} {
		if a := o.answers[askedOf(r.Name, name, when)]; len(a) > 0 && a[len(a)-1].Verdict == health.Unknown {
			return true
		}
	}
	return false
}

// retry: the hosts begin anew; what was done to them was done.
func (o *operator) retry(e Retried) {
	o.retried = o.w.now
	for _, id := range e.Hosts {
		tr := o.truth[id]
		if !slices.Contains([]HostState{HostFailed, HostUnknown, HostUnreachable, HostHealthy, HostRolledBack}, tr.final) {
			o.w.fail("retry: %s is begun again, and it is %q", id, tr.final)
		}
		tr.forth()
		tr.try++
		o.w.bodies[id].sick = o.w.bodies[id].sick || tr.touched // so somebody says who begins it again
		tr.begun, tr.failed, tr.checked, tr.final, tr.ended = false, false, false, "", time.Time{}
	}
	if o.phase == PhaseHalted || o.phase == PhaseFinished {
		o.phase = PhaseOpen
	}
	o.forget(len(e.Hosts))
}
