package rollout

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// The rules of DESIGN.md section 3, checked against the world's own truth. Each message
// begins with the rule, so that a mutation is caught by its own.

// checkTask is asked before each task is journaled.
func (o *operator) checkTask(t Task) {
	tr := o.truth[t.Host]
	if tr.final != "" {
		o.w.fail("rule 6: %s has ended, and %s begins", t.Host, t.Step)
	}
	if !tr.begun && tr.back {
		o.checkStartBack(t, tr)
	} else if !tr.begun {
		o.checkStart(t, tr)
	}
	tr.begun = true
	if t.Back != tr.back {
		o.w.fail("back: %s is worked on in the wrong direction (back: %v)", t.Host, t.Back)
	}
	if t.Mode == Start && t.Step != FlowBegin && tr.effects[effect{tr.try, t.Step}] > 0 {
		o.w.fail("rule 4: %s of %s is begun again without a look", t.Step, t.Host)
	}
	if tr.ring.Name != o.Plan.Rings[0].Name && (t.Set == "" || t.Set != o.opened[tr.ring.Name].Set) {
		o.w.fail("rule 5: %s works without the frozen set of its ring", t.Host)
	}
	if max(1, t.Try) != tr.try {
		o.w.fail("retry: %s is begun as try %d, and it is try %d", t.Host, t.Try, tr.try)
	}
	switch {
	case t.Step != "install":
	case tr.back:
		o.checkExactBack(t, tr)
	default:
		o.checkExact(t, tr)
	}
}

// checkStart: no host is begun that must not be.
func (o *operator) checkStart(t Task, tr *truth) {
	if o.phase != PhaseOpen || o.stopping {
		o.w.fail("rule 3: %s is begun while the rollout is %s, stopping %v", t.Host, o.phase, o.stopping)
	}
	if _, open := o.opened[tr.ring.Name]; !open {
		o.w.fail("rule 1: %s is begun before its gate has opened", t.Host)
	}
	if o.w.now.Before(tr.notBefore) {
		o.w.fail("rule 2: %s is begun again right after it stepped back", t.Host)
	}
	o.checkAllowance(t, tr)
	o.checkTime(t.Host, tr)
	o.checkReserved(t.Host)
	repair := tr.touched || o.w.bodies[t.Host].drained // it is out already, whoever waits
	for _, id := range o.batchesBefore(tr.ring, t.Host) {
		if o.truth[id].final == "" && !o.truth[id].back && !repair {
			o.w.fail("batches: %s is begun while %s of an earlier batch has not ended", t.Host, id)
		}
	}
}

// checkAllowance is rule 3: by ring, and by rollout.
func (o *operator) checkAllowance(t Task, tr *truth) {
	failures, all, flying, back := o.failures(tr.ring), 0, 0, 0
	for _, r := range o.Plan.Rings {
		all += o.failures(r)
		flying += o.flying(r)
		back += o.flyingBack(r)
	}
	left := tr.ring.FailureLimit - failures
	if limit := o.Plan.FailureLimit; limit != nil {
		left = min(left, *limit-all)
	}
	if left < 0 {
		o.w.fail("rule 3: %s is begun past the failure limit", t.Host)
	}
	most := max(1, left)
	if tr.ring.MaxInFlight > 0 {
		most = min(most, tr.ring.MaxInFlight-back)
	}
	if flying >= most {
		o.w.fail("rule 3: %s is begun with %d in flight, %d failed, limit %d, max %d", t.Host, flying, failures, tr.ring.FailureLimit, tr.ring.MaxInFlight)
	}
}

func (o *operator) failures(r plan.Ring) int {
	return o.countIn(r, func(tr *truth) bool { return tr.back || tr.final == HostFailed || tr.final == HostUnknown })
}

// flying are the hosts at work on their way there; those on their way back have failed
// already.
func (o *operator) flying(r plan.Ring) int {
	return o.countIn(r, func(tr *truth) bool { return tr.begun && tr.final == "" && !tr.back })
}

func (o *operator) gone(r plan.Ring) int {
	return o.countIn(r, func(tr *truth) bool {
		return tr.final == HostUnreachable || tr.final == HostUnknown && !tr.touched
	})
}

func (o *operator) countIn(r plan.Ring, is func(*truth) bool) int {
	n := 0
	for _, id := range r.Hosts {
		if is(o.truth[id]) {
			n++
		}
	}
	return n
}

func (o *operator) ringDone(i int) bool {
	return o.countIn(o.Plan.Rings[i], func(tr *truth) bool { return !tr.over() }) == 0
}

// batchesBefore lists the hosts of the batches before the host's own, the long way:
// first the units of each stage, then so many of them in each batch.
func (o *operator) batchesBefore(r plan.Ring, id fact.HostID) []fact.HostID {
	var batches [][]fact.HostID
	size, stage, unit := 0, -1, ""
	for i, other := range r.Hosts {
		h := o.truth[other].planned
		if h.Problem != nil || h.Idle() {
			continue
		}
		here, name := stageAt(r, i), o.w.unitName(o, other)
		most := 0
		if n := len(r.Batches); n > 0 && len(batches) > 0 {
			most = max(1, r.Batches[min(len(batches), n)-1])
		}
		switch {
		case here != stage, name != unit && most > 0 && size == most:
			batches, size = append(batches, nil), 1
		case name != unit:
			size++
		}
		stage, unit = here, name
		batches[len(batches)-1] = append(batches[len(batches)-1], other)
	}
	at := slices.IndexFunc(batches, func(b []fact.HostID) bool { return slices.Contains(b, id) })
	return slices.Concat(batches[:max(0, at)]...)
}

func stageAt(r plan.Ring, i int) int {
	end := 0
	for stage, n := range r.Stages {
		if end += n; i < end {
			return stage
		}
	}
	return len(r.Stages)
}

func (w *world) unitName(o *operator, id fact.HostID) string {
	if unit := o.opening.Units[id.String()]; unit != "" {
		return "unit " + unit
	}
	return id.String()
}

// checkExact: a later ring installs what earlier healthy hosts of its kind have, and
// every ring only what the plan names.
func (o *operator) checkExact(t Task, tr *truth) {
	for _, u := range tr.work.Install {
		if !slices.Contains(tr.planned.Install, u) {
			o.w.fail("rule 5: %s gets %v, which the plan does not have", t.Host, u)
		}
		frozen := o.opened[tr.ring.Name].Frozen.Proven
		proof := patch.Proven{Domain: tr.planned.Domain, Name: u.Name, Arch: u.Arch, Version: u.To}
		if tr.ring.Name != o.Plan.Rings[0].Name && !slices.Contains(frozen, proof) {
			o.w.fail("rule 5: %s gets %v, which nobody proved", t.Host, u)
		}
	}
}

// checkUndrain: only a host that is seen healthy, or was never touched, goes back into use.
func (o *operator) checkUndrain(t Task, tr *truth) {
	if tr.touched && !tr.checked {
		o.w.fail("drain: %s goes back into use, changed and not seen healthy", t.Host)
	}
}

// checkFinished: a rollout is finished when every host has ended, and the user's own
// questions about its rings are answered.
func (o *operator) checkFinished() {
	o.checkNoneFalls()
	for i, r := range o.Plan.Rings {
		if !o.ringDone(i) {
			o.w.fail("rule 6: finished, and ring %s has not ended", r.Name)
		}
		if _, open := o.opened[r.Name]; open {
			o.checkInquiries(r, after, time.Time{})
		}
	}
}
