package evidence

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
)

// gates decides about every gate once more: would it have opened, with what the journal knew
// just before? So a journal that tells of a soak without samples, or of a patch set that no
// ring has proven, is found out, whoever has signed it.
func (a *audit) gates() {
	s := &rollout.State{}
	s.Trust(a.vouch)
	var wrong []string
	opened := 0
	for i, e := range a.history.events {
		if gate, ok := e.Entry.(rollout.GateOpened); ok {
			opened++
			if why := refused(s, gate, a.moments(i)); why != "" {
				wrong = append(wrong, fmt.Sprintf("record %d: by what stands before it the gate of ring %s does not open: %s", e.Seq, gate.Ring, why))
			}
		}
		if err := s.Fold(e); err != nil { // it was folded before
			wrong = append(wrong, err.Error())
			break
		}
	}
	p := unless(wrong, PartGates, fmt.Sprintf("%d opened, each as the journal before it demands: rings before, participation, coverage, soak, checks, window, patch set", opened))
	if opened == 0 && len(wrong) == 0 {
		p.Standing, p.Demanded, p.Why = Absent, false, []string{"no gate has opened"}
	}
	a.add(p)
}

// wrote is how long before its record a gate may have been decided about: the disk was slow.
const wrote = 10 * time.Second

// moments are those at which the gate of an event may have been decided about: not before
// the event that came last.
func (a *audit) moments(i int) []time.Time {
	at := a.history.events[i].Time
	all := []time.Time{at}
	if i > 0 {
		before := a.history.events[i-1].Time
		if earliest := at.Add(-wrote); before.Before(earliest) {
			before = earliest
		}
		all = append(all, before)
	}
	return all
}

// refused says why the gate would not have opened at any of these times; "": it would.
func refused(s *rollout.State, gate rollout.GateOpened, moments []time.Time) string {
	why := ""
	for _, now := range moments {
		d := s.Decide(rollout.Moment{Now: now})
		for _, entry := range d.Record {
			switch entry := entry.(type) {
			case rollout.GateOpened:
				if entry.Ring == gate.Ring && entry.Set == gate.Set {
					return ""
				}
				why = fmt.Sprintf("that of ring %s does, for patch set %s", entry.Ring, entry.Set.Short())
			case rollout.Halted:
				why = strings.Join(entry.Reasons, "; ")
			}
		}
		for _, w := range d.Waits {
			if why == "" {
				why = w.For
			}
		}
	}
	if why == "" {
		why = "something else came first"
	}
	return why
}

// vouch verifies an approval for the gates. Whose key it is, where nobody says, is the
// matter of the part approvals.
func (a *audit) vouch(approved rollout.Approved, at time.Time) error {
	message, err := ApprovalMessage(ApprovalOf(a.history.opened, approved))
	if err != nil {
		return err
	}
	s, err := a.look([]byte(approved.Signature), message, sshsig.NamespaceApproval, approved.As, at)
	if err == nil && s.who.Fingerprint != approved.Key {
		err = errors.New("signed by another key than the one that the journal names")
	}
	return err
}
