package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// Budgets (rule 2). A unit is out while any of its members is: at work here, changed
// and not well, drained, held by another rollout of the state folder, or seen to be out
// by a begin step. The first three the state knows at every moment; the fourth is part
// of the Moment; for the fifth each begin step measures, under the host's own lock, and
// steps back where that would be one too many.

// budget with the units that this rollout itself has out.
type budget struct {
	plan.Budget
	out map[string]int // unit → how many of its members
}

// unitIn is what a host counts as in a budget.
func (s *State) unitIn(b plan.Budget, id fact.HostID) string {
	at, ours := s.index[id]
	switch {
	case !ours:
		return unitIn(b, s.opened.Units, id)
	case b.Members:
		return s.hosts[at].name
	}
	return s.hosts[at].unit
}

func unitIn(b plan.Budget, units map[string]string, id fact.HostID) string {
	name := id.String()
	if unit := units[name]; unit != "" && !b.Members {
		return "unit " + unit
	}
	return name
}

func (s *State) addBudgets(e Opened) {
	s.counted, s.mates = map[fact.HostID][]int{}, map[string][]int{}
	for i, b := range e.Budgets {
		s.budgets = append(s.budgets, &budget{Budget: b, out: map[string]int{}})
		for _, id := range b.Hosts {
			s.counted[id] = append(s.counted[id], i)
		}
	}
}

// many hosts of one budget are passed over at once when it is used up; fewer are asked.
const many = 4

// survey works out what never changes about a ring's active hosts.
func (s *State) survey(r *ring) {
	counts := map[int]int{}
	r.inBudget = map[int]slots{}
	for i, at := range r.active {
		h := s.hosts[at]
		if i == 0 || h.takes < r.shortest {
			r.shortest = h.takes
		}
		for _, b := range h.budgets {
			counts[b]++
		}
	}
	for slot, at := range r.active {
		for _, b := range s.hosts[at].budgets {
			if counts[b] >= many && r.inBudget[b] == nil {
				r.inBudget[b] = newSlots(len(r.all))
			}
			if counts[b] >= many {
				r.inBudget[b].put(slot, true)
			}
		}
	}
}

func contains(b plan.Budget, id fact.HostID) bool {
	_, found := slices.BinarySearchFunc(b.Hosts, id, fact.HostID.Compare)
	return found
}

// count keeps the budgets' counters true after anything about a host has changed.
func (s *State) count(h *host) {
	out := h.isOut()
	if out == h.out {
		return
	}
	h.out = out
	s.outs = list(s.outs, s.index[h.ID], out)
	for _, at := range h.budgets {
		b := s.budgets[at]
		unit := s.unitIn(b.Budget, h.ID)
		if out {
			b.out[unit]++
		} else if b.out[unit]--; b.out[unit] == 0 {
			delete(b.out, unit)
		}
	}
}

// isOut tells whether the host is out of use as far as this rollout knows.
func (h *host) isOut() bool {
	switch h.State {
	case HostWorking, HostUnknown:
		return true
	case HostHealthy, HostRolledBack:
		return h.Drained
	case HostWaiting, HostRollback, HostFailed, HostNothing, HostUnreachable:
	}
	return h.wasOut()
}

// wasOut tells whether a host is out that nobody works on. One that was healthy when it
// was to be taken back is in use until that begins to change it.
func (h *host) wasOut() bool {
	inUse := h.Back && h.FellFrom == HostHealthy && !h.changed && !h.judged
	return h.Drained || h.Touched && !inUse
}

// Held are the hosts that this rollout has out, sorted: what other rollouts of the same
// state folder must count. One that is over holds what it still works on, and what it has
// drained and nobody has put back: that others can't see by looking.
func (s *State) Held() []fact.HostID {
	held := []fact.HostID{}
	over := s.phase == PhaseFinished || s.phase == PhaseAborted
	for _, at := range s.outs {
		if h := s.hosts[at]; !over || h.State == HostWorking || h.Drained {
			held = append(held, h.ID)
		}
	}
	slices.SortFunc(held, fact.HostID.Compare)
	return held
}

// Budgeted tells whether any budget holds for this rollout.
func (s *State) Budgeted() bool { return len(s.budgets) > 0 }

