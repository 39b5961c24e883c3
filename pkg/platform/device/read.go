package device

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// Read makes facts of what the commands of Commands printed, by command. What could not
// be learned is a Problem, never a guess; the error means that the outputs are not of
// this platform at all. Seen is when they were read, by the controller's clock.
func (p *Platform) Read(outputs map[string][]byte, seen time.Time) (fact.Facts, error) {
	from := outputsOf(outputs)
	if asked, held := p.holds(from); asked && !held {
		return fact.Facts{}, &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, What: "this is not " + p.Definition.Title,
			Hint: "take `platform` out of the inventory, and it is detected",
			Err:  fmt.Errorf("it answered %q", remote.Clean(p.answer(from), 200)),
		}
	}
	return p.read(from, seen), nil
}

// holds tells whether a probe was asked, and whether one held.
func (p *Platform) holds(from sources) (asked, held bool) {
	for _, probe := range p.Definition.Match.Probes {
		for _, text := range from(probe.Cmd) {
			asked = true
			held = held || p.probed(probe, text)
		}
	}
	return asked, held
}

func (p *Platform) probed(probe Probe, text string) bool {
	match := func(pattern string) bool { return p.Re(pattern).MatchString(text) }
	for _, pattern := range probe.All {
		if !match(pattern) {
			return false
		}
	}
	return !slices.ContainsFunc(probe.None, match)
}

func (p *Platform) answer(from sources) string {
	for _, probe := range p.Definition.Match.Probes {
		for _, text := range from(probe.Cmd) {
			return text
		}
	}
	return ""
}

// reader gathers facts, and what could not be learned.
type reader struct {
	*Platform
	from   sources
	facts  fact.Facts
	absent []fact.Problem // what a device that stands alone may well be without
}

func (p *Platform) read(from sources, seen time.Time) fact.Facts {
	d := &fact.Device{Definition: p.Digest, Proof: p.Definition.Proof, Order: p.Definition.Order}
	r := &reader{Platform: p, from: from, facts: fact.Facts{
		Seen: seen, Platform: p.Name(), Class: fact.Class(p.Definition.Class), Vendor: p.Definition.Vendor, Device: d,
	}}
	r.values()
	if r.facts.Version != "" {
		r.facts.Packages = []fact.Package{{Name: patch.ImageName, Version: r.facts.Version, Status: "installed"}}
	}
	r.units()
	r.family()
	if boot, ok := p.boot(from, seen); ok {
		boot.take(d)
	} else if len(p.Definition.BootTime) > 0 {
		r.problem("boot_time", "not in the answer")
	}
	r.refuse()
	r.pending()
	return r.facts
}

func (r *reader) problem(what, detail string) {
	r.facts.Problems = append(r.facts.Problems, fact.Problem{What: what, Detail: detail})
}

// values reads the facts with one value each.
func (r *reader) values() {
	f, d := &r.facts, r.facts.Device
	into := map[string]*string{
		"version": &f.Version, "model": &f.Model, "serial": &f.Serial, "hostname": &f.Hostname,
		"build": &d.Build, "mode": &d.Mode, "role": &d.Role, "family": &d.Family,
	}
	for _, kind := range r.Definition.Facts.fields() {
		got := r.field(kind.name, kind.list, r.from)
		isValue := strings.HasPrefix(kind.name, "values.") // a way to upgrade says itself which one it misses
		switch {
		case got.why == "" || isValue:
		case got.absent && r.Definition.optional(kind.name):
			r.absent = append(r.absent, fact.Problem{What: kind.name, Detail: got.why})
		default:
			r.problem(kind.name, got.why)
		}
		if got.refused != "" {
			d.Refused = append(d.Refused, got.refused)
		}
		if target := into[kind.name]; target != nil {
			*target = got.value
		} else {
			r.other(kind.name, got.value)
		}
	}
}

// optional tells whether a device that stands alone may well be without a kind of fact: it
// has no role. What decides how the device is read or upgraded is not among them.
func (d *Definition) optional(kind string) bool {
	return slices.Contains([]string{"role", "synced", "build", "mode", "family"}, kind) && !slices.Contains(d.conditions(), kind)
}

// conditions are what the rows' and upgrades' when look at.
func (d *Definition) conditions() []string {
	var keys []string
	add := func(when document.Map[string]) {
		for _, e := range when.Entries {
			keys = append(keys, e.Key)
		}
	}
	for _, r := range slices.Concat(d.Facts.Members, d.Facts.Slots) {
		add(r.When)
	}
	for _, u := range d.Upgrade {
		add(u.When)
	}
	return keys
}

