package playbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/schedule"
)

// loader turns the file's structs into a Playbook, and reports what is wrong.
type loader struct {
	file    *document.File
	yaml    *fileYAML
	inv     *inventory.Inventory // nil: patterns are only parsed, not looked up
	files   inventory.Files
	touched map[string]bool // sites that the rings have hosts in
	book    *Playbook
}

// Parse reads a playbook that names no iCalendar files; such a file is an error.
func Parse(path string, src []byte, inv *inventory.Inventory) (*Playbook, error) {
	return ParseFiles(path, src, inv, nil, time.Time{})
}

// ParseFiles reads a playbook. With an inventory, every host pattern, window, list of
// approvers and host to run on must be known to it. The error is a *document.Problems
// with everything that is wrong, each with its place; fault.CodeOf tells Usage from
// Unsupported. read and now are those of inventory.ParseFiles; names of files are from
// the playbook's own folder.
func ParseFiles(path string, src []byte, inv *inventory.Inventory, read func(name string) ([]byte, error), now time.Time) (*Playbook, error) {
	var y fileYAML
	f := document.Decode(path, src, &y)
	if f.Broken() {
		return nil, f.Err()
	}
	l := &loader{file: f, yaml: &y, inv: inv, files: inventory.Files{Read: read, Now: now}, touched: map[string]bool{}, book: &Playbook{
		Path: path, Name: string(y.Name.V),
		Reboot: y.Reboot.Or(defaultReboot), OnFailure: y.OnFailure.Or(defaultOnFailure),
		Restart: restartRule(y.Restart.Or(defaultRestart)), OneShot: y.OneShot.V, Repair: y.Repair.V,
		RollbackWindow: string(y.BackIn.Or(schedule.Any)),
	}}
	l.load()
	if err := f.Err(); err != nil {
		return nil, err
	}
	return l.book, nil
}

// load is the whole way, in order.
func (l *loader) load() {
	if l.yaml.Limit.Set() {
		l.book.FailureLimit = &l.yaml.Limit.V.Size
	}
	l.patches()
	l.rings()
	l.urgent()
	l.rollback()
	l.checks()
	l.hooks()
	l.silences()
	l.freezes()
	l.covered()
}

// rollback checks that every site that the rings touch knows the window.
func (l *loader) rollback() {
	l.window(l.yaml.BackIn, slices.Sorted(maps.Keys(l.touched)))
	if l.yaml.BackIn.Set() && l.book.OnFailure != OnFailureRollback {
		l.file.Errorf(l.yaml.BackIn.At, "write on_failure: rollback, or remove it", "rollback_window means nothing without on_failure: rollback")
	}
}

// restartRule: what a person writes as never is told, and not done.
func restartRule(r patch.RestartRule) patch.RestartRule {
	if r == "never" {
		return patch.RestartNever
	}
	return r
}

func (l *loader) patches() {
	for _, p := range l.yaml.Patches.V {
		l.hosts(p.Hosts)
		if p.Image.Set() {
			l.book.Patches = append(l.book.Patches, Patch{Hosts: p.Hosts.V, Image: p.Image.V.image()})
			continue
		}
		y := p.Packages.V
		l.book.Patches = append(l.book.Patches, Patch{Hosts: p.Hosts.V, Packages: Packages{
			Kind: y.Kind.Or(defaultKind), MinSeverity: y.MinSeverity.V, Exclude: excludes(y.Exclude.V),
		}})
	}
}

func excludes(list []excludeYAML) []Exclude {
	var made []Exclude
	for _, e := range list {
		made = append(made, Exclude{Package: string(e.Package.V), Reason: e.Reason.V, Owner: e.Owner.V, Until: e.Until.V.Time})
	}
	return made
}

