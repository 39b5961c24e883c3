package playbook

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
)

// loader turns the file's structs into a Playbook, and reports what is wrong.
type loader struct {
	file *document.File
	yaml *fileYAML
	inv  *inventory.Inventory // nil: patterns are only parsed, not looked up
	book *Playbook
}

// Parse reads a playbook. With an inventory, every host pattern must name something
// that it knows. The error is a *document.Problems with everything that is wrong,
// each with its place; fault.CodeOf tells Usage from Unsupported.
func Parse(path string, src []byte, inv *inventory.Inventory) (*Playbook, error) {
	var y fileYAML
	f := document.Decode(path, src, &y)
	if f.Broken() {
		return nil, f.Err()
	}
	l := &loader{file: f, yaml: &y, inv: inv, book: &Playbook{
		Path: path, Name: string(y.Name.V),
		Reboot: y.Reboot.Or(defaultReboot), OnFailure: y.OnFailure.Or(defaultOnFailure),
	}}
	l.patches()
	l.rings()
	l.checks()
	l.covered()
	l.bastions()
	if err := f.Err(); err != nil {
		return nil, err
	}
	return l.book, nil
}

func (l *loader) patches() {
	for _, p := range l.yaml.Patches.V {
		l.hosts(p.Hosts)
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
	for _, y := range l.yaml.Rings.V {
		if before, twice := first[y.Name.V]; twice && y.Name.Set() {
			l.file.Errorf(y.Name.At, "give each ring its own name", "the ring `%s` stands twice: the first is on line %d", y.Name.V, before.Line)
		}
		first[y.Name.V] = y.Name.At
		l.ringHosts(y)
		l.book.Rings = append(l.book.Rings, ring(y))
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

// ringHosts checks a ring's pattern; a ring without hosts would prove nothing.
func (l *loader) ringHosts(y ringYAML) {
	hosts, ok := l.hosts(y.Hosts)
	if ok && l.inv != nil && len(hosts) == 0 {
		l.file.Errorf(y.Hosts.At, "put hosts into its groups in the inventory", "the ring `%s` has no hosts: `%s` selects none", y.Name.V, y.Hosts.V)
	}
}

// ring fills in the defaults.
func ring(y ringYAML) Ring {
	r := Ring{Name: string(y.Name.V), Hosts: y.Hosts.V, MaxInFlight: y.MaxInFlight.Or(defaultMaxInFlight), FailureLimit: y.FailureLimit.V.Size}
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
				"no check asks %s of the ring `%s`: whether they are healthy would stay unknown", some(missing), r.Name)
		}
	}
}

// bastions reports a ring that works on a bastion beside hosts that are reached through
// it: its reboot would cut them off in the middle of their work.
func (l *loader) bastions() {
	if l.inv == nil || l.file.Err() != nil {
		return
	}
	for i, r := range l.book.Rings {
		hosts, _ := l.inv.Select(r.Hosts, nil) // checked before
		if bastion, behind, found := inventory.Bastion(hosts); found {
			l.file.Errorf(l.yaml.Rings.V[i].Hosts.At, "leave it out of this ring (:!"+bastion.ID.Name+"), and give it a ring of its own",
				"the ring `%s` works on the bastion %s beside %s, which is reached through it", r.Name, bastion.ID, behind.ID)
		}
	}
}

// some names the first few of a list, and counts the rest.
func some(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more hosts", strings.Join(names[:shown], ", "), len(names)-shown)
}
