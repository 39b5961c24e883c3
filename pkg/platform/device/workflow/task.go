package workflow

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
)

// task is one device's upgrade: all that builders and judges look at.
type task struct {
	p        *device.Platform
	def      *device.Definition
	dialect  *remote.Dialect
	facts    fact.Facts     // from before; its Device is never nil
	before   *fact.Device   // of facts
	work     patch.Work     //
	up       device.Upgrade // the way that holds for the facts
	image    patch.Image    // of what is to run; the zero one where there is none, on a way back
	outgoing string         // on a way back, the file of what runs now
	from     string         // what runs, as the device says it; where that is the target, what the others run
	to       string         // what is to run
	values   device.Values  // for the braces of commands: file, path, version, and the facts' own
	wrong    error          // the first thing that could not be built
}

func newTask(p *device.Platform, facts fact.Facts, work patch.Work) (*task, error) {
	t := &task{p: p, def: &p.Definition, dialect: p.Dialect(), facts: facts, before: facts.Device, work: work}
	if why := t.unfit(); why != "" {
		return nil, t.refuseOn("%s", why)
	}
	var ok bool
	if t.up, _, ok = p.Upgrade(facts); !ok {
		why := "no way to upgrade a device in this state is known"
		if len(p.Definition.Upgrade) == 0 {
			why = "upgrade not supported yet: " + p.Definition.Why
		}
		return nil, t.refuseOn("%s", why)
	}
	// The playbook may spell the version that runs in another way than the device does.
	t.to = work.Install[0].To
	t.from = t.former()
	if err := t.takeImage(); err != nil {
		return nil, err
	}
	t.values = t.fillings()
	return t, nil
}

// former is what the device runs; of one whose answering unit runs the target already, what
// the first of the others runs.
func (t *task) former() string {
	if !t.is(t.facts.Version, t.to) {
		return t.facts.Version
	}
	for _, m := range t.units() {
		if m.Version != "" && !t.is(m.Version, t.to) {
			return m.Version
		}
	}
	return t.facts.Version
}

// takeImage takes the work's image, if it is one of what is to run. The work of a way back
// still names the image that it takes back.
func (t *task) takeImage() error {
	image := t.work.Image
	switch {
	case image == nil:
	case t.is(image.Version, t.to):
		t.image = *image
	case t.work.Back:
		t.outgoing, t.work.Image = image.Name, nil
	default:
		return t.refuseOn("the image is of %s, and the work is to bring %s", clean(image.Version), clean(t.to))
	}
	return nil
}

// unfit says why no steps can be made of these facts and work at all, or nothing.
func (t *task) unfit() string {
	p, facts, work := t.p, t.facts, t.work
	switch {
	case facts.Platform != p.Name():
		return fmt.Sprintf("it is %q, and this is the driver of %q", facts.Platform, p.Name())
	case facts.Device == nil:
		return "nothing is known of it as a device"
	case len(work.Install) != 1 || work.Install[0].Name != patch.ImageName:
		return "a device takes one image, and nothing else"
	case work.Image == nil && !work.Back:
		return "the work names no image"
	case len(facts.Device.Refused) > 0:
		return strings.Join(facts.Device.Refused, "; ")
	case len(facts.Device.Serials()) == 0:
		return "its serial numbers are not known, so that nothing could tell it from another"
	case facts.Version == "":
		return "the version that runs is not known"
	case work.Again && t.is(facts.Version, work.Install[0].To): // an earlier try has brought it
	case !t.is(facts.Version, work.Install[0].From):
		return fmt.Sprintf("it runs %s, and the work begins at %s", clean(facts.Version), clean(work.Install[0].From))
	}
	return ""
}

// fillings are what commands may name. Facts' values are the device's words: each must
// still pass the grammar of its placeholder when it is used.
func (t *task) fillings() device.Values {
	values := device.Values{}
	maps.Copy(values, t.before.Values)
	values["file"], values["version"] = t.image.Name, t.to
	values["size"] = fmt.Sprint(t.image.Size)
	return values
}

// with adds to the values, without changing them.
func (t *task) with(more device.Values) device.Values {
	values := device.Values{}
	maps.Copy(values, t.values)
	maps.Copy(values, more)
	return values
}

// fill fills a command. What can't be filled makes the whole task wrong.
func (t *task) fill(cmd string, more device.Values) string {
	text, err := t.p.Fill(cmd, t.with(more))
	if err != nil && t.wrong == nil {
		t.wrong = err
	}
	return text
}

// value is one of the workflow's own settings in the definition.
func (t *task) value(name string) string { return entry(t.up.Values, name) }

func entry[T any](m document.Map[T], name string) T {
	for _, e := range m.Entries {
		if e.Key == name {
			return e.Value
		}
	}
	var zero T
	return zero
}

// units are the members that count: those with a serial number. What a stack only has
// provisioned has none, and can't be upgraded.
func (t *task) units() []fact.Member {
	return slices.DeleteFunc(slices.Clone(t.before.Members), func(m fact.Member) bool { return m.Serial == "" })
}

// reload is how long the device may take until it answers again.
func (t *task) reload() time.Duration { return cmp.Or(t.work.RebootWithin, t.up.Time.Reload) }

// step begins a step on this host.
func (t *task) step(id platform.StepID, title string, within time.Duration) platform.Step {
	return platform.Step{ID: id, On: t.facts.Host, Title: title, Deadline: within}
}

// clean makes a device's word fit for a sentence.
func clean(text string) string { return remote.Clean(text, 200) }

func refuse(hint, format string, args ...any) error {
	return &fault.Error{Kind: fault.GiveUp, Code: fault.HostFailed, What: fmt.Sprintf(format, args...), Hint: hint}
}

func (t *task) refuseOn(format string, args ...any) error {
	what := "this device can't be upgraded: "
	if t.work.Back {
		what = "this device can't be taken back: "
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, Host: t.facts.Host.String(),
		What: what + fmt.Sprintf(format, args...),
		Hint: "detect shows it; leave it out of the playbook's patches, or put right what is told",
	}
}
