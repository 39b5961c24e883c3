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
	id, hosts, err := e.target(ctx, o, inv)
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
	if err := e.take(ctx, o.Options, r, dir); err != nil {
		return Ending{}, err
	}
	if r.signer, err = e.demandedSigner(ctx, o.Options, inv, r.Site, r.state.Opening().Trust.Checkpoints); err != nil {
		return Ending{}, err
	}
	f, err := e.fleet(o.Options, inv)
	if err != nil {
		return Ending{}, err
	}
	defer f.Close()
	if err := e.trusted(f, r); err != nil {
		return Ending{}, err
	}
	if err := e.askBack(ctx, o, f, r, hosts); err != nil {
		return Ending{}, err
	}
	return e.carry(ctx, o.RunOptions, f, r)
}

// askBack shows what would be taken back, has it confirmed, and journals it.
func (e Env) askBack(ctx context.Context, o RollbackOptions, f *fleet, r *openRollout, hosts []fact.HostID) error {
	if hosts != nil { // of those that a pattern names, what was not changed is not meant
		its, others := r.split(hosts)
		if len(its) == 0 {
			return fault.Usagef("see: patchring report "+r.ID, "rollout %s has changed none of these hosts", r.ID)
		}
		e.sayLeft(others, "rollout "+r.ID+" has not changed")
		hosts = its
	}
	entry, err := r.state.Rollback(hosts, o.Reason)
	if err != nil && r.state.Returning() { // asked before, and cut: nothing is asked anew
		e.say("note: hosts of rollout %s are on their way back already; that is carried on", r.ID)
		return nil
	}
	if err != nil {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "rollout " + r.ID + " can't be rolled back", Err: err, Hint: "see: patchring status " + r.ID}
	}
	if err := e.canGoBack(ctx, f, r, entry.Hosts); err != nil {
		return err
	}
	if err := e.confirmBack(ctx, o, r, entry); err != nil {
		return err
	}
	one := &engine.Engine{Journal: r.journal, Actor: e.Actor, Now: e.Now}
	if err := one.Record(ctx, entry); err != nil {
		return err //nolint:wrapcheck // says what it means
	}
	state, err := o.fold(ctx, r.journal)
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
func (e Env) target(ctx context.Context, o RollbackOptions, inv *inventory.Inventory) (string, []fact.HostID, error) {
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
	return e.lastThatChanged(ctx, o, all, wanted)
}

// lastThatChanged is the rollout that was the last to change these hosts. Where that is
// not the same one for all of them, nothing is guessed: each is named. What none has
// changed is told, and left out.
func (e Env) lastThatChanged(ctx context.Context, o RollbackOptions, all []statedir.About, hosts []fact.HostID) (string, []fact.HostID, error) {
	var found []changed
	left := hosts
	for _, about := range slices.Backward(all) {
		its, rest, err := o.split(ctx, about.ID, left)
		if err != nil {
			return "", nil, err
		}
		if left = rest; len(its) > 0 {
			found = append(found, changed{about.ID, its})
		}
	}
	switch len(found) {
	case 0:
		return "", nil, fault.Usagef("list them with: patchring status", "%q is no rollout of this state folder, and no rollout has changed such hosts", o.Target)
	case 1:
		e.sayLeft(left, "no rollout of this state folder has changed")
		return found[0].rollout, found[0].hosts, nil
	}
	return "", nil, severalChanged(o.Target, found)
}

// changed are the hosts that a rollout was the last to change.
type changed struct {
	rollout string
	hosts   []fact.HostID
}

func (o RollbackOptions) split(ctx context.Context, id string, hosts []fact.HostID) (its, others []fact.HostID, err error) {
	r, err := o.openRollout(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	its, others = r.split(hosts)
	return its, others, nil
}

// split tells the hosts that the rollout has changed from the others.
func (r *openRollout) split(hosts []fact.HostID) (its, others []fact.HostID) {
	for _, host := range hosts {
		if h, in := r.state.Host(host); in && changedBy(h) {
			its = append(its, host)
			continue
		}
		others = append(others, host)
	}
	return its, others
}

// severalChanged refuses to take back a part of what was named, and gives the commands for
// each part.
func severalChanged(target string, found []changed) error {
	var commands []string
	for _, c := range found {
		commands = append(commands, fmt.Sprintf("patchring rollback %s --limit '%s' --reason TEXT", c.rollout, strings.Join(namesOf(c.hosts), ",")))
	}
	return fault.Usagef("nothing was changed; roll them back one rollout at a time:\n  "+strings.Join(commands, "\n  "),
		"the hosts of %q were last changed by %d rollouts", target, len(found))
}

// sayLeft names hosts that are left out; none: nothing is said.
func (e Env) sayLeft(hosts []fact.HostID, why string) {
	if len(hosts) > 0 {
		e.say("left out, since %s them, or they are back already: %s", why, few(namesOf(hosts)))
	}
}

func namesOf(hosts []fact.HostID) []string {
	var names []string
	for _, id := range hosts {
		names = append(names, id.String())
	}
	return names
}
