package rollout

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/schedule"
)

// Taking hosts back. It is one more try of the host, in the other direction: begin makes
// the work of what this rollout has installed (HostStatus.Did), the same flow follows, and
// healthy then means rolled back.

func (e RollbackAsked) check(s *State) error {
	if len(e.Hosts) == 0 {
		return errors.New("nothing is left to take back")
	}
	seen := map[fact.HostID]bool{}
	for _, id := range e.Hosts {
		h, err := s.find(id)
		if err != nil {
			return err
		}
		if why := h.stays(e.Auto); why != "" || seen[id] {
			return fmt.Errorf("host %s can't be rolled back: %s", id, why)
		}
		if e.Auto && !s.falls(h) {
			return fmt.Errorf("host %s is %s, and the playbook does not have it rolled back", id, h.State)
		}
		seen[id] = true
	}
	return nil
}

func (e RollbackAsked) apply(s *State, at time.Time) {
	sick := map[fact.HostID]bool{} // the soak is begun anew by the first of them
	for _, id := range e.Hosts {
		h, _ := s.find(id)
		sick[id] = s.fellSick(h)
	}
	for _, id := range e.Hosts {
		h, _ := s.find(id)
		s.fall(h, sick[id], e.Auto, at)
	}
	if !e.Auto && (s.phase == PhaseOpen || s.phase == PhasePaused) {
		s.phase, s.reasons = PhaseHalted, append([]string{"hosts are rolled back"}, said(e.Reason)...)
	}
}

// fall makes a host wait to be taken back. A person's word does without the window that
// the playbook's has.
func (s *State) fall(h *host, sick, auto bool, at time.Time) {
	if h.State == HostRollback {
		h.auto = auto
		return
	}
	from := h.State
	if sick {
		from = HostFailed
	}
	for _, r := range s.rings {
		if !r.opened { // what is proven has changed
			r.waived = nil
		}
	}
	s.unsettle(h.ring)
	h.anew()
	h.Back, h.FellFrom, h.auto = true, from, auto
	s.move(h, HostRollback, at)
}

// unsettle: the rings from the first on are worked on again, so what comes behind them
// soaks again, and is asked after again.
func (s *State) unsettle(first int) {
	for _, r := range s.rings {
		if !r.opened {
			r.soak = soaked{}
		}
		if !r.opened || r.at >= first {
			r.asked = nil
		}
	}
}

// stays says why there is nothing to take back, or not now; empty: there is.
func (h *host) stays(auto bool) string {
	switch {
	case h.State == HostWorking:
		return "it is at work"
	case h.State == HostRollback && (auto || !h.auto):
		return "it waits for that already"
	case h.State == HostRolledBack:
		return "it was rolled back already"
	case !h.Touched || len(h.Did) == 0:
		return "this rollout has changed nothing on it"
	}
	return ""
}

// StepInstall is the step of every driver that installs a work: from its start on, and not
// before, the work counts as done to the host.
const StepInstall platform.StepID = "install"

// Did adds to what was begun to be installed on a host what a step that starts is about to.
// Of a package that several works were about, the first knows what was there before.
func Did(did []patch.Update, began *Began, start platform.StepID) []patch.Update {
	if began == nil || began.Work.Back || start != StepInstall || !slices.Contains(began.Changing, start) {
		return did
	}
	did = slices.Clone(did)
	for _, u := range began.Work.Install {
		at := slices.IndexFunc(did, func(d patch.Update) bool { return d.Key() == u.Key() })
		if at < 0 {
			did = append(did, u)
			continue
		}
		u.From = did[at].From
		did[at] = u
	}
	return did
}

// falls: the playbook has hosts that failed taken back, and this one has, for sure: its
// last try has changed it, or judged it. A host that could not be judged is a person's to
// look at, though it can't even be begun again later; what failed on the way back is not
// tried again by itself.
func (s *State) falls(h *host) bool {
	return s.opened.OnFailure.Rollback && h.State == HostFailed && !h.Back && h.stays(true) == "" &&
		h.failed && (h.changed || h.judged) && h.Began != nil && h.Began.Return.Possible()
}

