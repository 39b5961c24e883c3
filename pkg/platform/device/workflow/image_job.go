package workflow

import (
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// imageJob hands an image to a device that does all of the rest by itself: it checks the
// vendor's signature, writes the image into the partition that does not run, and restarts.
// So there is nothing to stage, and what arrives is judged by what runs afterwards.
//
// A cluster is driven through the unit that answers, which hands the image on and updates
// its partner first; a file is never copied to one unit of a cluster.
func imageJob(t *task) ([]platform.Step, error) {
	switch {
	case t.work.Image == nil && t.arrived():
		return t.jobProved(nil, ""), nil
	case t.work.Image == nil:
		return imageBack(t)
	}
	build, err := t.namedBuild()
	if err != nil {
		return nil, err
	}
	if t.arrived() {
		return t.jobProved(nil, build), nil
	}
	if why := t.tooFar(); why != "" {
		return nil, t.refuseOn("%s", why)
	}
	handed, err := t.handed()
	if err != nil {
		return nil, err
	}
	steps := append([]platform.Step{t.ready(t.leads)}, t.backup()...)
	install := t.step("install", "hand over "+t.image.Name+", which restarts it", t.up.Time.Deadline)
	install.Changes, install.Do = true, []platform.Operation{handed}
	install.Once = handed.Exchange != nil // until something is written, nothing tells that it is at work
	install.Look = t.look(func(v *view) platform.Standing { return t.jobStands(v, build) })
	install.Look.Reconnects = true
	return t.jobProved(append(steps, install), build), nil
}

// jobStands judges whether the image has been handed over. A cluster is at work for a long
// time before the unit that answers goes down: the image lies in the partition that does not
// run, and the partner is away or not in step. Then nothing is handed over once more.
func (t *task) jobStands(v *view, build string) platform.Standing {
	s := t.goesDown(v)
	if s.State != platform.NotDone {
		return s
	}
	written := func(s fact.Slot) bool {
		return s.State == fact.SlotIdle && strings.Contains(s.Version+"-", "-build"+build+"-")
	}
	switch worse := t.unsettled(v); {
	case t.anySlot(v.now, written) && !t.anySlot(t.before, written):
		return running("the image is written, and " + s.Reasons[0])
	case len(t.units()) > 1 && len(worse) > 0:
		return running("the cluster is at work, or not well: " + strings.Join(worse, "; "))
	}
	return s
}

// leads: of a cluster, the unit that answers is the one that drives the others.
func (t *task) leads(v *view) []string {
	if len(t.units()) > 1 && v.now.Role != fact.RoleActive {
		return []string{"the unit that answers does not lead the cluster: give the cluster's own address"}
	}
	return nil
}

// jobProved adds the steps that look. What the conversion of the configuration dropped is
// told, and is for the checks and a person to weigh.
func (t *task) jobProved(steps []platform.Step, build string) []platform.Step {
	more := func(v *view) []string { return t.jobWell(v, build) }
	seen := append([]platform.Step{t.proven(more)}, t.twice(false, more)...)
	for i := range seen {
		judge := seen[i].Look.Judge
		seen[i].Look.Judge = func(results []remote.Result) platform.Standing {
			s := judge(results)
			if dropped := t.dropped(results, seen[i].Look.Do); s.State == platform.Done && dropped != "" {
				s.Notes = append(s.Notes, "the new version did not take all of the configuration: "+dropped)
			}
			return s
		}
	}
	return append(steps, seen...)
}

// dropped is the first line of the configuration that the new version refused.
func (t *task) dropped(results []remote.Result, ops []platform.Operation) string {
	fields := entry(t.def.Facts.Values, "dropped")
	for i, op := range ops {
		if len(fields) == 0 || i >= len(results) || op.Exchange == nil || op.Exchange.Send != fields[0].Cmd {
			continue
		}
		if m := t.p.Re(fields[0].Re).FindSubmatch(results[i].Out); len(m) > 1 {
			return clean(string(m[1]))
		}
	}
	return ""
}

// buildForm is where a Fortinet image's name tells the build: FGT_60F-v7.4.8.M-build2795-FORTINET.out.
var buildForm = regexp.MustCompile(`-v(\d+\.\d+\.\d+)(?:\.[A-Z])?-build(\d{3,5})-`)

// namedBuild is the build that must run, from the name that the vendor gave the file.
func (t *task) namedBuild() (string, error) {
	m := buildForm.FindStringSubmatch(t.image.Name)
	if len(m) < 3 || m[1] != t.to {
		return "", refuse("give the file the name that Fortinet gives it: FGT_60F-v7.4.8.M-build2795-FORTINET.out",
			"the name of %s does not tell version %s and its build", t.image.Name, clean(t.to))
	}
	return m[2], nil
}

// tooFar refuses to leave out a release on the way: the definition names their order. That
// one step is allowed for the model and patch level, only the vendor's upgrade path tells.
func (t *task) tooFar() string {
	order := strings.Fields(t.value("order"))
	from, to := slices.Index(order, release(t.from)), slices.Index(order, release(t.to))
	switch {
	case len(order) == 0:
		return ""
	case from < 0 || to < 0:
		return "whether " + clean(t.from) + " may go straight to " + clean(t.to) + " is not known"
	case to-from > 1:
		return "from " + clean(t.from) + " to " + clean(t.to) + " leaves out " + order[from+1] + ": go there first, by the vendor's upgrade path"
	}
	return ""
}

// release is the first two numbers of a version.
func release(whole string) string {
	numbers := strings.SplitN(whole, ".", 3)
	if len(numbers) < 2 {
		return whole
	}
	return numbers[0] + "." + numbers[1]
}

// handed is how the image is given to the device: as the definition says, whatever other
// ways there are.
func (t *task) handed() (platform.Operation, error) {
	how := t.value("how")
	if how == "pull" {
		if t.image.Serve == "" {
			return platform.Operation{}, refuse("write serve: with an address of this machine that the cluster can reach",
				"a cluster of %s fetches its image itself", t.def.Title)
		}
		return t.restored(), nil
	}
	i := slices.IndexFunc(t.def.Transfer, func(way device.Transfer) bool { return way.How == how })
	if i < 0 {
		return platform.Operation{}, refuse("add it to the definition", "%s: no transfer is called %q", t.def.Name, how)
	}
	file := &platform.File{Path: t.def.Transfer[i].Dir, Store: t.image.Digest, How: remote.Protocol(how)}
	return platform.Operation{Put: file, MayDrop: true}, nil
}

// restored is the command with which the device fetches the image and starts it.
func (t *task) restored() platform.Operation {
	op := t.typed("restore", device.Values{"url": somewhere})
	op.Exchange.Send = strings.ReplaceAll(op.Exchange.Send, somewhere, "{url}")
	op.Serve = &platform.File{Path: t.image.Name, Store: t.image.Digest}
	return op
}

// jobWell is what must hold beside: the very build, and nothing that the preflight refuses.
func (t *task) jobWell(v *view, build string) []string {
	var waits []string
	if build != "" && strings.TrimLeft(v.now.Build, "0") != strings.TrimLeft(build, "0") {
		waits = append(waits, "it runs build "+clean(v.now.Build)+" and not "+build)
	}
	return append(waits, v.now.Refused...)
}

// imageBack starts the other partition, with the configuration that it had.
func imageBack(t *task) ([]platform.Step, error) {
	i := slices.IndexFunc(t.before.Slots, func(s fact.Slot) bool { return s.State == fact.SlotIdle && t.sameRelease(s.Version) })
	if !t.has("other") || i < 0 {
		return nil, refuse("name an image of it in the playbook", "no partition is known to hold %s", clean(t.to))
	}
	slot, ok := map[string]string{"1": "primary", "2": "secondary"}[t.before.Slots[i].Name]
	if !ok {
		return nil, t.refuseOn("its partitions have unknown names")
	}
	steps := append([]platform.Step{t.ready()}, t.backup()...)
	install := t.step("install", "start the "+slot+" partition", t.reload())
	install.Changes = true
	install.Do = []platform.Operation{t.typed("other", device.Values{"slot": slot}), t.typed("reboot", nil)}
	install.Look = t.look(t.goesDown)
	install.Look.Reconnects = true
	return t.jobProved(append(steps, install), ""), nil
}

// sameRelease tells whether a partition's "7.02-FW-build1577" may be the target; which
// patch level it is, only what runs afterwards tells.
func (t *task) sameRelease(words string) bool {
	head, _, _ := strings.Cut(words, "-")
	return version.Same("dotted", release(head), release(t.to))
}
