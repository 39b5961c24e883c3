package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// watcher makes a forecast of the events as they come, so that none has to be kept.
type watcher struct {
	opened  rollout.Opened
	clock   *schedule.Clock
	state   *rollout.State
	at      map[fact.HostID]place
	rings   []*ringWatch
	last    time.Time
	reasons []string
}

// place of a host that the plan has work for.
type place struct{ ring, batch int }

type ringWatch struct {
	plan.Ring
	out      Ring
	batches  []*batchWatch
	quickest time.Duration // the least time that a host of it takes
	starts   []instant
	ended    int
	soaked   time.Time // when the soak was seen to be long enough
	approved []word
	after    time.Time // the last answer to a question after the ring
	asks     bool      // questions were asked right before it
}

type batchWatch struct {
	Batch
	working int
	waiting map[time.Duration]int // its hosts that were not begun, by how long they take
	needs   []time.Duration       // the least that one of them took when each of Spans came to its end
}

// quickest is the least time that a host which was not begun takes.
func (b *batchWatch) quickest() time.Duration {
	if len(b.waiting) == 0 {
		return 0
	}
	return slices.Min(slices.Collect(maps.Keys(b.waiting)))
}

// word of an approver, and how long it holds.
type word struct {
	as          string
	from, until time.Time
}

// instant at which so many hosts were begun.
type instant struct {
	at time.Time
	n  int
}

func newWatcher(opened rollout.Opened, clock *schedule.Clock, state *rollout.State) *watcher {
	w := &watcher{opened: opened, clock: clock, state: state, at: map[fact.HostID]place{}}
	idle := map[fact.HostID]bool{}
	for _, id := range opened.Idle {
		idle[id] = true
	}
	for i, r := range opened.Rings {
		watch := &ringWatch{Ring: r, out: Ring{Name: r.Name, Window: r.Window}}
		w.rings = append(w.rings, watch)
		w.enrol(i, watch, idle)
	}
	return w
}

// enrol gives each host its batch, as rollout does: batches are of units that have work,
// and none spans two stages.
func (w *watcher) enrol(at int, r *ringWatch, idle map[fact.HostID]bool) {
	units, last, stage := 0, "", 0
	for i, id := range r.Hosts {
		name := id.String()
		if _, broken := w.opened.Problems[name]; broken || idle[id] {
			r.out.Idle++
			continue
		}
		here, unit := stageOf(r.Ring, i), w.unitOf(name)
		full := len(r.Batches) > 0 && len(r.batches) > 0 && units >= max(1, r.Batches[min(len(r.batches)-1, len(r.Batches)-1)])
		switch {
		case len(r.batches) == 0 || here != stage || full && unit != last:
			r.batches = append(r.batches, &batchWatch{waiting: map[time.Duration]int{}})
			units = 1
		case unit != last:
			units++
		}
		last, stage = unit, here
		b := r.batches[len(r.batches)-1]
		b.Hosts++
		r.out.Hosts++
		b.waiting[w.opened.Takes[name]]++
		w.at[id] = place{at, len(r.batches) - 1}
	}
	for _, b := range r.batches {
		b.needs = []time.Duration{b.quickest()}
		if r.quickest == 0 || b.quickest() < r.quickest {
			r.quickest = b.quickest()
		}
	}
}

func stageOf(r plan.Ring, i int) int {
	for stage, n := range r.Stages {
		if i -= n; i < 0 {
			return stage
		}
	}
	return len(r.Stages)
}

func (w *watcher) unitOf(host string) string {
	if unit := w.opened.Units[host]; unit != "" {
		return "unit " + unit
	}
	return host
}

// event takes in what happened.
func (w *watcher) event(e rollout.Event) {
	w.last = e.Time
	switch entry := e.Entry.(type) {
	case rollout.StepStarted:
		if entry.Step == rollout.FlowBegin && entry.Mode == rollout.Start {
			w.started(entry.Host, e.Time)
		}
	case rollout.StepEnded:
		if entry.Step == rollout.FlowEnd || entry.Outcome != rollout.OutcomeOK {
			w.ended(entry.Host, e.Time)
		}
	case rollout.GateOpened:
		if r := w.ring(entry.Ring); r != nil {
			r.ask(e.Time)
			r.out.Opens = e.Time
			r.ready(0, e.Time)
		}
	case rollout.Sampled:
		w.sampled(entry.Ring, e.Time)
	case rollout.Asked:
		w.asked(entry, e.Time)
	case rollout.Approved:
		if r := w.ring(entry.Ring); r != nil {
			r.approved = append(r.approved, word{entry.As, e.Time, entry.Expires})
		}
	case rollout.Halted:
		w.reasons = entry.Reasons
	}
}