// Out gives the hosts that this rollout has out, each with why.
func (s *State) Out() map[fact.HostID]string {
	out := map[fact.HostID]string{}
	for _, at := range s.outs {
		out[s.hosts[at].ID] = s.hosts[at].why()
	}
	return out
}

// IsOut tells whether this rollout has a host out, and why.
func (s *State) IsOut(id fact.HostID) (string, bool) {
	at, ok := s.index[id]
	if !ok || !s.hosts[at].out {
		return "", false
	}
	return s.hosts[at].why(), true
}

// outBefore is why a host is out that was out before it was begun again: its unit needs
// no more of a budget.
const outBefore = "out before, and at work again"

func (h *host) why() string {
	switch {
	case h.State == HostWorking && h.open == FlowBegin && h.wasOut():
		return outBefore
	case h.State == HostWorking:
		return "at work"
	case h.Drained:
		return string(h.State) + " and drained"
	}
	return string(h.State)
}

// Exceeds tells whether starting a host would take more units of a budget out than it
// allows, when those of out are out already, and names the first such budget with who
// is out of it. A unit that is out already needs no more budget: as another member of it
// tells, or, of the host itself, what State.Out says of one that is begun again.
func Exceeds(budgets []plan.Budget, units map[string]string, id fact.HostID, out map[fact.HostID]string) (string, bool) {
	for _, b := range budgets {
		if !contains(b, id) || out[id] == outBefore {
			continue
		}
		gone := map[string]string{}
		for _, other := range slices.SortedFunc(maps.Keys(out), fact.HostID.Compare) {
			if contains(b, other) && other != id {
				gone[unitIn(b, units, other)] = other.String() + " " + out[other]
			}
		}
		if _, already := gone[unitIn(b, units, id)]; !already && len(gone) >= b.Most {
			return spent(b, gone), true
		}
	}
	return "", false
}

// spent says that a budget is used up, and by whom.
func spent(b plan.Budget, gone map[string]string) string {
	const shown = 3
	who := slices.Sorted(maps.Values(gone))
	more := ""
	if len(who) > shown {
		more = fmt.Sprintf(" and %d more", len(who)-shown)
		who = who[:shown]
	}
	return fmt.Sprintf("budget of %s: %d of %d out (%s%s)", b.Name, len(gone), b.Most, strings.Join(who, ", "), more)
}

// sighting is what the last begin that stepped back saw.
type sighting struct {
	out   map[fact.HostID]string
	until time.Time // after this it is looked at anew
}

// backFor is how long a host that stepped back waits, on average, before it is tried again;
// twice as long each further time, but not for ever longer: a peer that is gone for days
// must not fill the journal, and one that comes back soon not cost a window.
const (
	backFor     = 2 * time.Minute
	backDoubles = 3
)

// stepBack puts a host back to waiting. The pause is spread by rollout, host and count,
// so that two operators who stepped back from each other do not meet again.
func (s *State) stepBack(h *host, e StepEnded, at time.Time) {
	h.backs++
	about := backFor << min(h.backs-1, backDoubles)
	pause := about/2 + spread(about, s.opened.Rollout, h.name, strconv.Itoa(h.backs))
	h.NotBefore = at.Add(pause)
	if h.Back {
		s.move(h, HostRollback, at)
	} else {
		s.move(h, HostWaiting, at)
	}
	seen := map[fact.HostID]string{}
	for _, name := range slices.Sorted(maps.Keys(e.Out)) {
		id, ok := s.idOf(name)
		if own, known := s.index[id]; !ok || known && s.hosts[own].out {
			continue // the counters know better when it comes back
		}
		seen[id] = e.Out[name]
	}
	s.seen = sighting{out: seen, until: h.NotBefore}
}

// idOf finds a host of a budget by its written name.
func (s *State) idOf(name string) (fact.HostID, bool) {
	site, host, ok := strings.Cut(name, "/")
	return fact.HostID{Site: site, Name: host}, ok && site != "" && host != ""
}

// spread is a duration below most that the words decide, evenly. All twelve digits of the
// digest are used: of eight, as nanoseconds, no pause would differ by more than 4 s.
func spread(most time.Duration, words ...string) time.Duration {
	digest := patch.DigestOf([]byte(strings.Join(words, "\x00"))).Short()
	n, err := strconv.ParseInt(digest, 16, 64)
	if err != nil || most <= 0 {
		return 0
	}
	return time.Duration(n) % most
}