// fallen are the hosts that the playbook has taken back now.
func (s *State) fallen() []fact.HostID {
	var hosts []fact.HostID
	if !s.opened.OnFailure.Rollback {
		return nil
	}
	for _, at := range s.outs {
		if h := s.hosts[at]; s.falls(h) {
			hosts = append(hosts, h.ID)
		}
	}
	return hosts
}

// takeBack decides about hosts on their way back, before anything else is begun: those
// are out already. It tells whether the rest has to wait for what is recorded, or for them.
func (s *State) takeBack(d *Decision, m Moment, p policy) bool {
	hosts := p.fallen(s)
	switch {
	case s.phase == PhasePaused && len(hosts)+len(s.falling) > 0:
		d.Waits = append(d.Waits, s.waitOfPhase())
		return true // else it would conclude, and nobody would take them back
	case len(hosts) > 0 && (s.phase == PhaseOpen || s.phase == PhaseHalted):
		d.Record = append(d.Record, RollbackAsked{Hosts: hosts, Auto: true, Reason: "on_failure: rollback"})
		return true
	case len(s.falling) == 0:
		return false
	case m.Stopping:
		d.Waits = append(d.Waits, stopping(s.rings[s.hosts[s.falling[0]].ring]))
		return true
	}
	// What else may begin is decided once these count as begun; and the rollout does not
	// conclude before they are back.
	return s.startBack(d, m, p) || s.current() == nil
}

// inFlightBack is how many hosts are taken back at once where the ring does not say.
const inFlightBack = 20

// startBack begins as many of the hosts that wait to be taken back as may be; false: none.
func (s *State) startBack(d *Decision, m Moment, p policy) bool {
	t, held := s.tally(m), heldBack{}
	for _, at := range s.falling {
		h := s.hosts[at]
		most := s.rings[h.ring].MaxInFlight
		if most <= 0 {
			most = inFlightBack
		}
		if len(s.working)+len(t.picked) >= most {
			break
		}
		if why := s.keepsBack(h, t, m.Now, p); why != nil {
			held.add(h, *why, 1)
			continue
		}
		t.pick(h)
		d.Do = append(d.Do, s.task(h, Start, p))
	}
	if len(d.Do) == 0 {
		d.Waits = append(d.Waits, held.waits(s.rings[s.hosts[s.falling[0]].ring], s, m.Now)...)
	}
	d.Wake = sooner(d.Wake, held.wake)
	return len(t.picked) > 0
}

// keepsBack is why a host is not taken back now; nil: it may be. One that is out already
// needs no budget. A person's word needs no window.
func (s *State) keepsBack(h *host, t *tally, now time.Time, p policy) *hindrance {
	if now.Before(h.NotBefore) {
		return &hindrance{text: "stepped back for a budget", until: h.NotBefore}
	}
	if s.windowed(h) {
		if answer := s.returns(now, h.takes); !answer.Open {
			why := untilOf(answer)
			return &why
		}
	}
	if !h.out {
		if spent := p.exceeds(t, h); spent != nil {
			return &hindrance{spent: spent, until: t.soon}
		}
	}
	return nil
}

// windowed: the host is taken back because the playbook says so, not a person.
func (s *State) windowed(h *host) bool { return h.auto }

// returns tells whether the window of rollbacks leaves time for the way back alone.
func (s *State) returns(at time.Time, takes time.Duration) schedule.Answer {
	if s.clock == nil {
		return schedule.Answer{Why: "no calendar"}
	}
	return s.clock.Fits(s.opened.OnFailure.Window, at, takes)
}

// Rollback takes hosts back, by a person's word; none named: all that this rollout has
// changed and that can be.
func (s *State) Rollback(hosts []fact.HostID, reason string) (RollbackAsked, error) {
	if len(hosts) == 0 {
		for _, h := range s.hosts {
			if h.stays(false) == "" {
				hosts = append(hosts, h.ID)
			}
		}
	}
	slices.SortFunc(hosts, fact.HostID.Compare)
	e := RollbackAsked{Hosts: hosts, Reason: reason}
	return e, s.Check(e)
}

// Returning tells whether hosts wait to be taken back, or are on that way.
func (s *State) Returning() bool {
	return len(s.falling) > 0 || slices.ContainsFunc(s.working, func(at int) bool { return s.hosts[at].Back })
}