// decided is told that a decision was made: the first one about a ring's gate is when
// the rings before have ended.
func (w *watcher) decided(now time.Time) {
	for _, r := range w.rings {
		if r.ended < r.out.Hosts || r.out.Opens.IsZero() && r.out.Hosts > 0 {
			r.ask(now)
			return
		}
	}
}

func (r *ringWatch) ask(now time.Time) {
	if r.out.Asked.IsZero() {
		r.out.Asked = now
	}
}

func (w *watcher) ring(name string) *ringWatch {
	for _, r := range w.rings {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// ready: nothing but time keeps the batch from beginning.
func (r *ringWatch) ready(batch int, at time.Time) {
	if batch < len(r.batches) {
		r.batches[batch].Ready = at
	}
}

func (w *watcher) started(id fact.HostID, at time.Time) {
	p := w.at[id]
	r := w.rings[p.ring]
	b := r.batches[p.batch]
	b.begin(w.opened.Takes[id.String()])
	if n := len(r.starts); n > 0 && r.starts[n-1].at.Equal(at) {
		r.starts[n-1].n++
	} else {
		r.starts = append(r.starts, instant{at, 1})
	}
	if r.out.Begins.IsZero() {
		r.out.Begins = at
	}
	if b.Begins.IsZero() {
		b.Begins = at
	}
	if b.Started++; b.working == 0 {
		b.work(at)
	}
	b.working++
}

// begin books that a host waits no longer.
func (b *batchWatch) begin(takes time.Duration) {
	if b.waiting[takes]--; b.waiting[takes] == 0 {
		delete(b.waiting, takes)
	}
}

// work begins a stretch of work, or carries on the one that has ended just now.
func (b *batchWatch) work(at time.Time) {
	if n := len(b.Spans); n > 0 && b.Spans[n-1].Until.Equal(at) {
		b.Spans[n-1].Open, b.needs = true, b.needs[:n]
		return
	}
	b.Spans = append(b.Spans, Span{Kind: Working, From: at, Open: true})
}

func (w *watcher) ended(id fact.HostID, at time.Time) {
	h, ok := w.state.Host(id)
	p, known := w.at[id]
	if !ok || !known || h.Ended.IsZero() {
		return
	}
	r := w.rings[p.ring]
	b := r.batches[p.batch]
	r.ended++
	b.Ended++
	if b.working--; b.working == 0 {
		b.Spans[len(b.Spans)-1].Until, b.Spans[len(b.Spans)-1].Open = at, false
		b.needs = append(b.needs, b.quickest())
	}
	if b.Ended == b.Hosts {
		b.Ends = at
		r.ready(p.batch+1, at)
	}
	if r.ended == r.out.Hosts {
		r.out.Ends = at
	}
}

// sampled asks the state whether the soak is long enough, as soon as it may be: that
// costs as much as there are hosts, so it is not asked after every sample.
func (w *watcher) sampled(ring string, at time.Time) {
	r := w.ring(ring)
	if r == nil || r.Gate.Soak == nil || !r.soaked.IsZero() || at.Sub(r.out.Asked) < r.Gate.Soak.For {
		return
	}
	for _, s := range w.state.Status(at).Rings {
		if s.Name == ring && s.Progress != nil && s.Progress.Soak != nil && s.Progress.Soak.Passed {
			r.soaked = at
		}
	}
}

// asked books an answer at the ring that it is about.
func (w *watcher) asked(e rollout.Asked, at time.Time) {
	r := w.ring(e.Ring)
	switch {
	case r == nil:
	case e.When == playbook.WhenBefore:
		r.asks = true
	default:
		r.after = at
	}
}
