package rollout

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
)

// The worked examples of (*State).room.
func TestRoom(t *testing.T) {
	none := -1
	for _, tt := range []struct{ limit, failed, working, inFlight, all, allFailed, want int }{
		{0, 0, 0, 20, none, 0, 1},
		{0, 0, 1, 20, none, 0, 0},
		{0, 1, 0, 20, none, 0, 0},
		{5, 0, 0, 20, none, 0, 5},
		{5, 0, 0, 3, none, 0, 3},
		{5, 2, 3, 20, none, 0, 0},
		{5, 2, 2, 20, none, 0, 1},
		{5, 5, 0, 20, none, 0, 1},
		{5, 6, 0, 20, none, 0, 0},
		{50, 0, 0, 0, none, 0, 50},
		{5, 0, 0, 20, 10, 8, 2},  // 8 of 10 failed in the other rings
		{5, 1, 0, 20, 10, 8, 1},  // and one here
		{5, 0, 0, 20, 10, 10, 1}, // one more stops all
		{5, 0, 0, 20, 10, 11, 0}, // past it
		{5, 0, 1, 20, 10, 9, 0},  // what is left is in flight
		{5, 4, 0, 20, 100, 0, 1}, // the ring's own is the tighter
		{9, 0, 0, 20, 0, 0, 1},   // a rollout with limit 0 begins, one after the other
		{5, 0, 0, 20, 10, 9, 1},
	} {
		other := &ring{Ring: plan.Ring{FailureLimit: 1000}, by: map[HostState]int{HostUnknown: tt.allFailed}}
		r := &ring{Ring: plan.Ring{FailureLimit: tt.limit, MaxInFlight: tt.inFlight}, by: map[HostState]int{HostFailed: tt.failed, HostWorking: tt.working}}
		s := &State{rings: []*ring{other, r}, working: make([]int, tt.working)}
		if tt.all != none {
			s.opened.FailureLimit = &tt.all
		}
		if got := s.room(r); got != tt.want {
			t.Errorf("%+v: room for %d", tt, got)
		}
	}
}

// A 50 % batch never starts more than the allowance that is left: 100 hosts, limit 2 %.
func TestHalfABatchKeepsToTheAllowance(t *testing.T) {
	r := plan.Ring{Name: "test", Batches: plan.Batches(100, []playbook.Size{{N: 50, Percent: true}}), MaxInFlight: 20, FailureLimit: plan.Limit(100, playbook.Size{N: 2, Percent: true})}
	for i := range 100 {
		r.Hosts = append(r.Hosts, id(fmt.Sprintf("h%02d", i)))
	}
	tp := newTape(t, Opened{Rollout: "r", Rings: []plan.Ring{r}}, GateOpened{Ring: "test"})
	begin := func() int {
		d := tp.s.Decide(Moment{Now: saturday, Live: tp.live()})
		for _, task := range d.Do {
			tp.add(StepStarted{Host: task.Host, Step: FlowBegin, Mode: Start})
		}
		return len(d.Do)
	}
	fail := func(host string, how Outcome) {
		tp.add(StepEnded{Host: id(host), Step: FlowBegin, Outcome: how})
	}
	if n := begin(); n != 2 {
		t.Errorf("%d begin, want 2", n)
	}
	fail("h00", OutcomeFailed)
	if n := begin(); n != 0 {
		t.Errorf("one failed, one is at work, one failure is left, and %d more begin", n)
	}
	fail("h01", OutcomeNothing)
	if n := begin(); n != 1 {
		t.Errorf("one failure is left, and %d begin", n)
	}
	fail("h02", OutcomeUnknown)
	if n := begin(); n != 1 {
		t.Errorf("none is left, and %d begin: one more stops the ring", n)
	}
	fail("h03", OutcomeFailed)
	if d := tp.s.Decide(Moment{Now: saturday}); len(d.Record) != 1 || d.Record[0].Kind() != kindHalted {
		t.Errorf("past the limit it decided %+v", d)
	}
}

// live are the tasks of all hosts at work.
func (tp *tape) live() map[string]bool {
	live := map[string]bool{}
	for _, at := range tp.s.working {
		live[tp.s.hosts[at].name] = true
	}
	return live
}

