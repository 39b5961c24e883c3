package rollout

import (
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
)

// The questions of a gate, as the world answers them.

// askTakes is how long a question takes: what it tells was true when it was asked.
const askTakes = 3 * time.Minute

func askedOf(ring, check string, when playbook.When) string {
	return ring + " " + string(when) + " " + check
}

func (o *operator) ask(t Task) {
	if o.live[t.Key()] {
		o.w.fail("wait: %s is asked while it is being asked", t.Key())
	}
	o.live[t.Key()] = true
	o.flights[t.Key()] = &flight{task: t, asked: o.w.now}
	var answer Entry
	if t.Ask == AskSample {
		answer = o.sample(t)
	} else {
		answer = o.answer(t)
	}
	o.w.after(askTakes, o, func() {
		asked := o.land(t)
		switch e := answer.(type) {
		case Sampled:
			o.sampledAt[e.Ring] = asked
		case Asked:
			o.askedAt[askedOf(e.Ring, e.Check, e.When)] = asked
		}
		if o.state.Check(answer) == nil { // else it means nothing any more
			o.append(answer)
		}
	})
}

// sample asks every healthy host of the rings before.
func (o *operator) sample(t Task) Sampled {
	e := Sampled{Ring: t.Ring, Changed: map[string]string{}}
	before := o.state.Sick(t.Ring)
	for _, id := range o.healthyBefore(t.Ring) {
		why := ""
		switch s, ill := o.w.in(id, o.w.now); {
		case ill && s.Gone:
			e.Unknown++
			why = "no answer"
		case ill:
			e.Fail++
			why = "check disk: fail"
		default:
			e.Pass++
		}
		if why != before[id.String()] {
			e.Changed[id.String()] = why
		}
	}
	return e
}

func (o *operator) healthyBefore(ring string) []fact.HostID {
	var out []fact.HostID
	for _, r := range o.Plan.Rings {
		if r.Name == ring {
			break
		}
		for _, id := range r.Hosts {
			if o.truth[id].final == HostHealthy {
				out = append(out, id)
			}
		}
	}
	return out
}

// answer is the next that the scenario has for an inquiry.
func (o *operator) answer(t Task) Asked {
	name := strings.TrimPrefix(string(t.Ask), "check:")
	e := Asked{Ring: t.Ring, Check: name, When: t.When, Verdict: health.Pass, Seen: "as the script says"}
	script := o.Answers[string(t.When)+" "+name]
	if n := len(o.answers[askedOf(t.Ring, name, t.When)]); len(script) > 0 {
		e.Verdict = script[min(n, len(script)-1)]
	}
	if i := slices.IndexFunc(o.Plan.Rings, func(r ringOf) bool { return r.Name == t.Ring }); t.When == after && !o.ringDone(i) {
		o.w.fail("rule 1: %s is asked before its ring has ended", t.Key())
	}
	return e
}