// other takes what has no field of its own, and what we have words for.
func (r *reader) other(name, value string) {
	d := r.facts.Device
	key, isValue := strings.CutPrefix(name, "values.")
	switch {
	case value == "":
	case isValue && d.Values == nil:
		d.Values = map[string]string{key: value}
	case isValue:
		d.Values[key] = value
	case value == "yes" || value == "no":
		d.Synced = patch.TriOf(value == "yes")
	default:
		r.problem(name, fmt.Sprintf("nobody knows what %q means", value))
	}
}

// units reads members and slots, and completes what the one says of the other.
func (r *reader) units() {
	d := r.facts.Device
	if d.Role != "" && d.Role != fact.RoleActive && d.Role != fact.RoleStandby {
		r.problem("role", fmt.Sprintf("nobody knows what %q means", d.Role))
		d.Role = ""
	}
	members, bad := r.members(r.from, r.facts)
	for _, b := range bad {
		r.problem("members", b)
	}
	if d.Members = members; len(members) == 0 {
		if len(r.Definition.Facts.Members) > 0 {
			r.problem("members", "none in the answers")
		}
		if r.facts.Serial != "" {
			d.Members = []fact.Member{{Model: r.facts.Model, Serial: r.facts.Serial, Version: r.facts.Version, Role: d.Role}}
		}
	}
	if len(members) > 1 {
		r.facts.Problems = append(r.facts.Problems, r.absent...)
	}
	d.Slots, bad = r.slots(r.from, r.facts)
	for _, b := range bad {
		r.problem("slots", b)
	}
	r.answering()
}

// answering takes model and serial of the unit that answers from the members, where
// nothing else told them.
func (r *reader) answering() {
	members := r.facts.Device.Members
	at := slices.IndexFunc(members, func(m fact.Member) bool { return m.Role == fact.RoleActive })
	if len(members) == 1 {
		at = 0
	}
	if at < 0 {
		return
	}
	for _, fill := range []struct {
		name   string
		target *string
		value  string
	}{{"model", &r.facts.Model, members[at].Model}, {"serial", &r.facts.Serial, members[at].Serial}} {
		if *fill.target == "" && fill.value != "" {
			*fill.target = fill.value
			r.facts.Problems = slices.DeleteFunc(r.facts.Problems, func(p fact.Problem) bool { return p.What == fill.name })
		}
	}
}

// family is the model up to its first hyphen, where the definition has no better way.
func (r *reader) family() {
	if r.facts.Device.Family == "" && len(r.Definition.Facts.Family) == 0 {
		r.facts.Device.Family, _, _ = strings.Cut(r.facts.Model, "-")
	}
}

// refuse looks for what must not be upgraded at all.
func (r *reader) refuse() {
	for _, row := range r.Definition.Refuse {
		for _, text := range r.from(row.Cmd) {
			if r.Re(row.Re).MatchString(text) {
				r.facts.Device.Refused = append(r.facts.Device.Refused, row.Say)
				break
			}
		}
	}
}

// pending tells from the slots whether the next boot starts other software than what
// runs. Without slots nobody knows.
func (r *reader) pending() {
	states := map[string]bool{}
	for _, s := range r.facts.Device.Slots {
		states[s.State] = true
	}
	runs := states[fact.SlotRunning] || states[fact.SlotOld] || states[fact.SlotTrial]
	switch {
	case runs && states[fact.SlotNext] || states[fact.SlotOld]:
		r.facts.Reboot = fact.Reboot{Needed: patch.Yes, Reasons: []string{"the next boot starts other software than what runs"}}
	case states[fact.SlotTrial] || states[""] || !slices.Contains(slices.Collect(maps.Keys(states)), fact.SlotRunning):
		r.facts.Reboot = fact.Reboot{Needed: patch.Unknown}
	default:
		r.facts.Reboot = fact.Reboot{Needed: patch.No}
	}
}

// Upgrade is the way in which a device of these facts is upgraded: the first whose when
// holds, and its place in the list.
func (p *Platform) Upgrade(f fact.Facts) (Upgrade, int, bool) {
	for i, u := range p.Definition.Upgrade {
		if Holds(u.When, f) {
			return u, i, true
		}
	}
	return Upgrade{}, 0, false
}
