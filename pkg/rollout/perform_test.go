package rollout

import (
	"maps"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// perform begins a task in the world: a start acts blindly, a reconcile looks first.
// Its effect comes about when it ends, or when the process dies.
func (o *operator) perform(t Task) {
	o.live[t.Key()] = true
	o.flights[t.Key()] = &flight{task: t, asked: o.w.now}
	if t.Step == FlowBegin {
		o.beginHost(t)
		return
	}
	o.touch(t)
	takes := time.Duration(max(1, o.scriptOf(t).Takes[t.Step])) * time.Minute
	o.w.after(takes, o, func() {
		o.effect(t)
		o.tell(t, o.outcome(t))
	})
}

func (o *operator) touch(t Task) {
	if t.Step == "install" || t.Step == "reboot" {
		o.truth[t.Host].touched, o.w.bodies[t.Host].sick = true, true
		o.truth[t.Host].changed = true
	}
	o.truth[t.Host].installed = o.truth[t.Host].installed || t.Step == "install"
	if t.Step == "install" || t.Step == FlowVerify {
		o.truth[t.Host].inUse, o.truth[t.Host].judged = false, true
	}
}

func (o *operator) scriptOf(t Task) script { return o.w.bodies[t.Host].try(o.truth[t.Host].try) }

func (o *operator) sortedFlights() []*flight {
	var out []*flight
	for _, key := range slices.Sorted(maps.Keys(o.flights)) {
		out = append(out, o.flights[key])
	}
	return out
}

func (o *operator) land(t Task) time.Time {
	f := o.flights[t.Key()]
	delete(o.live, t.Key())
	delete(o.flights, t.Key())
	return f.asked
}

// tell journals how a step ended.
func (o *operator) tell(t Task, end StepEnded) {
	o.land(t)
	end.Host, end.Step = t.Host, t.Step
	o.judge(t, end)
	o.append(end)
}

// end is the outcome that the script has for a step.
func (o *operator) end(t Task) StepEnded {
	end := StepEnded{Outcome: OutcomeOK}
	if out, ok := o.scriptOf(t).Ends[t.Step]; ok {
		end.Outcome, end.Reasons = out, []string{"as the script says"}
	}
	return end
}

// effect is what a step does to the host, once: who looks first does not do it again.
func (o *operator) effect(t Task) {
	tr, b := o.truth[t.Host], o.w.bodies[t.Host]
	if t.Step == FlowBegin {
		if b.locked == "" {
			b.locked = o.ID
		}
		return
	}
	key := effect{tr.try, t.Step}
	if tr.effects[key] > 0 && t.Mode == Reconcile {
		return
	}
	tr.effects[key]++
	if b.locked != o.ID {
		o.w.fail("rule 8: %s does %s on %s, whose lock is %q", o.ID, t.Step, t.Host, b.locked)
	}
	o.change(t, tr, b, o.end(t).Outcome)
}

func (o *operator) change(t Task, tr *truth, b *body, outcome Outcome) {
	switch t.Step {
	case "install":
		o.install(tr, b, outcome)
	case FlowSilence:
		b.silenced = true
	case FlowUnsilence:
		b.silenced = b.silenced && outcome != OutcomeOK
	case FlowDrain:
		b.drained = true
	case FlowUndrain:
		o.checkUndrain(t, tr)
		b.drained = b.drained && outcome != OutcomeOK
	case FlowEnd:
		if outcome == OutcomeOK {
			b.locked = ""
		}
	}
}

// outcome is what the task tells.
func (o *operator) outcome(t Task) StepEnded {
	end, tr := o.end(t), o.truth[t.Host]
	switch t.Step {
	case FlowBefore:
		if end.Outcome == OutcomeOK && !(tr.try > 1 && tr.before) { // else what was before the first try still holds
			tr.before = true
			end.Before = patch.DigestOf([]byte(o.ID + t.Host.String()))
		}
	case FlowVerify:
		if !tr.back {
			end.Proven = o.proof(tr)
		}
	case FlowCheck:
		verdict := o.scriptOf(t).Check
		if s, ill := o.w.in(t.Host, o.w.now); ill {
			verdict = health.Fail
			if s.Gone {
				verdict = health.Unknown
			}
		}
		end.Checks = []health.Result{{Check: "nginx", Verdict: health.Pass}, {Check: "disk", Verdict: verdict}}
	}
	return end
}

// proof is what verify sees: the work of this try, and of those before it.
func (o *operator) proof(tr *truth) []patch.Proven {
	return plan.Proven(tr.planned.Domain, slices.Concat(tr.work.Install, tr.did), o.w.facts(tr.planned))
}

// narrow is what the begin step decides on a real host.
func (o *operator) narrow(t Task) StepEnded {
	tr := o.truth[t.Host]
	work, err := plan.Narrow(o.Plan, t.Host, o.frozen(t), o.w.facts(tr.planned))
	if err != nil {
		o.w.fail("narrow: %v", err)
	}
	tr.work = work
	began := &Began{Work: work, Return: tr.planned.Return}
	switch {
	case work.Refused != "":
		return StepEnded{Outcome: OutcomeFailed, Reasons: []string{work.Refused}, Began: began}
	case len(work.Install) == 0 && !(tr.try > 1 && tr.touched):
		return StepEnded{Outcome: OutcomeNothing, Began: began}
	}
	driver := driverSteps()
	if len(work.Install) == 0 {
		driver = nil // there is nothing left to do, and it must be looked at
	}
	began.Steps, began.Changing = Flow(driver, o.w.bodies[t.Host].Extras)
	began.Confirming = Confirming(driver)
	return StepEnded{Outcome: OutcomeOK, Began: began}
}

// judge keeps the truth about a host after a step, by the words of the rules.
func (o *operator) judge(t Task, end StepEnded) {
	tr := o.truth[t.Host]
	switch t.Step {
	case FlowBegin:
		o.judgeBegin(tr, end)
	case FlowUnsilence: // says nothing about the host
	case FlowEnd:
		switch {
		case tr.failed:
			tr.final = HostFailed
		case tr.back:
			tr.final = HostRolledBack
		default:
			tr.final = HostHealthy
		}
	default:
		bad, unknown := end.Outcome == OutcomeFailed, end.Outcome == OutcomeUnknown || end.Outcome == OutcomeNothing
		if end.Outcome == OutcomeUnreachable {
			bad, unknown = !tr.touched, tr.touched
		}
		if t.Step == FlowCheck && end.Outcome == OutcomeOK {
			v := end.Checks[1].Verdict
			bad, unknown = v == health.Fail, v == health.Unknown
			tr.checked = v == health.Pass
		}
		if unknown {
			tr.final = HostUnknown
		}
		tr.failed = tr.failed || bad
	}
	o.close(t.Host, tr)
}

func (o *operator) judgeBegin(tr *truth, end StepEnded) {
	switch end.Outcome {
	case OutcomeOK:
	case OutcomeBack:
		tr.begun, tr.notBefore = false, o.w.now.Add(backFor/2)
		o.w.wakes++
	case OutcomeNothing:
		tr.final = HostNothing
	case OutcomeUnreachable:
		tr.final = HostUnreachable
	case OutcomeFailed:
		tr.final = HostFailed
	default:
		tr.final = HostUnknown
	}
	if tr.final == HostNothing && o.w.bodies[tr.planned.ID].drained {
		tr.final = HostUnknown // somebody must put it back
	}
	if tr.touched && (tr.final == HostUnreachable || tr.final == HostNothing) {
		tr.final = HostUnknown
	}
}

// close books a host's end.
func (o *operator) close(id fact.HostID, tr *truth) {
	if tr.final == "" {
		return
	}
	tr.ended = o.w.now
	b := o.w.bodies[id]
	if b.at == o.ID {
		b.at = ""
	}
	if tr.final == HostHealthy || tr.final == HostRolledBack {
		b.sick = false
	}
}
