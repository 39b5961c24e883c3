package workflow

import (
	"time"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
)

// configBefore is the name of the configuration before the upgrade in the store.
const configBefore = "config-before"

// backup is the step that saves the configuration on the device, and keeps it in the
// store: each look keeps it. A platform that can't tell whether its configuration is saved
// has nothing to do here; there the workflow types saving before its first change.
func (t *task) backup() []platform.Step {
	if len(t.def.Save) == 0 {
		return nil
	}
	save := t.def.Save[0]
	step := t.step("backup", "save the configuration, and keep it", 10*time.Minute)
	dirty := ask{cmd: save.Dirty}
	if save.Dirty != "" && save.Cmd != "" {
		step.Do, step.Changes = t.saving(), true
	}
	step.Look = t.lookAlone(func(v *view) platform.Standing { return t.saved(v, save) }, dirty)
	show := t.exchange(t.fill(save.Show, nil), remote.Reads)
	show.MaxOut = maxConfig
	step.Look.Do = append(step.Look.Do, platform.Operation{Exchange: &show, Save: configBefore})
	judge := step.Look.Judge
	step.Look.Judge = func(results []remote.Result) platform.Standing {
		if len(results) == 0 || !whole(results[len(results)-1]) || len(results[len(results)-1].Out) == 0 {
			return unknown("the configuration can't be read")
		}
		return judge(results[:len(results)-1])
	}
	return []platform.Step{step}
}

func (t *task) saved(v *view, save device.Save) platform.Standing {
	out, answered := v.out[save.Dirty]
	switch {
	case save.Dirty == "":
		return done()
	case !answered:
		return unknown("nobody can tell whether the configuration is saved")
	case t.p.Re(save.Re).Match(out):
		return notDone("the configuration has changes that are not saved")
	}
	return done()
}

// saving types the command that saves the configuration on the device.
func (t *task) saving() []platform.Operation {
	if len(t.def.Save) == 0 || t.def.Save[0].Cmd == "" {
		return nil
	}
	save := t.def.Save[0]
	e := t.exchange(t.fill(save.Cmd, nil), remote.Changes)
	e.Questions, e.Done = t.p.Asked("save", nil), patterns(save.OK)
	return []platform.Operation{{Exchange: &e}}
}
