package workflow

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
)

// transferWithin bounds a transfer where the definition does not.
const transferWithin = 2 * time.Hour

// transfer is the way the image gets there: the device pulls it where it can, and knows an
// address of this machine; else it is sent.
func (t *task) transfer() device.Transfer {
	at := slices.IndexFunc(t.def.Transfer, pulls)
	if t.image.Serve == "" || at < 0 {
		return t.sent()
	}
	return t.def.Transfer[at]
}

func pulls(way device.Transfer) bool { return way.How == "pull" }

// sent is the first way by which the image is sent.
func (t *task) sent() device.Transfer {
	at := slices.IndexFunc(t.def.Transfer, func(way device.Transfer) bool { return !pulls(way) })
	if at >= 0 {
		return t.def.Transfer[at]
	}
	if t.wrong == nil {
		t.wrong = refuse("write serve: at the host in the inventory, with an address of this machine that the device can reach",
			"a %s takes its image by pulling it, and no address of this machine is known", t.def.Title)
	}
	return device.Transfer{}
}

// path is where the file goes, as pushes and commands name it.
func (t *task) path(way device.Transfer, more device.Values) string {
	return t.fill(way.Dir, more) + t.image.Name
}

// there are the values of commands about the file.
func (t *task) there(way device.Transfer, more device.Values) device.Values {
	values := device.Values{"path": t.path(way, more)}
	maps.Copy(values, more)
	return values
}

// present asks whether the file is there, and how large it is.
func (t *task) present(more device.Values) ask {
	way := t.transfer()
	if way.Present == "" {
		return ask{}
	}
	return ask{cmd: t.fill(way.Present, t.there(way, more))}
}

// sizeThere reads the file's size, in bytes: -1 where it is there, and its size can't be told.
func (t *task) sizeThere(v *view, present ask) (size int64, there bool) {
	out, answered := v.out[present.cmd]
	if present.cmd == "" || !answered {
		return 0, false
	}
	re := t.p.Re(t.transfer().PresentRe)
	m := re.FindStringSubmatch(strings.ReplaceAll(string(out), "\r", ""))
	if m == nil {
		return 0, false
	}
	if len(m) > 1 {
		if n, err := strconv.ParseInt(strings.ReplaceAll(m[1], ",", ""), 10, 64); err == nil {
			return n, true
		}
	}
	return -1, true
}

// clear is the step that removes what an earlier transfer has left half. A file of the
// right size is left alone: its digest decides, and a person, as it may be somebody's.
func (t *task) clear() []platform.Step {
	way := t.transfer()
	if way.Delete == "" || way.Present == "" || way.PresentRe == "" {
		return nil
	}
	step := t.step("clear", "remove what an earlier transfer has left half", lookBriefly)
	e := t.exchange(t.fill(way.Delete, t.there(way, nil)), remote.Changes)
	e.Questions, e.Cancel = t.p.Asked("delete", nil), way.Cancel
	step.Do = []platform.Operation{{Exchange: &e}}
	present := t.present(nil)
	step.Look = t.look(func(v *view) platform.Standing {
		switch size, there := t.sizeThere(v, present); {
		case !there || size == t.image.Size || size < 0:
			return done() // of a file whose size is not told the digest decides: it may be whole
		case t.inUse(v):
			return failed("the device starts or runs a file of the image's name, and it is another: " + t.image.Name)
		}
		return notDone("a part of " + t.image.Name + " lies there")
	}, present)
	return []platform.Step{step}
}

// inUse tells whether a file of the image's name is what runs or what the next boot starts.
func (t *task) inUse(v *view) bool {
	for _, s := range v.now.Slots {
		if s.Name == t.image.Name {
			return true
		}
	}
	return false
}

// stage brings the image, and looks whether the device computes the digest that the
// playbook names.
func (t *task) stage() []platform.Step {
	way := t.transfer()
	step := t.step("stage", "bring "+t.image.Name, t.transferTime(way)+t.hashTime())
	step.Rest = true
	step.Do = []platform.Operation{t.brought(way)}
	step.Look = t.looksStaged(nil)
	return append(t.clear(), step)
}

func (t *task) transferTime(way device.Transfer) time.Duration {
	if way.Timeout > 0 {
		return way.Timeout
	}
	return transferWithin
}

// brought is the transfer itself.
func (t *task) brought(way device.Transfer) platform.Operation {
	file := &platform.File{Path: t.path(way, nil), Store: t.image.Digest, How: remote.Protocol(way.How)}
	if way.How != "pull" {
		return platform.Operation{Put: file}
	}
	file.How = ""
	e := t.exchange(t.pulled(way.Cmd, t.there(way, nil)), remote.Changes)
	e.Questions, e.Done, e.Failed, e.Cancel = t.p.Asked("pull", nil), patterns(way.OK), patterns(way.Fail...), way.Cancel
	e.Within, e.Quiet = t.transferTime(way), t.transferTime(way)
	return platform.Operation{Exchange: &e, Serve: file}
}

// checkImage is the step that computes the digest once more, right before it is used: a
// staged file may have lain there for days.
func (t *task) checkImage() platform.Step {
	step := t.step("image", "compute the digest of "+t.image.Name+" once more", t.hashTime()+lookBriefly)
	look := t.looksStaged(nil)
	judge := look.Judge
	look.Judge = func(results []remote.Result) platform.Standing {
		if s := judge(results); s.State != platform.NotDone {
			return s
		}
		return failed("the image is not there any more: " + t.image.Name)
	}
	step.Look = look
	return step
}

// copies are the steps that bring the file to each other member, where each needs its own:
// the active one has it.
func (t *task) copies(fs string) []platform.Step {
	way := t.transfer()
	if way.Member == "" || len(t.units()) < 2 {
		return nil
	}
	var steps []platform.Step
	for _, m := range t.units() {
		on := device.Values{"n": m.ID, "fs": t.fill(fs, device.Values{"n": m.ID})}
		if m.Role == fact.RoleActive {
			continue
		}
		step := t.step(platform.StepID("stage_"+m.ID), "bring "+t.image.Name+" to "+nameOf(m), t.transferTime(way)+t.hashTime())
		from := device.Values{"n": m.ID, "fs": on["fs"], "path": t.path(way, nil)}
		e := t.exchange(t.fill(way.Member, from), remote.Changes)
		e.Questions, e.Done, e.Failed, e.Cancel = t.p.Asked("member", nil), patterns(way.OK), patterns(way.Fail...), way.Cancel
		e.Within, e.Quiet = t.transferTime(way), t.transferTime(way)
		step.Do = []platform.Operation{{Exchange: &e}}
		step.Look = t.looksStaged(on)
		steps = append(steps, step)
	}
	return steps
}
