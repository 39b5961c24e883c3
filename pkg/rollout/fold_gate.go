package rollout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
)

// What is gathered for a gate: samples, answers, people's words, the calendar.

// gathered is what a ring's gate has been told so far.
type gathered struct {
	soak     soaked
	asked    map[string]*answers // by when and name
	approved []Approved
	waived   []Waived
}

// notOver refuses words that mean nothing to a rollout that has come to its end.
func (s *State) notOver() error {
	if s.phase == PhaseFinished || s.phase == PhaseAborted {
		return fmt.Errorf("the rollout is %s", s.phase)
	}
	return nil
}

// unopened finds a ring whose gate has not opened.
func (s *State) unopened(name string) (*ring, error) {
	_, r := s.ring(name)
	switch {
	case r == nil:
		return nil, fmt.Errorf("no ring is named %s", name)
	case r.opened:
		return nil, fmt.Errorf("the gate of ring %s is open already", name)
	}
	return r, s.notOver()
}

func (e Approved) check(s *State) error {
	r, err := s.unopened(e.Ring)
	if err != nil {
		return err
	}
	a := r.Gate.Approval
	switch {
	case a == nil:
		return fmt.Errorf("ring %s asks for no approval", e.Ring)
	case e.Plan != s.opened.Plan:
		return errors.New("the approval is for another plan")
	case !slices.Contains(a.People, e.As):
		return fmt.Errorf("%s is not one of the approvers %s", e.As, a.Approvers)
	case e.As == s.starter, e.By == s.starter && e.Signature == "":
		return fmt.Errorf("%s started this rollout, and can't approve it", s.starter)
	case s.opened.Trust.Approvals && e.Signature == "":
		return errors.New("this site takes signed approvals only")
	}
	return s.secondPair(e)
}

func (e Approved) apply(s *State, _ time.Time) {
	_, r := s.ring(e.Ring)
	r.approved = append(r.approved, e)
}

func (e Waived) check(s *State) error {
	_, r := s.ring(e.Ring)
	name, check := strings.CutPrefix(e.What, "check:")
	switch {
	case r == nil:
		return fmt.Errorf("no ring is named %s", e.Ring)
	case e.Reason == "":
		return errors.New("a waiver needs a reason")
	case e.What == WaiveSoak && r.Gate.Soak == nil:
		return fmt.Errorf("ring %s asks for no soak", e.Ring)
	case check && r.inquiry(name) == nil:
		return fmt.Errorf("ring %s has no check %s", e.Ring, name)
	case e.What != WaiveSoak && !check:
		return fmt.Errorf("%q can't be waived, only a soak or a check", e.What)
	}
	return s.notOver()
}

func (e Waived) apply(s *State, _ time.Time) {
	_, r := s.ring(e.Ring)
	r.waived = append(r.waived, e)
}

