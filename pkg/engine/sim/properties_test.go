package sim

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// TestForecastHolds: every forecast folds; it ends, or waits for something with a name;
// and what it says is what the events say.
func TestForecastHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := plans().Draw(t, "plan")
		var events []rollout.Event
		opened := rollout.Open("r", d.plan, "sha256:x")
		f, err := d.assumed.forecast(opened, d.plan, monday(), func(e rollout.Event, _ *rollout.State) { events = append(events, e) })
		if err != nil {
			t.Fatal(err)
		}
		foldAgain(t, events, f)
		named(t, f)
		windowsHold(t, d.plan, events)
		budgetsHold(t, d.plan, events)
		sameTimes(t, d.plan, f, events)
		for _, r := range f.Rings {
			inOrder(t, r)
			gateWaits(t, d.plan, r)
		}
	})
}

func foldAgain(t *rapid.T, events []rollout.Event, f Forecast) {
	again := &rollout.State{}
	for _, e := range events {
		kind, payload, err := rollout.Marshal(e.Entry)
		if err == nil {
			e.Entry, err = rollout.Unmarshal(kind, payload)
		}
		if err == nil {
			err = again.Fold(e)
		}
		if err != nil {
			t.Fatalf("event %d: %v", e.Seq, err)
		}
	}
	if again.Phase() != f.Phase {
		t.Fatalf("folded again it is %s, foreseen %s", again.Phase(), f.Phase)
	}
}

func named(t *rapid.T, f Forecast) {
	if f.Finished() {
		return
	}
	if len(f.Waits) == 0 {
		t.Fatalf("%s, and it waits for nothing", f.Phase)
	}
	for _, w := range f.Waits {
		if w.For == "" {
			t.Fatalf("it waits for something without a name: %+v", w)
		}
	}
}

// windowsHold looks at the starts by hand: the weekend begins at 22:00 UTC on Saturday and
// on Sunday and lasts six hours, and on the 28th nothing starts if there is a freeze.
func windowsHold(t *rapid.T, p *plan.Plan, events []rollout.Event) {
	for _, e := range events {
		s, ok := e.Entry.(rollout.StepStarted)
		if !ok || s.Step != rollout.FlowBegin {
			continue
		}
		h, _ := p.Host(s.Host)
		frozen := len(p.Calendar.Freezes) > 0
		saturday := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
		if frozen && e.Time.Before(saturday.Add(24*time.Hour)) && e.Time.Add(2*h.Takes).After(saturday) {
			t.Fatalf("%s, which takes %v, is begun at %v, and there is a freeze", s.Host, h.Takes, e.Time)
		}
		for _, r := range p.Rings {
			if r.Name == h.Ring && r.Window != "" && !inWeekend(e.Time, 2*h.Takes, frozen) {
				t.Fatalf("%s, which takes %v, is begun at %v, outside the window", s.Host, h.Takes, e.Time)
			}
		}
	}
}

func inWeekend(at time.Time, need time.Duration, frozen bool) bool {
	for day := range 40 {
		opens := time.Date(2026, 11, 20+day, 22, 0, 0, 0, time.UTC)
		if w := opens.Weekday(); w != time.Saturday && w != time.Sunday {
			continue
		}
		closes := opens.Add(6 * time.Hour)
		if frozen && opens.Day() == 28 && opens.Month() == time.November {
			opens = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
		}
		if !at.Before(opens) && !at.Add(need).After(closes) {
			return true
		}
	}
	return false
}

// budgetsHold counts the hosts at work by the events alone.
func budgetsHold(t *rapid.T, p *plan.Plan, events []rollout.Event) {
	out := map[fact.HostID]bool{}
	for _, e := range events {
		switch s := e.Entry.(type) {
		case rollout.StepStarted:
			out[s.Host] = true
		case rollout.StepEnded:
			if s.Step == rollout.FlowEnd {
				delete(out, s.Host)
			}
		}
		for _, b := range p.Budgets {
			n := 0
			for _, id := range b.Hosts {
				if out[id] {
					n++
				}
			}
			if n > b.Most {
				t.Fatalf("event %d: %d hosts of budget %s are out, and %d may be", e.Seq, n, b.Name, b.Most)
			}
		}
	}
}

