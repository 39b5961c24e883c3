// Package workflow turns a device's definition, its facts and the work on it into steps:
// how software is replaced, in named ways that are written once in Go. All of what a
// platform types, asks and prints is in its definition; all of the order, the loops over
// members, the deadlines and the verdicts is here. It is pure: nothing here talks to a
// device or looks at a clock.
//
// # One device's upgrade
//
// The steps of every workflow, in order; each looks first, so that it can be begun any
// number of times and carries on wherever the device stands:
//
//	preflight  looks only: identity, version, model, members, room, nobody else at work
//	clear      removes what an earlier transfer has left half
//	stage      brings the image; the device's own digest proves it
//	backup     saves the configuration on the device, and keeps it in the store
//	image      looks only: the digest once more, right before it is used
//	…          what the workflow prepares: packages added, boot lines set
//	install    what makes the new software run: the device goes down and comes back
//	proven     looks only: version, boot, members, the device's own safety net
//	commit     [Confirm] switches that net off, once the host's checks have passed
//	done, done_again   look only, each on a connection of its own
//
// # Verdicts
//
// Every judge reads the facts anew with the definition's own reader, and compares them
// with those from before. Done needs positive evidence on every member of the same set of
// serial numbers. The old version, running and next to boot, is not done, or failed where
// it came back by itself. Silence and contradiction are unknown.
package workflow

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
)

// Driver drives the devices of one definition.
type Driver struct{ Platform *device.Platform }

var (
	_ platform.Driver   = Driver{}
	_ platform.Coster   = Driver{}
	_ platform.Returner = Driver{}
)

// Read takes one result for each of Platform.Commands, in their order. What was refused
// or cut off counts as not asked.
func (d Driver) Read(results []remote.Result) (fact.Facts, error) {
	outputs, seen := map[string][]byte{}, time.Time{}
	for i, cmd := range d.Platform.Commands() {
		if i >= len(results) {
			break
		}
		if seen = results[i].At; whole(results[i]) {
			outputs[cmd] = results[i].Out
		}
	}
	return d.Platform.Read(outputs, seen) //nolint:wrapcheck // names the platform
}

// Steps are those of the first way to upgrade whose conditions hold for these facts.
func (d Driver) Steps(facts fact.Facts, work patch.Work) ([]platform.Step, error) {
	t, err := newTask(d.Platform, facts, work)
	if err != nil {
		return nil, err
	}
	steps, err := t.steps()
	if err == nil {
		err = t.wrong
	}
	if err != nil {
		return nil, fault.On(err, facts.Host.String(), "preflight")
	}
	return steps, nil
}

// steps asks the workflow that the definition names.
func (t *task) steps() ([]platform.Step, error) {
	switch t.up.Workflow {
	case "activate_commit":
		return activateCommit(t)
	case "boot_variable":
		return bootVariable(t)
	case "junos":
		return junos(t)
	case "dual_slot":
		return dualSlot(t)
	case "cluster_image":
		return clusterImage(t)
	case "image_job":
		return imageJob(t)
	}
	return nil, refuse("this build of patchring has the workflow", "there is no workflow %q", t.up.Workflow)
}

// Capabilities of the driver.
func (d Driver) Capabilities() platform.Capabilities {
	def := d.Platform.Definition
	return platform.Capabilities{
		Platform: d.Platform.Name(), Class: fact.Class(def.Class), Detects: true, Upgrades: len(def.Upgrade) > 0, Why: def.Why,
	}
}

// Cost is what upgrading a device of these facts costs, as its definition says.
func (d Driver) Cost(facts fact.Facts, _ patch.Work) platform.Cost {
	up, _, ok := d.Platform.Upgrade(facts)
	if !ok {
		return platform.Cost{}
	}
	cost := platform.Cost{Outage: patch.Outage(up.Outage), Proof: platform.Proof(d.Platform.Definition.Proof), Net: netInWords(up.Net)}
	if up.Proof != "" && cost.Proof != platform.ProofUnchecked {
		cost.Proof = platform.Proof(up.Proof)
	}
	return cost
}

func netInWords(n device.Net) string {
	switch n.Kind {
	case "timer":
		return "a timer on the device brings the former software back, unless it is committed in time"
	case "next_boot":
		return "the next restart brings the former software back, until it is committed"
	case "boot_failure":
		return "where the new software does not start, the device starts the former"
	case "peer":
		return "its partner carries on"
	}
	return ""
}

// Return tells whether the former software could be brought back after this work.
func (d Driver) Return(facts fact.Facts, _ patch.Work) (patch.Tri, string) {
	up, _, ok := d.Platform.Upgrade(facts)
	switch {
	case !ok || up.Fallback == "" || up.Fallback == "none":
		return patch.No, "its platform has no way back that patchring may promise"
	case up.Fallback == "abort":
		return patch.Unknown, "until it is committed, by giving it up; not after that"
	case up.Fallback == "reboot":
		return patch.Unknown, "as long as the former software is still on the device"
	}
	return patch.Unknown, "as long as the former image is still on the device"
}
