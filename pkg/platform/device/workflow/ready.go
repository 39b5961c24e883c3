package workflow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
)

// lookBriefly is how long a step that only looks may go on trying.
const lookBriefly = 5 * time.Minute

// check is more that a workflow wants to hold before anything is touched; it gives what
// does not.
type check func(*view) []string

// ready is the step that refuses before anything is touched. It tells all reasons at once.
func (t *task) ready(more ...check) platform.Step {
	step := t.step("preflight", "look whether everything is ready", lookBriefly)
	asks, room := t.room()
	asks = append(asks, t.guards()...)
	asks = append(asks, t.busyAsk(), t.netAsk())
	checks := append([]check{t.unmoved, t.bootTold, t.fits, t.wellMembers, t.unguarded, t.upward, t.unclaimed, room}, more...)
	step.Look = t.look(func(v *view) platform.Standing {
		var reasons []string
		for _, c := range checks {
			reasons = append(reasons, c(v)...)
		}
		if len(reasons) > 0 {
			return failed(reasons...)
		}
		return done()
	}, asks...)
	return step
}

// unmoved: what runs is still what the work begins at.
func (t *task) unmoved(v *view) []string {
	var reasons []string
	if len(v.missing) > 0 {
		reasons = append(reasons, namesOf(v.missing)+": not there any more")
	}
	if !t.expected(v.facts.Version) {
		reasons = append(reasons, fmt.Sprintf("it runs %s now, and ran %s when the work was planned", clean(v.facts.Version), clean(t.from)))
	}
	reasons = append(reasons, t.otherwise(v.now.Members)...)
	return append(reasons, v.now.Refused...)
}

// bootTold: it tells when it came up. Without that no restart could ever be proven.
func (t *task) bootTold(v *view) []string {
	if known(t.before.Booted) && known(v.now.Booted) {
		return nil
	}
	return []string{"nobody can tell when it came up, so that nothing could prove a restart"}
}

// fits: the image is for every member's model.
func (t *task) fits(v *view) []string {
	if t.work.Image == nil {
		return nil
	}
	models := []string{v.facts.Model}
	for _, m := range v.now.Members {
		if m.Serial != "" && m.Model != "" {
			models = append(models, m.Model)
		}
	}
	slices.Sort(models)
	var reasons []string
	for _, model := range slices.Compact(models) {
		if !slices.ContainsFunc(t.image.Models, func(glob string) bool { return patch.MatchModel(glob, model) }) {
			reasons = append(reasons, fmt.Sprintf("the image is for %s, and this is a %q", strings.Join(t.image.Models, ", "), clean(model)))
		}
	}
	return reasons
}

// wellMembers: every member that counts is in a state that the definition calls good, and
// they agree.
func (t *task) wellMembers(v *view) []string {
	var reasons []string
	good := words(t.value("good"))
	for _, m := range v.now.Members {
		alone := m.State == "" && len(t.units()) == 1 // a router has no members to tell of
		if m.Serial != "" && len(good) > 0 && !alone && !oneOf(good, m.State) {
			reasons = append(reasons, fmt.Sprintf("%s is %q, and must be %s", nameOf(m), clean(m.State), strings.Join(good, " or ")))
		}
	}
	switch {
	case len(t.def.Facts.Synced) == 0 || v.now.Synced == patch.Yes:
	case v.now.Synced == patch.No:
		reasons = append(reasons, "its members do not agree: they must be synchronised first")
	default:
		reasons = append(reasons, "nobody can tell whether its members agree")
	}
	return reasons
}

func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "|")
}

func oneOf(list []string, word string) bool {
	return slices.ContainsFunc(list, func(w string) bool { return strings.EqualFold(w, word) })
}

// upward: the target is newer, unless the work is a way back.
func (t *task) upward(*view) []string {
	if t.is(t.from, t.to) {
		return []string{"it runs " + clean(t.from) + " already: another build of the same version can't be told from it"}
	}
	if !t.work.Back && t.order(t.to, t.from) < 0 {
		return []string{fmt.Sprintf("%s is older than %s, which runs: a downgrade is no patch", clean(t.to), clean(t.from))}
	}
	return nil
}

// Commands of these names only look: `ok` must match, `fail` must not, and the rest of the
// name is what is said. A guard tells before anything is touched whether somebody or
// something else is at work (guard_reload_pending); what is settled_… must hold again
// once the device is back.
const (
	guardPrefix   = "guard_"
	settledPrefix = "settled_"
)

type guard struct {
	name string
	cmd  device.Command
	line string
}

