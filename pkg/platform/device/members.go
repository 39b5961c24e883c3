package device

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
)

// ReadMembers reads the units of a device, sorted by ID: what rows of one ID say is put
// together. Bad is what could not be read, or contradicts itself. Known are the facts
// that `when` of the rows looks at.
func (p *Platform) ReadMembers(outputs map[string][]byte, known fact.Facts) (members []fact.Member, bad []string) {
	return p.members(outputsOf(outputs), known)
}

func (p *Platform) members(from sources, known fact.Facts) ([]fact.Member, []string) {
	var t table
	for _, way := range p.Definition.Facts.Members {
		if !Holds(way.When, known) {
			continue
		}
		for _, text := range from(way.Cmd) {
			for _, r := range p.rows(way.Re, way.Per, "id", text) {
				r.word("role", way.Role)
				r.word("state", way.State)
				t.put(r["id"], r)
			}
		}
	}
	if len(t.keys) > maxMembers {
		return nil, []string{fmt.Sprintf("%d members: no device has so many", len(t.keys))}
	}
	members := make([]fact.Member, 0, len(t.keys))
	for _, key := range t.keys {
		m, bad := memberOf(key, t.rows[key])
		t.bad = append(t.bad, bad...)
		members = append(members, m)
	}
	sortMembers(members)
	return unrepeated(members), t.bad
}

func memberOf(id string, r row) (fact.Member, []string) {
	var bad []string
	take := func(kind string) string {
		value := r[kind]
		if value != "" && !sane(kind, value) {
			if !emptyForm.MatchString(value) {
				bad = append(bad, fmt.Sprintf("%s of %s: %q can't be one", kind, orNone(id), value))
			}
			return ""
		}
		return value
	}
	return fact.Member{ID: id, Model: take("model"), Serial: take("serial"), Role: r["role"], State: r["state"], Version: take("version")}, bad
}

// unrepeated leaves out a unit whose serial number another one has: inventories tell of a
// chassis and of the switch that it is. The one with a role, else the first, stays.
func unrepeated(members []fact.Member) []fact.Member {
	twice := func(i int) bool {
		for j, m := range members {
			if j == i || m.Serial == "" || m.Serial != members[i].Serial {
				continue
			}
			if (m.Role != "" && members[i].Role == "") || (m.Role == "") == (members[i].Role == "") && j < i {
				return true
			}
		}
		return false
	}
	var kept []fact.Member
	for i, m := range members {
		if !twice(i) {
			kept = append(kept, m)
		}
	}
	return kept
}

// ReadSlots reads where software is kept. OK is false where a row could not be read, or
// none was there: then nothing may be concluded from the slots.
func (p *Platform) ReadSlots(outputs map[string][]byte, known fact.Facts) (slots []fact.Slot, ok bool) {
	slots, bad := p.slots(outputsOf(outputs), known)
	return slots, len(slots) > 0 && len(bad) == 0
}

func (p *Platform) slots(from sources, known fact.Facts) ([]fact.Slot, []string) {
	var t table
	for _, way := range p.Definition.Facts.Slots {
		if !Holds(way.When, known) {
			continue
		}
		for _, text := range from(way.Cmd) {
			for _, r := range p.rows(way.Re, way.Per, "member", text) {
				t.slot(r, way.State)
			}
		}
	}
	slots := make([]fact.Slot, 0, len(t.keys))
	for _, key := range t.keys {
		r := t.rows[key]
		slots = append(slots, fact.Slot{Member: r["member"], Name: r["name"], State: r["state"], Version: r["version"]})
	}
	slices.SortStableFunc(slots, func(a, b fact.Slot) int { return byID(a.Member, b.Member) })
	return slots, t.bad
}

// slot adds a row. Where slots have no names, their versions tell them apart.
func (t *table) slot(r row, words document.Map[string]) {
	r.word("state", words)
	if state := r["state"]; state != "" && !slices.Contains(slotStates(), state) {
		t.bad = append(t.bad, fmt.Sprintf("slot %s: nobody knows what %q means", r["name"], state))
		r["state"] = ""
	}
	key := r["member"] + "\x00" + r["name"]
	if r["name"] == "" {
		key += "\x00" + r["version"]
	}
	if have, known := t.rows[key]; known {
		have.state(r["state"])
	}
	t.put(key, r)
}

// Holds tells whether all that `when` names is so. members: one or many; mode, role,
// family, version and model; anything else is one of the facts' values. A text may have
// several forms: INSTALL|BUNDLE. What is not known does not hold.
func Holds(when document.Map[string], f fact.Facts) bool {
	for _, e := range when.Entries {
		value := about(e.Key, f)
		if value == "" || !slices.ContainsFunc(strings.Split(e.Value, "|"), func(want string) bool { return strings.EqualFold(want, value) }) {
			return false
		}
	}
	return true
}

func about(key string, f fact.Facts) string {
	d := f.Device
	if d == nil {
		d = &fact.Device{}
	}
	switch key {
	case "members":
		switch {
		case len(d.Members) > 1:
			return "many"
		case len(d.Members) == 1:
			return "one"
		}
		return ""
	case "mode":
		return d.Mode
	case "role":
		return d.Role
	case "family":
		return d.Family
	case "version":
		return f.Version
	case "model":
		return f.Model
	}
	return d.Values[key]
}
