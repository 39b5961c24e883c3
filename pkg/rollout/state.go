package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/schedule"
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
	outs    []int // hosts that count as out, likewise
	falling []int // hosts that wait to be taken back, likewise

	starter string // who opened it
	notable notable
	sealed  uint64 // the last record that a checkpoint covers
	// starterKey and starterAs made the first checkpoint.
	starterKey, starterAs string
	voucher               Voucher
	vouches               map[Approved]vouch
	calendar              schedule.Calendar
	clock                 *schedule.Clock
	override              WindowOverridden
	budgets               []*budget
	counted               map[fact.HostID][]int // the budgets that count a host, inside and outside the rings
	mates                 map[string][]int      // the hosts of each unit that has a name
	seen                  sighting
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
	openedAt time.Time
	by       map[HostState]int
	ended    int
	unasked  int           // ended as unknown without having been touched
	firstOut int           // every active host before this one has ended
	fresh    slots         // those of active that are waiting
	inBudget map[int]slots // by budget: those of active that it counts, where they are many
	shortest time.Duration // what the quickest of active takes
	began    time.Time
	closed   time.Time
	ends     []int // where each batch of active ends
	memo     memo
	gathered
}

// memo is what the rings before have proven, until a host of theirs changes its state:
// to gather it costs a look at each of them.
type memo struct {
	known bool
	set   patch.PatchSet
	named patch.Digest
}

// host is a host's standing.
type host struct {
	HostStatus
	ring    int
	next    int             // index into Began.Steps of the step that comes next
	open    platform.StepID // the step that has begun and not ended; empty: none
	failed  bool            // a step failed: only end is left
	ended   bool
	checked bool          // verify and check have passed
	name    string        // its ID written out
	unit    string        // its own name where it is its own
	takes   time.Duration // how long its work is expected to take: as planned
	slot    int           // where it stands in its ring's active; -1: nowhere
	budgets []int
	out     bool // counted as out in its budgets
	backs   int  // how often it stepped back
	// gaveBack: undrain or unsilence were begun in this try, so they are not tried again.
	undrained, unsilenced bool
	judged                bool // verify was begun in this try
	changed               bool // a step that changes it was begun in this try
	auto                  bool // it is taken back because the playbook says so, not a person
}

// failures are the hosts that count against the ring's limit: one that was taken back
// has not come through.
func (r *ring) failures() int {
	return r.by[HostFailed] + r.by[HostUnknown] + r.by[HostRollback] + r.by[HostRolledBack]
}

// done tells whether every host of the ring has ended.
func (r *ring) done() bool { return r.ended == len(r.all) }

// waiting tells whether a host of the ring has not been begun.
func (r *ring) waiting() bool { return r.by[HostWaiting] > 0 }

// ID is the rollout's id; empty before it is opened.
func (s *State) ID() string { return s.opened.Rollout }

// Opening is the entry that began the rollout; it must not be changed.
func (s *State) Opening() Opened { return s.opened }

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
	s.working = list(s.working, here, to == HostWorking)
	s.falling = list(s.falling, here, to == HostRollback)
	if h.slot >= 0 {
		r.fresh.put(h.slot, to == HostWaiting)
	}
	if h.ended {
		s.reopen(h, r)
	}
	for _, later := range s.rings[h.ring+1:] {
		later.memo = memo{}
	}
	h.State = to
	switch to {
	case HostWorking:
		h.Started = at
		if r.began.IsZero() {
			r.began = at
		}
	case HostWaiting:
		r.firstOut = min(r.firstOut, h.slot)
	default:
		s.end(h, r, at)
	}
	r.advance(s.hosts)
	s.count(h)
}

// list puts an index into a sorted list, or takes it out.
func list(sorted []int, at int, in bool) []int {
	switch slot, found := slices.BinarySearch(sorted, at); {
	case found && !in:
		return slices.Delete(sorted, slot, slot+1)
	case !found && in:
		return slices.Insert(sorted, slot, at)
	}
	return sorted
}

// end books a host out.
func (s *State) end(h *host, r *ring, at time.Time) {
	h.ended, h.Ended, h.open = true, at, ""
	if h.Drained {
		h.Notes = append(h.Notes, drainLeft)
	}
	r.ended++
	if h.State == HostUnknown && !h.Touched {
		r.unasked++
	}
	if r.done() {
		r.closed = at
	}
}

// reopen takes back that a host has ended.
func (s *State) reopen(h *host, r *ring) {
	h.ended, h.Ended = false, time.Time{}
	r.ended--
	if h.State == HostUnknown && !h.Touched {
		r.unasked--
	}
	r.closed = time.Time{}
}

// advance moves the cursor over hosts that it need not look at again.
func (r *ring) advance(hosts []*host) {
	for r.firstOut < len(r.active) && hosts[r.active[r.firstOut]].ended {
		r.firstOut++
	}
}