func (r *ring) inquiry(name string) *playbook.Inquiry {
	i := slices.IndexFunc(r.Gate.Checks, func(q playbook.Inquiry) bool { return q.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Gate.Checks[i]
}

func (e Sampled) check(s *State) error {
	r, err := s.unopened(e.Ring)
	if err != nil {
		return err
	}
	switch {
	case r.Gate.Soak == nil:
		return fmt.Errorf("ring %s asks for no soak", e.Ring)
	case s.quiet(r).IsZero():
		return fmt.Errorf("the rings before %s have not ended, so there is nothing to soak yet", e.Ring)
	}
	return nil
}

// apply leaves out a first sample that comes before it is due: it was asked for before a
// host was begun again, and tells nothing of the time since.
func (e Sampled) apply(s *State, at time.Time) {
	_, r := s.ring(e.Ring)
	quiet := s.quiet(r)
	_, waived := s.waiver(r, WaiveSoak, "") // then one is asked for at once
	if waived || r.soak.samples > 0 || !at.Before(r.soak.due(*r.Gate.Soak, quiet)) {
		r.soak.add(e, *r.Gate.Soak, quiet, at)
	}
}

func (e Asked) check(s *State) error {
	_, r := s.ring(e.Ring)
	switch {
	case r == nil:
		return fmt.Errorf("no ring is named %s", e.Ring)
	case r.inquiry(e.Check) == nil:
		return fmt.Errorf("ring %s has no check %s", e.Ring, e.Check)
	case e.When != playbook.WhenBefore && e.When != playbook.WhenAfter:
		return fmt.Errorf("a check is asked before or after its ring, not %q", e.When)
	case e.When == playbook.WhenAfter && !s.ended(r):
		return fmt.Errorf("ring %s has not ended, so it is no time to ask after it", e.Ring)
	}
	return nil
}

// ended tells whether a ring and all before it have.
func (s *State) ended(r *ring) bool {
	return !slices.ContainsFunc(s.rings[:r.at+1], func(r *ring) bool { return !r.done() })
}

func (e Asked) apply(s *State, at time.Time) {
	_, r := s.ring(e.Ring)
	if r.asked == nil {
		r.asked = map[string]*answers{}
	}
	key := askedKey(e.Check, e.When)
	if r.asked[key] == nil {
		r.asked[key] = &answers{}
	}
	r.asked[key].add(e, at)
}

func askedKey(name string, when playbook.When) string { return string(when) + " " + name }

// answers to one inquiry.
type answers struct {
	asked, failed, streak int
	last                  time.Time
	verdict               health.Verdict
	seen                  string
}

func (a *answers) add(e Asked, at time.Time) {
	a.asked++
	a.last, a.verdict, a.seen = at, e.Verdict, e.Seen
	switch e.Verdict {
	case health.Pass:
		a.streak++
	case health.Fail:
		a.failed++
		a.streak = 0
	default:
		a.streak = 0
	}
}

func (e Retried) check(s *State) error {
	if len(e.Hosts) == 0 && s.phase != PhaseHalted {
		return errors.New("no host is named, and the rollout is not halted")
	}
	seen := map[fact.HostID]bool{}
	for _, id := range e.Hosts {
		h, err := s.find(id)
		if err != nil {
			return err
		}
		if seen[id] || !s.retriable(h) {
			return fmt.Errorf("host %s is %s: only failed, unknown and unreachable hosts that the plan has work for are begun again, and those that fell sick in a soak", id, h.State)
		}
		seen[id] = true
	}
	if s.phase == PhaseAborted {
		return s.notOver()
	}
	return nil // a finished one is open again: what failed at its end must not be lost
}

// retriable hosts are those that came to a bad end, or fell sick in a soak.
func (s *State) retriable(h *host) bool {
	switch h.State {
	case HostFailed, HostUnknown, HostUnreachable, HostRolledBack:
		return h.slot >= 0
	case HostHealthy:
		return s.fellSick(h)
	case HostWaiting, HostWorking, HostNothing, HostRollback:
	}
	return false
}

func (e Retried) apply(s *State, at time.Time) {
	first := len(s.rings) // the first ring that is patched again
	for _, id := range e.Hosts {
		h, _ := s.find(id)
		first = min(first, h.ring)
		s.again(h, at)
	}
	for _, r := range s.rings {
		if !r.opened || r.at >= first || s.phase == PhaseHalted {
			r.asked = nil // the questions are asked anew
		}
		if !r.opened && (len(e.Hosts) > 0 || s.phase == PhaseHalted) {
			r.soak, r.waived = soaked{}, nil // a ring that is patched again soaks again
		}
	}
	if s.phase == PhaseHalted || s.phase == PhaseFinished {
		s.phase, s.reasons = PhaseOpen, nil
	}
}

// again makes a host waiting as it was before it was begun, but for what must not be
// forgotten: that it was touched, is drained or silenced, and its state before.
func (s *State) again(h *host, at time.Time) {
	if h.State == HostRolledBack { // nothing of the earlier tries is left on it
		h.Did, h.Touched = nil, false
	}
	h.anew()
	h.Back, h.FellFrom = false, ""
	s.move(h, HostWaiting, at)
}

// anew begins the next try.
func (h *host) anew() {
	h.Try++
	h.failed, h.checked, h.judged, h.changed, h.undrained, h.unsilenced, h.next, h.open = false, false, false, false, false, false, 0, ""
	h.Code, h.Reasons, h.Notes, h.Checks, h.Proven, h.NotBefore = "", nil, nil, nil, nil, time.Time{}
}

// quiet is since when the rings before a ring have all ended; zero: they have not.
func (s *State) quiet(r *ring) time.Time {
	since := s.began
	for _, before := range s.rings[:r.at] {
		if !before.done() {
			return time.Time{}
		}
		if before.closed.After(since) {
			since = before.closed
		}
	}
	return since
}

// fellSick: the last sample of a gate that has not opened found the host not well.
func (s *State) fellSick(h *host) bool {
	for _, r := range s.rings {
		if _, sick := r.soak.sick[h.name]; sick && !r.opened {
			return true
		}
	}
	return false
}

// wanted is the set that a ring is bound to, or would be if its gate opened now. The
// first ring has none. An error: a ring before has not ended.
func (s *State) wanted(r *ring) (patch.Digest, error) {
	switch {
	case r.opened:
		return r.gate.Set, nil
	case r.at == 0:
		return "", nil
	case s.quiet(r).IsZero():
		return "", fmt.Errorf("the rings before %s have not ended, so it is not known yet what it will get", r.Name)
	}
	s.freeze(r)
	return r.memo.named, nil
}
