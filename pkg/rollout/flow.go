package rollout

import (
	"errors"
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/platform"
)

// THE LIST: everything that happens to a host, top to bottom. Between before and
// verify stand the driver's own steps, e.g. preflight, stage, install, reboot; between check
// and undrain those by which a device is told to keep its new software, which it would
// else give up by itself. Those in brackets only where the playbook asks for them.
const (
	FlowBegin     platform.StepID = "begin"       // connect, lock the host, detect again, narrow the plan to this host's work, look at its budgets' peers
	FlowSilence   platform.StepID = "silence"     // [keep alerts about the host quiet; owed back from here on]
	FlowBefore    platform.StepID = "before"      // take the state that the default diff compares with
	FlowCollect   platform.StepID = "collect"     // [take the downloaded package files into the store, for the rings behind]
	FlowHooks     platform.StepID = "hook_before" // [the user's own programs, once the driver's steps that change nothing are through]
	FlowDrain     platform.StepID = "drain"       // [take the host out of use, and wait until it is; owed back from here on]
	FlowVerify    platform.StepID = "verify"      // detect again: every planned version is installed, and the kernel runs
	FlowCheck     platform.StepID = "check"       // take the state again; the diff and every check
	FlowUndrain   platform.StepID = "undrain"     // [put it back: healthy, or never touched]
	FlowHooksEnd  platform.StepID = "hook_after"  // [the user's own programs: the host is healthy, and in use]
	FlowUnsilence platform.StepID = "unsilence"   // [let alerts through again]
	FlowEnd       platform.StepID = "end"         // unlock the host
)

// Extras are the steps that a playbook may ask for around the work on a host.
type Extras struct{ Silence, Collect, Before, Drain, After bool }

// Flow is the order of the steps that follow begin, and which of them leave the host
// touched once begun. The driver's steps that change nothing come before the user's
// hooks and the drain: a host that can't be patched is not taken out of use for it.
func Flow(driver []platform.Step, x Extras) (steps, changing []platform.StepID) {
	all := driver
	driver = slices.DeleteFunc(slices.Clone(all), func(d platform.Step) bool { return d.Confirm })
	first := slices.IndexFunc(driver, func(d platform.Step) bool { return d.Changes })
	if first < 0 {
		first = len(driver)
	}
	add := func(wanted bool, ids ...platform.StepID) {
		if wanted {
			steps = append(steps, ids...)
		}
	}
	add(x.Silence, FlowSilence)
	add(true, FlowBefore)
	add(true, idsOf(driver[:first])...)
	add(x.Collect, FlowCollect)
	add(x.Before, FlowHooks)
	add(x.Drain, FlowDrain)
	add(true, idsOf(driver[first:])...)
	add(true, FlowVerify, FlowCheck)
	add(true, Confirming(all)...)
	add(x.Drain, FlowUndrain)
	add(x.After, FlowHooksEnd)
	add(x.Silence, FlowUnsilence)
	add(true, FlowEnd)
	for _, d := range all {
		if d.Changes {
			changing = append(changing, d.ID)
		}
	}
	return steps, changing
}

// Confirming are the driver's steps that wait for the checks, see platform.Step.Confirm.
func Confirming(driver []platform.Step) []platform.StepID {
	return idsOf(slices.DeleteFunc(slices.Clone(driver), func(d platform.Step) bool { return !d.Confirm }))
}

func idsOf(driver []platform.Step) []platform.StepID {
	ids := make([]platform.StepID, 0, len(driver))
	for _, d := range driver {
		ids = append(ids, d.ID)
	}
	return ids
}

// follows checks what a begin step announced. A host can only become healthy by
// way of verify and check, after the last change but for those that make it stay; what is
// drained or silenced must be given back; and nothing changes a host that is to be drained
// before it is. A flow that can't keep to that is refused.
func (b *Began) follows() error {
	if b == nil {
		return errors.New("the begin step did not say what follows")
	}
	at, err := places(b.Steps)
	if err != nil {
		return err
	}
	tail := append([]platform.StepID{FlowVerify, FlowCheck}, b.Confirming...)
	for _, owed := range []struct{ do, undo platform.StepID }{{FlowDrain, FlowUndrain}, {"", FlowHooksEnd}, {FlowSilence, FlowUnsilence}} {
		_, done := at[owed.do]
		_, undone := at[owed.undo]
		if owed.do != "" && done != undone {
			return fmt.Errorf("of the steps %s and %s there is only one", owed.do, owed.undo)
		}
		if undone {
			tail = append(tail, owed.undo)
		}
	}
	tail = append(tail, FlowEnd)
	verify := len(b.Steps) - len(tail)
	if verify < 0 || !slices.Equal(b.Steps[verify:], tail) {
		return errors.New("the steps of the host do not close with verify, check, what makes the change stay, what is owed, and end")
	}
	drain, drained := at[FlowDrain]
	for _, id := range b.Changing {
		if i, ok := at[id]; !ok || i >= verify && !slices.Contains(b.Confirming, id) || drained && i < drain {
			return fmt.Errorf("step %q changes the host, but does not stand before verify and behind drain", id)
		}
	}
	return nil
}

// places gives each step's index; a step without a name or twice is an error.
func places(steps []platform.StepID) (map[platform.StepID]int, error) {
	at := make(map[platform.StepID]int, len(steps))
	for i, id := range steps {
		if _, twice := at[id]; twice || id == "" || id == FlowBegin {
			return nil, fmt.Errorf("step %q stands twice in the steps of the host, or has no name", id)
		}
		at[id] = i
	}
	return at, nil
}
