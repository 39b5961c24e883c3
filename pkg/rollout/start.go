package rollout

import (
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/schedule"
)

// start begins as many hosts of a ring as may be begun now, and says why others wait.
func (s *State) start(d *Decision, r *ring, m Moment, p policy) {
	x := s.search(r, m, p)
	for _, at := range p.next(x, p.room(s, r)) {
		d.Do = append(d.Do, s.task(s.hosts[at], Start, p))
	}
	if len(d.Do) == 0 && len(s.working) == 0 {
		s.repair(d, x, p)
	}
	if len(d.Do) == 0 { // while something goes on, what waits behind it is no news
		d.Waits = append(d.Waits, x.held.waits(r, s, m.Now)...)
	}
	d.Wake = sooner(d.Wake, x.held.wake)
}

// repair begins a host that is out already and is to be begun again, though its batch, or
// its ring, whose gate has opened, is not the current one: it may be what the others wait
// for, and while they wait its turn would never come.
func (s *State) repair(d *Decision, x *search, p policy) {
	for _, r := range s.rings[x.r.at:] {
		if !r.opened {
			return
		}
		other := &search{s: s, r: r, p: p, now: x.now, t: x.t, answers: map[time.Duration]schedule.Answer{}}
		for _, at := range other.outAlready(r) {
			h := s.hosts[at]
			asked := r == x.r && h.slot < x.end
			if !asked && h.out && p.room(s, r) > 0 && other.may(h) {
				d.Do = append(d.Do, s.task(h, Start, p))
				return
			}
		}
		d.Waits = append(d.Waits, other.held.waits(r, s, x.now)...)
		d.Wake = sooner(d.Wake, other.held.wake)
	}
}

// hindrance is why a host is not begun now.
type hindrance struct {
	text   string
	spent  *spentBudget // instead of text
	until  time.Time    // zero: with an event
	person bool
	hosts  int
	first  string
}

// How the reason of a host begins that is out because others are at work on it: another
// rollout of the state folder holds it, or its lock is another's. That ends by itself.
// Every other reason needs a person, unless it is our own work.
const (
	HeldBy   = "held by "
	LockedBy = "locked by "
)

// InQuarantine is why a host is out that a plan has left out as known to be dead.
const InQuarantine = "in quarantine"

// heldBack gathers why hosts wait, the same reason once.
type heldBack struct {
	reasons []*hindrance
	by      map[reasonKey]*hindrance
	wake    time.Time
}

// reasonKey tells reasons apart without putting them into words.
type reasonKey struct {
	text   string
	budget int
}

func (why hindrance) key() reasonKey {
	if why.spent != nil {
		return reasonKey{budget: why.spent.at + 1}
	}
	return reasonKey{text: why.text}
}

func (b *heldBack) add(h *host, why hindrance, n int) {
	if b.by == nil {
		b.by = map[reasonKey]*hindrance{}
	}
	known := b.by[why.key()]
	if known == nil {
		known = &why
		b.by[why.key()] = known
		b.reasons = append(b.reasons, known)
	}
	known.until = sooner(known.until, why.until)
	if known.hosts == 0 {
		known.first = h.name
	}
	known.hosts += n
	b.wake = sooner(b.wake, why.until)
}

// waits says it in one line a reason.
func (b *heldBack) waits(r *ring, s *State, now time.Time) []Wait {
	const shown = 3
	var out []Wait
	for _, why := range b.reasons[:min(shown, len(b.reasons))] {
		text := why.first + " waits"
		if why.hosts > 1 {
			text = fmt.Sprintf("%d hosts wait", why.hosts)
		}
		if why.until.After(now) && s.clock != nil {
			text += " until " + s.clock.Say(why.until, now)
		}
		if why.spent != nil {
			why.text, why.person = why.spent.String(), why.spent.stuck()
		}
		out = append(out, Wait{Ring: r.Name, For: text + ": " + why.text + s.starved(r, now), Until: why.until, Person: why.person})
	}
	return out
}

// starvedAfter is when it is said that hosts have been waiting for long.
const starvedAfter = 24 * time.Hour

// starved says since when the hosts of a ring could have been begun, where that is long ago:
// windows have passed, and their turn has not come.
func (s *State) starved(r *ring, now time.Time) string {
	if s.clock == nil || r.openedAt.IsZero() || now.Sub(r.openedAt) < starvedAfter {
		return ""
	}
	return "; their turn has not come since the gate opened, " + s.clock.Say(r.openedAt, now)
}
