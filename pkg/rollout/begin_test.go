package rollout

import (
	"maps"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
)

// The begin step as it is performed, in its small steps, which those of other rollouts
// come between: lock the own host, then look at each peer, then act or step back.

// beginning of one host.
type attempt struct {
	o      *operator
	t      Task
	locked time.Time
	known  map[fact.HostID]string // out, as the own rollout knew right behind the lock
	seen   map[fact.HostID]string
	peers  []fact.HostID
}

func (o *operator) pace(t Task) time.Duration {
	return time.Duration(max(1, o.w.bodies[t.Host].Pace)) * time.Second
}

func (o *operator) beginHost(t Task) {
	a := &attempt{o: o, t: t, seen: map[fact.HostID]string{}}
	if o.lookFirst {
		a.ready()
		a.lookAt(func() { o.w.after(o.pace(t), o, a.lockThen(a.act)) })
		return
	}
	o.w.after(o.pace(t), o, a.lockThen(func() {
		a.ready()
		a.lookAt(a.act)
	}))
}

// lockThen takes the host's lock, and goes on if that went well.
func (a *attempt) lockThen(further func()) func() {
	return func() {
		o, b := a.o, a.o.w.bodies[a.t.Host]
		end := o.end(a.t)
		switch {
		case end.Outcome != OutcomeOK:
			o.tell(a.t, end)
			return
		case b.locked != "" && b.locked != o.ID && !o.lockless:
			o.tell(a.t, StepEnded{Outcome: OutcomeFailed, Code: "locked", Reasons: []string{"locked by " + b.locked}})
			return
		case b.locked == "":
			b.locked = o.ID
		}
		a.locked = o.w.now
		further()
	}
}

// ready learns who counts, and who is known to be out.
func (a *attempt) ready() {
	a.known = a.o.state.Out()
	all := map[fact.HostID]bool{}
	for _, b := range a.o.budgetsOf(a.t.Host) {
		for _, id := range b.Hosts {
			if _, out := a.known[id]; !out && id != a.t.Host {
				all[id] = true
			}
		}
	}
	a.peers = slices.SortedFunc(maps.Keys(all), fact.HostID.Compare)
}

// lookAt looks at the peers one after the other, and then goes on.
func (a *attempt) lookAt(further func()) {
	a.o.w.after(a.o.pace(a.t), a.o, func() {
		if len(a.peers) == 0 {
			further()
			return
		}
		if why := a.o.w.look(a.o, a.peers[0]); why != "" {
			a.seen[a.peers[0]] = why
		}
		a.peers, a.o.w.small = a.peers[1:], true
		a.lookAt(further)
	})
}

// act begins with the work, or steps back.
func (a *attempt) act() {
	o, b := a.o, a.o.w.bodies[a.t.Host]
	end := o.narrow(a.t)
	if a.t.Back {
		end = o.narrowBack(a.t)
	}
	if end.Outcome == OutcomeOK && !o.blind {
		out := maps.Clone(a.known)
		maps.Copy(out, a.seen)
		if why, is := Exceeds(o.budgetsOf(a.t.Host), o.opening.Units, a.t.Host, out); is {
			if o.truth[a.t.Host].touched && !o.truth[a.t.Host].inUse || b.drained {
				o.w.fail("rule 2: %s is out already, and steps back from its own repair: %s", a.t.Host, why)
			}
			end = StepEnded{Outcome: OutcomeBack, Reasons: []string{why}, Out: named(a.seen)}
		}
	}
	if end.Outcome == OutcomeOK {
		o.checkActs(a.t.Host, a.locked)
		b.at = o.ID
	} else if b.locked == o.ID {
		b.locked = ""
	}
	o.tell(a.t, end)
}

func (o *operator) budgetsOf(id fact.HostID) []plan.Budget {
	return slices.DeleteFunc(slices.Clone(o.Plan.Budgets), func(b plan.Budget) bool { return !slices.Contains(b.Hosts, id) })
}
