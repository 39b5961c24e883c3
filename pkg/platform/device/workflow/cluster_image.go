package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/platform"
)

// clusterImage lets the cluster fetch a package and update its nodes one after the other,
// by its own procedure: takeover, boot, giveback. Nothing goes back from there without an
// outage of all: a way back is refused.
func clusterImage(t *task) ([]platform.Step, error) {
	switch {
	case t.arrived():
		return append([]platform.Step{t.portsHome()}, t.whatIsLeft(t.clusterWell)...), nil
	case t.work.Back || t.work.Image == nil:
		return nil, refuse("ask the vendor's support", "%s goes back only by reverting the whole cluster, with all of it down", t.def.Title)
	case len(t.units()) != 2:
		return nil, t.refuseOn("it has %d nodes, and only clusters of two are upgraded", len(t.units()))
	case t.image.Serve == "":
		return nil, refuse("write serve: with an address of this machine that the cluster can reach",
			"%s fetches its packages itself", t.def.Title)
	}
	steps := append([]platform.Step{t.ready(t.notFetched), t.fetched()}, t.backup()...)
	steps = append(steps, t.nodesUpdated(), t.portsHome(), t.proven(t.clusterWell))
	return append(steps, t.twice(false, t.clusterWell)...), nil
}

// fetched is the step after which the cluster's own repository holds the package. No
// command computes its digest: the cluster checks the vendor's signature.
func (t *task) fetched() platform.Step {
	way := t.transfer()
	step := t.step("stage", "let the cluster fetch "+t.image.Name, t.transferTime(way)+lookBriefly)
	step.Rest, step.Do = true, []platform.Operation{t.brought(way)}
	repository := entry(t.up.Commands, "repository")
	list := ask{cmd: t.fill(repository.Cmd, nil)}
	step.Look = t.look(func(v *view) platform.Standing {
		out, answered := v.out[list.cmd]
		switch {
		case !answered:
			return unknown("the cluster does not tell which packages it has")
		case t.listed(repository.OK, out):
			return done()
		}
		return notDone(clean(t.to) + " is not in the cluster's repository")
	}, list)
	return step
}

// notFetched: where no earlier try of ours has begun, a package that is in the cluster's
// repository is somebody else's, and the cluster would update to that one.
func (t *task) notFetched(v *view) []string {
	repository := entry(t.up.Commands, "repository")
	if t.work.Again || !t.listed(repository.OK, v.out[t.fill(repository.Cmd, nil)]) {
		return nil
	}
	return []string{fmt.Sprintf("a package of %s is in the cluster's repository already, and nobody can tell from which file: look at it, and type %s to remove it",
		clean(t.to), t.fill(t.transfer().Delete, nil))}
}

// listed tells whether one of the versions that a pattern finds is exactly the target.
func (t *task) listed(pattern string, out []byte) bool {
	for _, m := range t.p.Re(pattern).FindAllSubmatch(out, 200) {
		if len(m) > 1 && string(m[1]) == t.to {
			return true
		}
	}
	return false
}

// nodesUpdated is the step of the update itself. The cluster carries it through whatever
// becomes of the connection, which ends when the node that answers is taken over.
func (t *task) nodesUpdated() platform.Step {
	step := t.step("install", "update both nodes to "+clean(t.to), t.up.Time.Deadline)
	step.Changes = true
	step.Do = append(t.each(nil, "validate"), t.typed("update", nil))
	step.Look = t.look(t.updateStands)
	step.Look.Reconnects = true
	return step
}

// updateStands judges by what each node runs and by what the update says of itself. What
// it says of the one before it stays there: alone it proves nothing.
func (t *task) updateStands(v *view) platform.Standing {
	count, in := t.runs(v), t.phases(v)
	halted := in("paused-on-error") || in("failed") && v.now.Values[lastFailure] != t.before.Values[lastFailure]
	switch {
	case halted && count.allFormer() && !in("in-progress"):
		return failed("the update failed, and both nodes still run " + clean(t.from))
	case halted:
		return unknown("the update has stopped on an error: " + count.String())
	case in("paused-by-user", "pause-pending", "cancel-pending"):
		return unknown("somebody has paused or cancelled the update: " + count.String())
	case in("in-progress", "waiting"):
		return running("the cluster updates its nodes: " + count.String())
	case len(v.missing) > 0 || len(count.unclear) > 0:
		return running("a node does not answer yet: " + count.String())
	case len(count.target) > 0 && len(count.former) > 0 && !t.asLeft(count):
		return unknown("no update is under way, and the nodes run two versions: " + count.String())
	}
	return t.goesDown(v)
}

// lastFailure is the line of the phase that has failed. The same one as before is that of an
// earlier update: it stays there until the next.
const lastFailure = "failure"

// phases tells whether one of the update's phases is in one of these states.
func (t *task) phases(v *view) func(states ...string) bool {
	found := map[string]bool{}
	for _, field := range entry(t.def.Facts.Values, "phase") {
		for _, m := range t.p.Re(field.Re).FindAllSubmatch(v.out[field.Cmd], 200) {
			if len(m) > 1 {
				found[string(m[1])] = true
			}
		}
	}
	return func(states ...string) bool {
		return slices.ContainsFunc(states, func(s string) bool { return found[s] })
	}
}

// portsHome is the step that sends the network interfaces back to their home ports. All
// were at home before, or the preflight had refused.
func (t *task) portsHome() platform.Step {
	step := t.step("home", "send the network interfaces home", t.up.Time.Settle)
	step.Changes, step.Do = true, []platform.Operation{t.typed("revert", nil)}
	step.Look = t.look(func(v *view) platform.Standing {
		switch _, answered := v.out[t.commandOf("homes")]; {
		case !answered:
			return unknown("the cluster does not tell which interfaces are away")
		case v.now.Values["homes"] == "all":
			return done()
		}
		return notDone("some network interfaces are not at home")
	})
	return step
}

// clusterWell is what must hold beside, with what the definition says under settled_.
func (t *task) clusterWell(v *view) []string {
	var waits []string
	for _, m := range v.now.Members {
		if m.Serial != "" && !strings.EqualFold(m.State, "true") {
			waits = append(waits, nameOf(m)+" is not healthy")
		}
	}
	if len(v.missing) > 0 {
		waits = append(waits, namesOf(v.missing)+": not there")
	}
	return append(waits, v.now.Refused...)
}
