package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

// State is what folding a journal gives. The zero value is a rollout that has not
// been opened. Only Fold changes it. It is not safe for concurrent use.
type State struct {
	opened  Opened
	phase   Phase
	seq     uint64
	began   time.Time
	changed time.Time
	reasons []string
	rings   []*ring
	hosts   []*host // in the order of the rings, then of their hosts
	index   map[fact.HostID]int
	sets    map[patch.Digest]patch.PatchSet
	working []int // hosts at work, as sorted indices into hosts
}

// ring is a ring's standing. The counters are kept so that Decide need not look at
// every host after every event.
type ring struct {
	plan.Ring
	at       int
	all      []int // its hosts, as indices into State.hosts
	active   []int // those of them that the plan has work for: batches are made of these
	opened   bool
	gate     GateOpened
	by       map[HostState]int
	ended    int
	unasked  int // ended as unknown without having been touched
	firstOut int // every active host before this one has ended
	firstNew int // no active host before this one is waiting
	began    time.Time
	closed   time.Time
}

// host is a host's standing.
type host struct {
	HostStatus
	ring    int
	next    int             // index into Began.Steps of the step that comes next
	open    platform.StepID // the step that has begun and not ended; empty: none
	failed  bool            // a step failed: only end is left
	ended   bool
	checked bool // verify and check have passed
}

// failures are the hosts that count against the ring's limit.
func (r *ring) failures() int { return r.by[HostFailed] + r.by[HostUnknown] }

// done tells whether every host of the ring has ended.
func (r *ring) done() bool { return r.ended == len(r.all) }

// waiting tells whether a host of the ring has not been begun.
func (r *ring) waiting() bool { return r.by[HostWaiting] > 0 }

// ID is the rollout's id; empty before it is opened.
func (s *State) ID() string { return s.opened.Rollout }

// Plan is the digest of the plan that the rollout carries out.
func (s *State) Plan() patch.Digest { return s.opened.Plan }

// Seq is the number of the last event folded; 0: none.
func (s *State) Seq() uint64 { return s.seq }

// Phase is where the rollout stands as a whole.
func (s *State) Phase() Phase { return s.phase }

// Frozen gives a patch set that a gate of this rollout is bound to. The first
// ring's empty digest names none.
func (s *State) Frozen(set patch.Digest) (patch.PatchSet, bool) {
	frozen, ok := s.sets[set]
	return frozen, ok
}

// Host gives one host's standing. What it points to must not be changed.
func (s *State) Host(id fact.HostID) (HostStatus, bool) {
	at, ok := s.index[id]
	if !ok {
		return HostStatus{}, false
	}
	return s.hosts[at].HostStatus, true
}

// find gives the host that an entry names.
func (s *State) find(id fact.HostID) (*host, error) {
	at, ok := s.index[id]
	if !ok {
		return nil, fmt.Errorf("host %s is not in this rollout", id)
	}
	return s.hosts[at], nil
}

// move is the only place where a host's state changes; it keeps the counters true.
func (s *State) move(h *host, to HostState, at time.Time) {
	r, here := s.rings[h.ring], s.index[h.ID]
	r.by[h.State]--
	r.by[to]++
	if slot, found := slices.BinarySearch(s.working, here); found && to != HostWorking {
		s.working = slices.Delete(s.working, slot, slot+1)
	} else if !found && to == HostWorking {
		s.working = slices.Insert(s.working, slot, here)
	}
	h.State = to
	if to == HostWorking {
		h.Started = at
		if r.began.IsZero() {
			r.began = at
		}
	} else if to != HostWaiting {
		s.end(h, r, at)
	}
	r.advance(s.hosts)
}

// end books a host out.
func (s *State) end(h *host, r *ring, at time.Time) {
	h.ended, h.Ended, h.open = true, at, ""
	r.ended++
	if h.State == HostUnknown && !h.Touched {
		r.unasked++
	}
	if r.done() {
		r.closed = at
	}
}

// advance moves the cursors over hosts that they need not look at again.
func (r *ring) advance(hosts []*host) {
	for r.firstOut < len(r.active) && hosts[r.active[r.firstOut]].ended {
		r.firstOut++
	}
	for r.firstNew < len(r.active) && hosts[r.active[r.firstNew]].State != HostWaiting {
		r.firstNew++
	}
}