func (l *loader) rings() {
	first := map[name]document.Pos{}
	for i, y := range l.yaml.Rings.V {
		if before, twice := first[y.Name.V]; twice && y.Name.Set() {
			l.file.Errorf(y.Name.At, "give each ring its own name", "the ring `%s` stands twice: the first is on line %d", y.Name.V, before.Line)
		}
		first[y.Name.V] = y.Name.At
		r := ring(y)
		r.Gate = l.gate(&y.Gate.V, i == 0)
		r.Order = l.ordered(y, l.ringHosts(y))
		l.book.Rings = append(l.book.Rings, r)
	}
	l.order()
}

// order demands a test ring before everything else.
func (l *loader) order() {
	rings := l.yaml.Rings.V
	if len(rings) != 1 || !rings[0].Name.Set() || rings[0].Name.V == testRing {
		return
	}
	l.file.Errorf(rings[0].Name.At, "write a ring before it that its patches are proven on: {name: test, hosts: ...}; a single ring must be named test",
		"the ring `%s` has no earlier ring", rings[0].Name.V)
}

// ringHosts checks a ring's pattern, and what its sites must know. A ring without hosts
// would prove nothing.
func (l *loader) ringHosts(y ringYAML) []inventory.Host {
	hosts, ok := l.hosts(y.Hosts)
	if ok && l.inv != nil && len(hosts) == 0 {
		l.file.Errorf(y.Hosts.At, "put hosts into its groups in the inventory", "the ring `%s` has no hosts: `%s` selects none", y.Name.V, y.Hosts.V)
	}
	sites := sitesOf(hosts)
	for _, site := range sites {
		l.touched[site] = true
	}
	l.window(y.Window, sites)
	l.approvers(y.Gate.V.Approval, sites)
	return hosts
}

// ring fills in the defaults.
func ring(y ringYAML) Ring {
	r := Ring{
		Name: string(y.Name.V), Hosts: y.Hosts.V, MaxInFlight: y.MaxInFlight.Or(defaultMaxInFlight), FailureLimit: y.FailureLimit.V.Size,
		Window: string(y.Window.Or(schedule.Any)),
	}
	for _, size := range y.Batches.V {
		r.Batches = append(r.Batches, size.Size)
	}
	if len(r.Batches) == 0 {
		r.Batches = []Size{{N: 100, Percent: true}}
	}
	return r
}

// hosts checks a pattern. ok is false where it is missing or wrong.
func (l *loader) hosts(pattern document.Value[string]) (hosts []inventory.Host, ok bool) {
	if !pattern.Set() {
		return nil, false
	}
	if strings.Contains(pattern.V, "@") {
		l.file.Errorf(pattern.At, "name the hosts here, or put them into a group", "a playbook says itself which hosts it touches: `@` can't stand here")
		return nil, false
	}
	err := inventory.CheckPattern(pattern.V)
	if err == nil && l.inv != nil {
		hosts, err = l.inv.Select(pattern.V, nil)
	}
	if err != nil {
		l.file.Report(pattern.At, err)
		return nil, false
	}
	return hosts, true
}

// covered reports hosts that no check asks: their health would stay unknown, and a
// gate that can't be evaluated is closed.
func (l *loader) covered() {
	if l.inv == nil || l.file.Err() != nil {
		return
	}
	asked := map[fact.HostID]bool{}
	for _, c := range l.book.Checks {
		hosts, _ := l.inv.Select(c.Hosts, nil) // checked before
		for _, h := range hosts {
			asked[h.ID] = true
		}
	}
	for i, r := range l.book.Rings {
		var missing []string
		hosts, _ := l.inv.Select(r.Hosts, nil) // checked before
		for _, h := range hosts {
			if !asked[h.ID] {
				missing = append(missing, h.ID.String())
			}
		}
		if len(missing) > 0 {
			l.file.Errorf(l.yaml.Rings.V[i].Hosts.At, `add {hosts: "*", default_diff: true} to the checks`,
				"no check asks %s of the ring `%s`: whether they are healthy would stay unknown", some(missing, "hosts"), r.Name)
		}
	}
}

// some names the first few of a list, and counts the rest.
func some(names []string, what string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more %s", strings.Join(names[:shown], ", "), len(names)-shown, what)
}
