package workflow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// tally sorts the members by what they run now. Each is named by its ID.
type tally struct {
	target, former, other, unclear []string
}

// all tells whether every member is in the one list.
func (c tally) allTarget() bool {
	return len(c.target) > 0 && len(c.former)+len(c.other)+len(c.unclear) == 0
}

func (c tally) allFormer() bool {
	return len(c.former) > 0 && len(c.target)+len(c.other)+len(c.unclear) == 0
}

func (c tally) String() string {
	var list []string
	for _, part := range []struct {
		ids  []string
		what string
	}{{c.target, "the new version"}, {c.former, "the former version"}, {c.other, "another version"}, {c.unclear, "nobody knows what"}} {
		if len(part.ids) > 0 {
			list = append(list, strings.Join(part.ids, ", ")+": "+part.what)
		}
	}
	return strings.Join(list, "; ")
}

// runs tells what each member runs now. A member that did not answer is unclear.
func (t *task) runs(v *view) tally {
	var c tally
	units := t.units()
	for _, m := range units {
		version := ""
		if now, ok := bySerial(v.now.Members, m.Serial); ok {
			version = now.Version
			if version == "" && (len(units) == 1 || t.value("one_version") == "yes") {
				version = v.facts.Version
			}
		}
		switch name := nameOf(m); {
		case version == "":
			c.unclear = append(c.unclear, name)
		case t.is(version, t.to):
			c.target = append(c.target, name)
		case t.is(version, t.from):
			c.former = append(c.former, name)
		default:
			c.other = append(c.other, name)
		}
	}
	return c
}

func bySerial(members []fact.Member, serial string) (fact.Member, bool) {
	i := slices.IndexFunc(members, func(m fact.Member) bool { return m.Serial == serial })
	if i < 0 {
		return fact.Member{}, false
	}
	return members[i], true
}

func nameOf(m fact.Member) string {
	if m.ID == "" {
		return "the device"
	}
	return "member " + clean(m.ID)
}

func namesOf(members []fact.Member) string {
	names := make([]string, 0, len(members))
	for _, m := range members {
		names = append(names, nameOf(m))
	}
	return strings.Join(names, ", ")
}

// ran tells whether a unit from before ran the target already.
func (t *task) ran(m fact.Member) bool {
	if m.Version == "" && (len(t.units()) == 1 || t.value("one_version") == "yes") {
		return t.is(t.facts.Version, t.to)
	}
	return m.Version != "" && t.is(m.Version, t.to)
}

// arrived: every member ran the target before the work began. An earlier try has brought
// it, and what is left is to prove that.
func (t *task) arrived() bool {
	return !slices.ContainsFunc(t.units(), func(m fact.Member) bool { return !t.ran(m) })
}

// left are the members that did not run the target before the work began.
func (t *task) left(of []fact.Member) []fact.Member {
	return slices.DeleteFunc(slices.Clone(of), t.ran)
}

// halfway: some members ran the target before the work began, and others did not.
func (t *task) halfway() bool { return !t.arrived() && len(t.left(t.units())) < len(t.units()) }

// rebooted tells whether the device and every member have come up anew since the facts
// were taken: the boot time has moved by more than its grain. A member that does not tell
// its own, as the active one of a stack, is spoken for by the device's.
func (t *task) rebooted(v *view) patch.Tri {
	if t.halfway() {
		return t.followed(v)
	}
	verdict := t.moved(t.before.Booted, v.now.Booted, v.now.Grain)
	for _, m := range t.units() {
		now, ok := bySerial(v.now.Members, m.Serial)
		if !ok || m.Booted.IsZero() || now.Booted.IsZero() {
			continue
		}
		switch one := t.moved(m.Booted, now.Booted, v.now.Grain); {
		case verdict == patch.Unknown, one == patch.Yes:
		default:
			verdict = one
		}
	}
	return verdict
}

// followed is rebooted where a part of the members ran the target before: only the others
// must come up anew. The device's own boot time may be that of a member which need not, so
// that it counts for nothing; of a member that tells none, another version that runs does.
func (t *task) followed(v *view) patch.Tri {
	verdict := patch.Yes
	for _, m := range t.left(t.units()) {
		now, ok := bySerial(v.now.Members, m.Serial)
		one := patch.Unknown
		switch {
		case !ok:
		case !m.Booted.IsZero() && !now.Booted.IsZero():
			one = t.moved(m.Booted, now.Booted, v.now.Grain)
		case t.is(now.Version, t.to):
			one = patch.Yes
		}
		switch one {
		case patch.No:
			return patch.No
		case patch.Unknown:
			verdict = patch.Unknown
		case patch.Yes:
		}
	}
	return verdict
}

// least is the distance of two boot times that is more than slow answers and drifting
// clocks can make.
const least = time.Minute

// known tells whether a boot time was reckoned from a clock at all.
func known(at time.Time) bool { return at.Year() > 2000 }

func (t *task) moved(before, now time.Time, grain time.Duration) patch.Tri {
	switch {
	case !known(before) || !known(now):
		return patch.Unknown
	case now.Sub(before) > max(2*max(grain, t.before.Grain), least):
		return patch.Yes
	}
	return patch.No
}

// unsettled is what is worse than before: members that are missing or in another state,
// a pair that does not agree any more.
func (t *task) unsettled(v *view) []string {
	var worse []string
	if len(v.missing) > 0 {
		worse = append(worse, namesOf(v.missing)+": not there")
	}
	for _, m := range t.units() {
		if now, ok := bySerial(v.now.Members, m.Serial); ok && m.State != now.State {
			worse = append(worse, fmt.Sprintf("%s is %q, and was %q", nameOf(m), clean(now.State), clean(m.State)))
		}
	}
	if t.before.Synced == patch.Yes && v.now.Synced != patch.Yes {
		worse = append(worse, "its members do not agree yet")
	}
	return worse
}

// slots are those of a member now. A slot may be of several members at once ("1 2"), and
// that of none is of each.
func slots(d *fact.Device, member string) []fact.Slot {
	return slices.DeleteFunc(slices.Clone(d.Slots), func(s fact.Slot) bool {
		return s.Member != "" && !slices.Contains(strings.Fields(s.Member), member)
	})
}

// everySlot tells whether every member that counts has a slot that fits.
func (t *task) everySlot(v *view, fits func(fact.Slot) bool) bool {
	for _, m := range t.units() {
		if !slices.ContainsFunc(slots(v.now, m.ID), fits) {
			return false
		}
	}
	return true
}

// holds is a slot with the target in one of these states.
func (t *task) holds(states ...string) func(fact.Slot) bool {
	return func(s fact.Slot) bool { return slices.Contains(states, s.State) && t.target(s) }
}

// target tells whether a slot holds what is to run: by its version, or where it has none
// by the name of the file.
func (t *task) target(s fact.Slot) bool {
	if s.Version != "" {
		bare, _, _ := strings.Cut(s.Version, " ") // a BIG-IP's volume says the build behind it
		return t.is(bare, t.to)
	}
	return s.Name != "" && s.Name == t.image.Name
}