// The worked examples of (*State).batchEnds, and more.
func TestBatches(t *testing.T) {
	for _, tt := range []struct {
		hosts   string // those with an = are idle; of one letter: one unit
		stages  []int
		batches []int
		want    string
	}{
		{"a b c d e", nil, []int{1, 2}, "a | b c | d e"},
		{"a b1 b2 c", nil, []int{2}, "a b1 b2 | c"},
		{"a b c d", []int{3, 1}, []int{1, 5}, "a | b c | d"},
		{"a b c d", nil, nil, "a b c d"},
		{"a b c d", []int{1, 3}, nil, "a | b c d"},
		{"a b c d e f", nil, []int{1, 2}, "a | b c | d e | f"}, // the last repeats
		{"a b c", nil, []int{0}, "a | b | c"},
		{"a b", nil, []int{9}, "a b"},
		{"a1 a2 b1 b2 c1 c2", nil, []int{1}, "a1 a2 | b1 b2 | c1 c2"},
		{"a1 a2 b1 b2 c1 c2", nil, []int{1, 2}, "a1 a2 | b1 b2 c1 c2"},
		{"a b= c d= e", nil, []int{1, 2}, "a | c e"},   // who has nothing to do fills no batch
		{"a b= c d", []int{2, 2}, []int{2}, "a | c d"}, // nor a stage
		{"a1 a2= b", nil, []int{1}, "a1 | b"},          // half a unit is one
		{"a b c d e", []int{1, 1, 3}, []int{2}, "a | b | c d | e"},
		{"a b c d e", []int{5, 0}, []int{3, 1}, "a b c | d | e"},
		{"a b c d e", []int{2}, []int{5}, "a b | c d e"}, // what no stage holds is one more
		{"", nil, []int{1}, ""},
	} {
		o := Opened{Rollout: "r", Units: map[string]string{}}
		r := plan.Ring{Name: "x", Batches: tt.batches, Stages: tt.stages}
		for name := range strings.FieldsSeq(tt.hosts) {
			host := id(strings.TrimSuffix(name, "="))
			r.Hosts = append(r.Hosts, host)
			if host.Name != name {
				o.Idle = append(o.Idle, host)
			}
			if len(host.Name) > 1 {
				o.Units[host.String()] = host.Name[:1]
			}
		}
		o.Rings = []plan.Ring{r}
		if got := batchesOf(newTape(t, o).s); got != tt.want {
			t.Errorf("%s in %v, stages %v: %s, want %s", tt.hosts, tt.batches, tt.stages, got, tt.want)
		}
	}
}

// batchesOf writes out which hosts of the first ring are in a batch together.
func batchesOf(s *State) string {
	var out strings.Builder
	r := s.rings[0]
	for i, at := range r.active {
		switch {
		case i > 0 && r.batchEnd(i-1) == i:
			out.WriteString(" | ")
		case i > 0:
			out.WriteString(" ")
		}
		out.WriteString(s.hosts[at].ID.Name)
	}
	return out.String()
}

// Of ever so many hosts that wait, those that may start are found, however many are held
// by one budget.
func TestSearchPassesOverWholeBudgets(t *testing.T) {
	r := plan.Ring{Name: "test", FailureLimit: 20}
	web := plan.Budget{Name: "group web", Most: 1}
	for i := range 5000 {
		r.Hosts = append(r.Hosts, id(fmt.Sprintf("h%04d", i)))
	}
	web.Hosts = append(web.Hosts, r.Hosts[:4990]...)
	o := Opened{Rollout: "r", Rings: []plan.Ring{r}, Budgets: []plan.Budget{web}, Units: map[string]string{"hq/h0000": "u", "hq/h4000": "u"}}
	tp := newTape(t, o, GateOpened{Ring: "test"})
	d := tp.s.Decide(Moment{Now: saturday})
	var got []string
	for _, task := range d.Do {
		got = append(got, task.Host.Name)
	}
	// One of the budget, those that it does not count, and the mate of the first, whose unit
	// is out then.
	if want := "h0000 h4990 h4991 h4992 h4993 h4994 h4995 h4996 h4997 h4998 h4999 h4000"; strings.Join(got, " ") != want {
		t.Errorf("begins %v, want %s", got, want)
	}
	for _, host := range append(got, "h0001") {
		end := StepEnded{Host: id(host), Step: FlowBegin, Outcome: OutcomeNothing}
		if host == "h0001" {
			end.Outcome = OutcomeUnknown
		}
		tp.add(StepStarted{Host: id(host), Step: FlowBegin, Mode: Start}, end)
	}
	d = tp.s.Decide(Moment{Now: saturday})
	if want := "4987 hosts wait: budget of group web: 1 of 1 out (hq/h0001 unknown)"; len(d.Waits) != 1 || d.Waits[0].For != want || !d.Waits[0].Person {
		t.Errorf("it waits for %+v, want %s", d.Waits, want)
	}
}

// slots are a set of places, whatever the word size.
func TestSlots(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "n")
		s, skip, both := newSlots(n), newSlots(n), map[int]bool{}
		want := map[int]bool{}
		for i := range n {
			in, out := rapid.Bool().Draw(t, "in"), rapid.Bool().Draw(t, "skipped")
			s.put(i, true)
			s.put(i, in)
			skip.put(i, out)
			want[i], both[i] = in && !out, in && out
			if s.has(i) != in {
				t.Fatalf("%d is in: %v", i, !in)
			}
		}
		from, end := rapid.IntRange(0, n).Draw(t, "from"), rapid.IntRange(0, n).Draw(t, "end")
		next, count := -1, 0
		for i := from; i < end; i++ {
			if want[i] && next < 0 {
				next = i
			}
			if both[i] {
				count++
			}
		}
		if got := s.next(from, end, []slots{skip}); got != next {
			t.Fatalf("the next from %d below %d is %d, want %d", from, end, got, next)
		}
		if got := s.both(skip, from, end); got != count {
			t.Fatalf("%d are in both, want %d", got, count)
		}
	})
}