// sameTimes holds the forecast's numbers against the events.
func sameTimes(t *rapid.T, p *plan.Plan, f Forecast, events []rollout.Event) {
	first, last, begun := map[string]time.Time{}, map[string]time.Time{}, map[string]int{}
	opens := map[string]time.Time{}
	for _, e := range events {
		switch s := e.Entry.(type) {
		case rollout.GateOpened:
			opens[s.Ring] = e.Time
		case rollout.StepStarted:
			if s.Step == rollout.FlowBegin {
				h, _ := p.Host(s.Host)
				begun[h.Ring]++
				if first[h.Ring].IsZero() {
					first[h.Ring] = e.Time
				}
			}
		case rollout.StepEnded:
			h, _ := p.Host(s.Host)
			last[h.Ring] = e.Time
		}
	}
	for _, r := range f.Rings {
		started, hosts := 0, 0
		for _, b := range r.Batches {
			started, hosts = started+b.Started, hosts+b.Hosts
		}
		if !r.Opens.Equal(opens[r.Name]) || !r.Begins.Equal(first[r.Name]) || started != begun[r.Name] || hosts != r.Hosts || started+len(r.Starved) != hosts {
			t.Fatalf("ring %s: %+v\nopens %v, begins %v, %d begun", r.Name, r, opens[r.Name], first[r.Name], begun[r.Name])
		}
		if !r.Ends.IsZero() && !r.Ends.Equal(last[r.Name]) {
			t.Fatalf("ring %s ends %v, by the events %v", r.Name, r.Ends, last[r.Name])
		}
		inOpenings := 0
		for _, o := range r.Openings {
			inOpenings += o.Started
		}
		if r.Window != "" && inOpenings != started {
			t.Fatalf("ring %s: %d begun, %d of them in an opening of its window", r.Name, started, inOpenings)
		}
	}
}

// inOrder: batches follow each other, and so do the spans of each, without a gap.
func inOrder(t *rapid.T, r Ring) {
	at := r.Opens
	for i, b := range r.Batches {
		if b.Ready.IsZero() {
			if b.Started > 0 || len(b.Spans) > 0 {
				t.Fatalf("%s, batch %d was begun before its turn: %+v", r.Name, i+1, b)
			}
			continue
		}
		if !b.Ready.Equal(at) {
			t.Fatalf("%s, batch %d: ready at %v, and the one before ends %v", r.Name, i+1, b.Ready, at)
		}
		for _, s := range b.Spans {
			if d := s.From.Sub(at); d < -time.Second || d > time.Second || s.Until.Before(s.From) {
				t.Fatalf("%s, batch %d: span %+v does not follow %v", r.Name, i+1, s, at)
			}
			if at = s.Until; s.Kind == Other {
				t.Fatalf("%s, batch %d: nobody knows why it waits: %+v", r.Name, i+1, s)
			}
		}
		if b.Ended == b.Hosts && !b.Ends.Equal(at) {
			t.Fatalf("%s, batch %d ends %v, its last span %v", r.Name, i+1, b.Ends, at)
		}
		at = b.Ends
	}
}

// gateWaits: as long as a gate that time opens has not opened, there is something that it
// waits for; and what is said to be a closed window is one.
func gateWaits(t *rapid.T, p *plan.Plan, r Ring) {
	at := r.Asked
	for at.Before(r.Opens.Add(-time.Second)) {
		next := at
		for _, s := range r.Waits {
			if !s.From.After(at) && s.Until.After(next) {
				next = s.Until
			}
		}
		if next.Equal(at) {
			t.Fatalf("%s: nobody knows what its gate waits for at %v until %v: %+v", r.Name, at, r.Opens, r.Waits)
		}
		at = next
	}
	quickest := time.Duration(0)
	for _, h := range p.Hosts {
		if h.Ring == r.Name && len(h.Install) > 0 && (quickest == 0 || h.Takes < quickest) {
			quickest = h.Takes
		}
	}
	for _, s := range r.Waits {
		if s.Kind == Other {
			t.Fatalf("%s: nobody knows what its gate waits for: %+v", r.Name, s)
		}
		middle := s.From.Add(s.Until.Sub(s.From) / 2)
		if s.Kind == Window && inWeekend(middle, 2*quickest, len(p.Calendar.Freezes) > 0) {
			t.Fatalf("%s: the window is open at %v: %+v", r.Name, middle, s)
		}
	}
}
