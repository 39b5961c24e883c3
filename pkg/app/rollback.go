package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/statedir"
)

// RollbackOptions are those of `rollback`. Target is a rollout's id, or a host pattern:
// then it is the last rollout that has changed those hosts. Limit narrows either.
type RollbackOptions struct {
	RunOptions
	Target string
	Reason string
}

// Rollback takes hosts back to the versions that they had before a rollout, and stays
// until they are.
func (e Env) Rollback(ctx context.Context, o RollbackOptions) (Ending, error) {
	if strings.TrimSpace(o.Reason) == "" {
		return Ending{}, fault.Usagef("patchring rollback "+o.Target+" --reason TEXT", "a rollback needs a reason: it is journaled, and no window holds for it")
	}
	inv, err := o.loadInventory()
	if err != nil {
		return Ending{}, err
	}
	id, hosts, err := o.target(ctx, inv)
	if err != nil {
		return Ending{}, err
	}
	dir, err := o.stateDir()
	if err != nil {
		return Ending{}, err
	}
	defer func() { _ = dir.Close() }()
	r, err := o.openRollout(ctx, id)
	if err != nil {
		return Ending{}, err
	}
	defer r.Close()
	if err := e.take(ctx, r, dir); err != nil {
		return Ending{}, err
	}
	if err := e.askBack(ctx, o, r, hosts); err != nil {
		return Ending{}, err
	}
	f := e.fleet(o.Options, inv)
	defer f.Close()
	return e.carry(ctx, o.RunOptions, f, r)
}

// askBack shows what would be taken back, has it confirmed, and journals it.
func (e Env) askBack(ctx context.Context, o RollbackOptions, r *openRollout, hosts []fact.HostID) error {
	if hosts != nil { // of those that a pattern names, what was not changed is not meant
		hosts = slices.DeleteFunc(hosts, func(id fact.HostID) bool { h, in := r.state.Host(id); return !in || !changedBy(h) })
		if len(hosts) == 0 {
			return fault.Usagef("see: patchring report "+r.ID, "rollout %s has changed none of these hosts", r.ID)
		}
	}
	entry, err := r.state.Rollback(hosts, o.Reason)
	if err != nil {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "rollout " + r.ID + " can't be rolled back", Err: err, Hint: "see: patchring status " + r.ID}
	}
	if err := e.confirmBack(ctx, o, r, entry); err != nil {
		return err
	}
	one := &engine.Engine{Journal: r.journal, Actor: e.Actor, Now: e.Now}
	if err := one.Record(ctx, entry); err != nil {
		return err //nolint:wrapcheck // says what it means
	}
	state, err := engine.Load(ctx, r.journal)
	if err != nil {
		return fmt.Errorf("rollout %s: %w", r.ID, err)
	}
	r.state = state
	return nil
}

// confirmBack asks a person, or demands --yes where there is none.
func (e Env) confirmBack(ctx context.Context, o RollbackOptions, r *openRollout, entry rollout.RollbackAsked) error {
	if o.Yes {
		return nil
	}
	if !e.Terminal || o.JSON {
		return fault.Usagef("look at it with: patchring report "+r.ID+", then add --yes", "%d hosts would be rolled back, and nobody can be asked", len(entry.Hosts))
	}
	for _, id := range entry.Hosts {
		h, _ := r.state.Host(id)
		e.say("%s: %d packages back to what they were (%s)", id, len(h.Did), back(h))
	}
	answer, err := e.question(ctx, fmt.Sprintf("Roll %d hosts of rollout %s back? [yes/no]", len(entry.Hosts), r.ID))
	if err != nil {
		return err
	}
	if answer != "yes" && answer != "y" {
		return fault.Usagef("nothing was changed", "not rolled back")
	}
	return nil
}

// changedBy: the rollout has changed the host, and not taken it back.
func changedBy(h rollout.HostStatus) bool {
	return h.Touched && len(h.Did) > 0 && h.State != rollout.HostRolledBack
}

// back says what was known of the way back before the host was changed.
func back(h rollout.HostStatus) string {
	if h.Began == nil {
		return "red"
	}
	text := h.Began.Return.Light.String()
	if len(h.Began.Return.Reasons) > 0 {
		text += ": " + strings.Join(h.Began.Return.Reasons, "; ")
	}
	return text
}

// target finds the rollout, and the hosts of it; no hosts: all that can be.
func (o RollbackOptions) target(ctx context.Context, inv *inventory.Inventory) (string, []fact.HostID, error) {
	dir, err := o.stateDir()
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = dir.Close() }()
	all, err := dir.Rollouts()
	if err != nil {
		return "", nil, err //nolint:wrapcheck // names the folder
	}
	named := slices.ContainsFunc(all, func(a statedir.About) bool { return a.ID == o.Target })
	if named && o.Limit == "" {
		return o.Target, nil, nil
	}
	pattern := o.Target
	if named {
		pattern = "*"
	}
	hosts, err := o.selected(inv, pattern)
	if err != nil {
		return "", nil, err
	}
	wanted := ids(hosts)
	if named {
		return o.Target, wanted, nil
	}
	id, err := o.lastThatChanged(ctx, all, wanted)
	return id, wanted, err
}

// lastThatChanged is the newest rollout that has changed any of these hosts. Where an
// older one has changed others of them, the newest alone is taken back: one is told at a
// time.
func (o RollbackOptions) lastThatChanged(ctx context.Context, all []statedir.About, hosts []fact.HostID) (string, error) {
	for _, about := range slices.Backward(all) {
		r, err := o.openRollout(ctx, about.ID)
		if err != nil {
			return "", err
		}
		touched := slices.ContainsFunc(hosts, func(id fact.HostID) bool {
			h, in := r.state.Host(id)
			return in && changedBy(h)
		})
		r.Close()
		if touched {
			return about.ID, nil
		}
	}
	return "", fault.Usagef("list them with: patchring status", "%q is no rollout of this state folder, and no rollout has changed such hosts", o.Target)
}
