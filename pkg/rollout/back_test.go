package rollout

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
)

// The way back, as the world knows it.

// way is what the world knows of a host's way back.
type way struct {
	back      bool              // it is, or was, to be taken back
	auto      bool              // not because a person said so
	inUse     bool              // it was healthy when that was said, and nothing was done to it since
	changed   bool              // a step of this try has begun to change it
	judged    bool              // or has looked at what came of it
	installed bool              // an install step of this rollout has begun on it, and was not taken back
	former    map[string]string // what was there before this rollout: package → version, "" none
}

// over: nothing more is done to the host, unless it is to be taken back.
func (tr *truth) over() bool { return tr.final != "" || tr.back && !tr.begun }

// broken: it was changed, and is not known to be well.
func (tr *truth) broken() bool {
	return tr.touched && tr.final != HostHealthy && tr.final != HostRolledBack && !tr.inUse
}

// falling: hosts wait to be taken back.
func (o *operator) falling() bool {
	for _, tr := range o.truth {
		if tr.back && !tr.begun && tr.final == "" {
			return true
		}
	}
	return false
}

// turnBack keeps who is to be taken back.
func (o *operator) turnBack(e RollbackAsked) {
	for _, id := range e.Hosts {
		tr := o.truth[id]
		if tr.back && tr.final == "" && !tr.begun {
			o.checkHurried(e, id)
			tr.auto = false
			continue
		}
		if e.Auto {
			o.checkConfirmed(id, tr)
		}
		at, _ := o.state.find(id)
		ill := o.state.fellSick(at)
		o.w.bodies[id].sick = o.w.bodies[id].sick || ill
		tr.inUse = tr.final == HostHealthy && !ill
		tr.back, tr.auto = true, e.Auto
		tr.try++
		o.turned, o.retried = o.w.now, o.w.now
		tr.begun, tr.failed, tr.checked, tr.final, tr.changed, tr.judged = false, false, false, "", false, false
	}
	if !e.Auto && (o.phase == PhaseOpen || o.phase == PhasePaused) {
		o.phase = PhaseHalted
	}
	o.forget(len(e.Hosts))
}

// forth turns a host round again: it is begun anew.
func (tr *truth) forth() {
	if tr.final == HostRolledBack {
		tr.touched, tr.did, tr.former, tr.installed = false, nil, nil, false
	}
	tr.back, tr.auto, tr.inUse, tr.changed, tr.judged = false, false, false, false, false
}

// forget: what was waived holds no longer for rings that have not begun.
func (o *operator) forget(hosts int) {
	o.waived = slices.DeleteFunc(o.waived, func(w Waived) bool {
		_, open := o.opened[w.Ring]
		return !open && hosts > 0
	})
}

// install does what the install step does: one that fails has done half of its work.
func (o *operator) install(tr *truth, b *body, outcome Outcome) {
	all, remove := tr.work.Install, tr.work.Remove
	if outcome == OutcomeFailed {
		all, remove = all[:len(all)/2], nil
	}
	for _, name := range bare(remove) {
		b.installed[name] = ""
	}
	for _, u := range all {
		if tr.former == nil {
			tr.former = map[string]string{}
		}
		if _, known := tr.former[u.Name]; !known {
			tr.former[u.Name] = u.From
		}
		b.installed[u.Name] = u.To
		if !tr.back {
			tr.did = append(tr.did, u)
		}
	}
}

// bare are the packages' names without their architecture.
func bare(names []string) []string {
	var all []string
	for _, name := range names {
		name, _, _ = strings.Cut(name, ":")
		all = append(all, name)
	}
	return all
}

// narrowBack is what the begin step decides on a host that is taken back.
func (o *operator) narrowBack(t Task) StepEnded {
	tr := o.truth[t.Host]
	status, _ := o.state.Host(t.Host)
	facts := o.w.facts(tr.planned)
	facts.OffersKnown = true
	for _, u := range tr.planned.Install {
		if !o.w.bodies[t.Host].Stuck {
			facts.Offers = append(facts.Offers, fact.Offer{Name: u.Name, Arch: u.Arch, Version: u.From}, fact.Offer{Name: u.Name, Arch: u.Arch, Version: u.To})
		}
	}
	work, err := plan.TakeBack(o.Plan, t.Host, status.Did, facts)
	if err != nil {
		o.w.fail("take back: %v", err)
	}
	tr.work = work
	began := &Began{Work: work, Return: tr.planned.Return}
	if work.Refused != "" {
		return StepEnded{Outcome: OutcomeFailed, Reasons: []string{work.Refused}, Began: began}
	}
	driver := driverSteps()
	if len(work.Install)+len(work.Remove) == 0 {
		driver = nil
	}
	began.Steps, began.Changing = Flow(driver, o.w.bodies[t.Host].Extras)
	began.Confirming = Confirming(driver)
	return StepEnded{Outcome: OutcomeOK, Began: began}
}

// back draws what becomes of hosts that have failed, and what people say late.
func (d *draw) back(p *part) {
	if d.one(2, "rolls back") {
		p.Plan.OnFailure = plan.OnFailure{Rollback: true, Window: pick(d, "rollback window", "", "", "night", "weekend")}
	}
	for range max(0, d.num(-3, 3, "said late")) {
		p.Late = append(p.Late, word{What: pick(d, "late", sayRollback, sayRollback, sayAbort, sayRetry), Host: d.num(-1, 9, "late host")})
	}
}

// wayBack draws what is known of a host's way back.
func (d *draw) wayBack(h *plan.Host) {
	h.Return = plan.Return{Light: pick(d, "light", plan.Green, plan.Green, plan.Amber, plan.Red)}
}