func (t *task) guardList(prefix string) []guard {
	var list []guard
	for _, e := range t.up.Commands.Entries {
		if name, ok := strings.CutPrefix(e.Key, prefix); ok {
			list = append(list, guard{strings.ReplaceAll(name, "_", " "), e.Value, t.fill(e.Value.Cmd, nil)})
		}
	}
	return list
}

func (t *task) askAll(prefix string) []ask {
	var asks []ask
	for _, g := range t.guardList(prefix) {
		asks = append(asks, ask{cmd: g.line, within: g.cmd.Timeout})
	}
	return asks
}

// guards are what ready asks besides.
func (t *task) guards() []ask { return t.askAll(guardPrefix) }

// unguarded: nothing else is at work, and nothing is pending.
func (t *task) unguarded(v *view) []string { return t.bad(guardPrefix, v) }

// unquiet: what the platform itself still waits for after a restart.
func (t *task) unquiet(v *view) []string { return t.bad(settledPrefix, v) }

func (t *task) bad(prefix string, v *view) []string {
	var reasons []string
	for _, g := range t.guardList(prefix) {
		out, answered := v.out[g.line]
		bad := t.guarded(g.cmd, string(out), answered)
		if words := v.no[g.line]; bad == "" && !answered && !t.absent(words) {
			bad = "the device does not tell: " + words
		}
		if bad != "" {
			reasons = append(reasons, g.name+": "+bad)
		}
	}
	return reasons
}

// absent tells by the device's words that it knows no such command, and so has no such
// thing: the value absent names them. What it only does not allow, it may well have.
func (t *task) absent(words string) bool {
	return slices.ContainsFunc(strings.Split(t.value("absent"), "|"), func(known string) bool {
		return known != "" && strings.Contains(strings.ToLower(words), strings.ToLower(known))
	})
}

func (t *task) guarded(c device.Command, out string, answered bool) string {
	for _, fail := range c.Fail {
		if hit := t.p.Re(fail).FindString(out); answered && hit != "" {
			return clean(hit)
		}
	}
	switch {
	case c.OK == "" || answered && t.p.Re(c.OK).MatchString(out):
		return ""
	case !answered:
		return "the device does not tell"
	}
	return "not as it should be: " + lastLine([]byte(out))
}

// tellsRoom is what room each member has, and where.
func (t *task) tellsRoom(v *view, queries []device.SpaceQuery) map[string]fact.FreeSpace {
	have := map[string]fact.FreeSpace{}
	for _, q := range queries {
		out, answered := v.out[q.Cmd]
		if !answered {
			continue
		}
		for _, free := range t.p.ReadSpace(q, out) {
			if _, known := have[free.Member]; !known {
				have[free.Member] = free
			}
		}
	}
	return have
}

// room asks for the room wherever the image or what is made of it will lie, and gives the
// check of it: each member must have as much as the definition demands.
func (t *task) room() ([]ask, check) {
	if t.work.Image == nil {
		return nil, func(*view) []string { return nil }
	}
	var asks []ask
	kinds := make([][]device.SpaceQuery, len(t.def.Space))
	for i, s := range t.def.Space {
		queries, err := t.p.SpaceQueries(s, t.units())
		if err != nil && t.wrong == nil {
			t.wrong = err
		}
		for _, q := range queries {
			asks = append(asks, ask{cmd: q.Cmd})
		}
		kinds[i] = queries
	}
	present := t.present(nil)
	return append(asks, present), func(v *view) []string {
		var reasons []string
		for i, s := range t.def.Space {
			reasons = append(reasons, t.roomOf(v, kinds[i], t.need(v, s, present))...)
		}
		return reasons
	}
}

// need is how much must be free, in bytes. What lies there already, whole or unpacked,
// needs no room any more.
func (t *task) need(v *view, s device.Space, present ask) int64 {
	factor := s.Need
	if size, there := t.sizeThere(v, present); there && size == t.image.Size {
		factor = max(factor-1, 0)
	}
	if t.everySlot(v, t.holds(fact.SlotIdle, fact.SlotTrial, fact.SlotNext)) {
		factor = 0
	}
	return int64(factor * float64(t.image.Size))
}

func (t *task) roomOf(v *view, queries []device.SpaceQuery, need int64) []string {
	have := t.tellsRoom(v, queries)
	var reasons []string
	units := t.units()
	for _, m := range units {
		free, known := have[m.ID]
		if !known && (len(units) == 1 || t.value("one_space") == "yes") {
			free, known = have[""]
		}
		switch {
		case !known:
			reasons = append(reasons, nameOf(m)+": nobody can tell how much room it has")
		case free.Bytes < need:
			reasons = append(reasons, fmt.Sprintf("%s: %s has %d MB free, and %d MB are needed", nameOf(m), clean(free.Name), free.Bytes/1e6, need/1e6))
		}
	}
	return reasons
}
