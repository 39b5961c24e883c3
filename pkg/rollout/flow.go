package rollout

import (
	"errors"
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/platform"
)

// THE LIST: everything that happens to a host, top to bottom. Between before and
// verify stand the driver's own steps, e.g. preflight, stage, install, reboot.
const (
	FlowBegin  platform.StepID = "begin"  // connect, lock the host, detect again, narrow the plan to this host's work
	FlowBefore platform.StepID = "before" // take the state that the default diff compares with
	FlowVerify platform.StepID = "verify" // detect again: every planned version is installed, and the kernel runs
	FlowCheck  platform.StepID = "check"  // take the state again; the diff and every check
	FlowEnd    platform.StepID = "end"    // unlock the host
)

// Flow is the order of the steps that follow begin: before, the driver's own,
// verify, check, end; and which of them leave the host touched once begun.
func Flow(driver []platform.Step) (steps, changing []platform.StepID) {
	steps = append(steps, FlowBefore)
	for _, d := range driver {
		steps = append(steps, d.ID)
		if d.Changes {
			changing = append(changing, d.ID)
		}
	}
	return append(steps, FlowVerify, FlowCheck, FlowEnd), changing
}

// follows checks what a begin step announced. A host can only become healthy by
// way of verify and check, after the last change; so a flow without them is refused.
func (b *Began) follows() error {
	if b == nil {
		return errors.New("the begin step did not say what follows")
	}
	n := len(b.Steps)
	tail := []platform.StepID{FlowVerify, FlowCheck, FlowEnd}
	if n < len(tail) || !slices.Equal(b.Steps[n-len(tail):], tail) {
		return errors.New("the steps of the host do not close with verify, check and end")
	}
	seen := map[platform.StepID]bool{FlowBegin: true}
	for _, id := range b.Steps {
		if id == "" || seen[id] {
			return fmt.Errorf("step %q stands twice in the steps of the host, or has no name", id)
		}
		seen[id] = true
	}
	for _, id := range b.Changing {
		if at := slices.Index(b.Steps, id); at < 0 || at >= n-len(tail) {
			return fmt.Errorf("step %q changes the host, but does not stand before verify", id)
		}
	}
	return nil
}
