package rollout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
)

// What people say, as entries: each is refused here where it would mean nothing, with
// the reason, before it is journaled.

// Approve is one approver's word for a ring, typed by somebody, at that time. Signed: it gets
// a signature before it is journaled.
func (s *State) Approve(ring, by, as, reason string, signed bool, now time.Time) (Approved, error) {
	r, err := s.unopened(ring)
	if err != nil {
		return Approved{}, err
	}
	set, err := s.wanted(r)
	if err != nil {
		return Approved{}, err
	}
	a := Approved{Ring: ring, Plan: s.opened.Plan, Set: set, By: by, As: as, Reason: reason}
	if r.Gate.Approval != nil {
		a.Expires = now.Add(r.Gate.Approval.Expires).UTC().Truncate(time.Second) // as it is signed
	}
	probe := a
	if signed {
		probe.Signature = "to come"
	}
	return a, s.Check(probe)
}

// Waive is a person's word to do without a soak, or without an inquiry whose last
// answer could not be told. What failed can't be waived.
func (s *State) Waive(ring, what, by, reason string) (Waived, error) {
	_, r := s.ring(ring)
	if r == nil {
		return Waived{}, fmt.Errorf("no ring is named %s", ring)
	}
	set, err := s.wanted(r)
	if err != nil {
		return Waived{}, err
	}
	w := Waived{Ring: ring, Set: set, What: what, By: by, Reason: reason}
	if err := s.Check(w); err != nil {
		return Waived{}, err
	}
	if name, check := strings.CutPrefix(what, "check:"); check {
		w.When, err = r.waivable(name)
		return w, err
	}
	if r.soak.verdict == health.Fail || r.soak.failed > r.Gate.Soak.FailureLimit {
		return Waived{}, errors.New("the soak saw hosts that are not well, and that can't be waived" + r.soak.who())
	}
	return w, nil
}

// waivable: the last answer, before or after the ring, could not be told.
func (r *ring) waivable(name string) (playbook.When, error) {
	for _, when := range []playbook.When{before, after} {
		if a := r.asked[askedKey(name, when)]; a != nil && a.verdict == health.Unknown {
			return when, nil
		}
	}
	return "", fmt.Errorf("check %s is not inconclusive: only what could not be told can be waived", name)
}

// Retry begins hosts again; none named: all that can be. What is at work is not among them.
func (s *State) Retry(hosts []fact.HostID, reason string) (Retried, error) {
	if len(hosts) == 0 {
		for _, h := range s.hosts {
			if s.retriable(h) && h.State != HostUnreachable {
				hosts = append(hosts, h.ID)
			}
		}
	}
	slices.SortFunc(hosts, fact.HostID.Compare)
	e := Retried{Hosts: hosts, Reason: reason}
	return e, s.Check(e)
}
