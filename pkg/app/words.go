package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/rollout"
)

// waitingRing is the ring that the rollout waits for, or whose gate said no.
func waitingRing(s *rollout.State, now time.Time) string {
	for _, w := range s.Decide(rollout.Moment{Now: now}).Waits {
		if w.Ring != "" {
			return w.Ring
		}
	}
	for _, r := range s.Status(now).Rings {
		if r.Gate != rollout.GateOpen && r.ByState[rollout.HostWaiting] > 0 {
			return r.Name
		}
	}
	return ""
}

// PromoteOptions are those of `promote`.
type PromoteOptions struct {
	Options
	Rollout string
	Ring    string // "": the one whose gate waits
	Waive   string // soak, or check:NAME
	Reason  string
}

// Promote journals that a soak or an inconclusive check is done without.
func (e Env) Promote(ctx context.Context, o PromoteOptions) (Ending, error) {
	if o.Waive == "" || strings.TrimSpace(o.Reason) == "" {
		return Ending{}, fault.Usagef("patchring promote "+o.Rollout+" --waive soak --reason 'TICKET-123'", "a waiver names what is waived, and why")
	}
	return e.speak(ctx, o.Options, o.Rollout, func(s *rollout.State) (rollout.Entry, error) {
		ring := o.Ring
		if ring == "" {
			ring = waitingRing(s, e.Now())
		}
		if ring == "" { // what is asked after the last ring
			rings := s.Status(e.Now()).Rings
			ring = rings[len(rings)-1].Name
		}
		return s.Waive(ring, o.Waive, e.Actor, o.Reason) //nolint:wrapcheck // speak names the rollout
	})
}

// RetryOptions are those of `retry`. Limit narrows which hosts.
type RetryOptions struct {
	Options
	Rollout string
	Reason  string
}

// Retry begins failed and unknown hosts again with the next run, and takes back a halt.
func (e Env) Retry(ctx context.Context, o RetryOptions) (Ending, error) {
	only, err := o.only()
	if err != nil {
		return Ending{}, err
	}
	return e.speak(ctx, o.Options, o.Rollout, func(s *rollout.State) (rollout.Entry, error) {
		if err := o.newest(s); err != nil {
			return nil, err
		}
		return s.Retry(only, o.Reason) //nolint:wrapcheck // speak names the rollout
	})
}

// newest: a rollout that has finished is opened again only where no later one has taken
// over its hosts.
func (o RetryOptions) newest(s *rollout.State) error {
	if s.Phase() != rollout.PhaseFinished {
		return nil
	}
	dir, err := o.stateDir()
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	status := s.Status(o.Today)
	all, err := dir.Of(status.Playbook, status.Site) // newest first
	if err != nil {
		return err //nolint:wrapcheck // names the folder
	}
	if len(all) > 0 && all[0].ID != s.ID() {
		return fault.Usagef("its hosts are looked at again by the next: patchring run PLAYBOOK", "it has finished, and rollout %s came after it", all[0].ID)
	}
	return nil
}

// only gives the hosts that --limit names; none: all that can be retried.
func (o RetryOptions) only() ([]fact.HostID, error) {
	if o.Limit == "" {
		return nil, nil
	}
	inv, err := o.loadInventory()
	if err != nil {
		return nil, err
	}
	hosts, err := o.selected(inv, "*")
	return ids(hosts), err
}

// maxTries bounds how often a word is said anew because the journal moved meanwhile.
const maxTries = 10

// speak journals a person's word, made from the state as it is, and shows where the
// rollout stands then. A `run` that is going on in another process reads it.
func (e Env) speak(ctx context.Context, o Options, id string, word func(*rollout.State) (rollout.Entry, error)) (Ending, error) {
	r, err := o.openRollout(ctx, id)
	if err != nil {
		return Ending{}, err
	}
	defer r.Close()
	if r.state.Phase() == rollout.PhaseNone {
		return Ending{}, emptyJournal(r)
	}
	eng := &engine.Engine{Journal: r.journal, Actor: e.Actor, Now: e.Now}
	for try := 0; ; try++ {
		entry, err := word(r.state)
		if err != nil {
			return Ending{}, refused(r.ID, err)
		}
		seq := r.state.Seq()
		err = eng.Record(ctx, entry)
		var loadErr error
		if r.state, loadErr = o.fold(ctx, r.journal); loadErr != nil {
			return Ending{}, errors.Join(err, loadErr)
		}
		if err == nil {
			return e.statusOf(ctx, o, r, false)
		}
		if r.state.Seq() == seq || try == maxTries {
			return Ending{}, err //nolint:wrapcheck // names the journal
		}
	}
}

func refused(id string, err error) error {
	if fault.HintOf(err) != "" {
		return err
	}
	return fault.Usagef("see: patchring status "+id, "rollout %s: %s", id, strings.TrimSuffix(fmt.Sprint(err), "."))
}
