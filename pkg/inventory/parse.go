package inventory

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// defaultSite is the name of the only site where hosts stand at the top.
const defaultSite = "default"

// loader turns the file's structs into an Inventory, and reports what is wrong.
type loader struct {
	file   *document.File
	yaml   *fileYAML
	inv    *Inventory
	groups map[string]*group
	sites  map[string]*siteYAML
	origin map[fact.HostID]document.Pos // where each host is defined
	chosen map[string]*choice           // settings by set of groups
	told   map[string]bool              // conflicts that are reported already
	places map[int]string               // "file:line" by line
	files  Files
	via    map[fact.HostID][]document.Value[string] // with their places
}

// Parse reads an inventory that names no iCalendar files; such a file is an error.
func Parse(path string, src []byte) (*Inventory, error) {
	return ParseFiles(path, src, nil, time.Time{})
}

// ParseFiles reads an inventory. The error is a *document.Problems with everything that
// is wrong, each with its place; fault.CodeOf tells Usage from Unsupported. path is
// only used to name places. read gets the names of iCalendar files as they are written,
// which is from the inventory's own folder, and bounds what it reads; of what is in them
// the time around now counts, as far as schedule.Horizon.
func ParseFiles(path string, src []byte, read func(name string) ([]byte, error), now time.Time) (*Inventory, error) {
	var y fileYAML
	f := document.Decode(path, src, &y)
	if f.Broken() {
		return nil, f.Err()
	}
	l := &loader{
		file: f, yaml: &y, files: Files{Read: read, Now: now},
		inv:    &Inventory{Path: path, Source: patch.DigestOf(src), Sites: map[string]Site{}},
		groups: map[string]*group{}, sites: map[string]*siteYAML{},
		origin: map[fact.HostID]document.Pos{}, via: map[fact.HostID][]document.Value[string]{},
		chosen: map[string]*choice{}, told: map[string]bool{}, places: map[int]string{},
	}
	l.load()
	if err := f.Err(); err != nil {
		return nil, err
	}
	return l.inv, nil
}

// load is the whole way, in order.
func (l *loader) load() {
	l.declareGroups()
	l.addSites()
	l.joinGroups()
	l.checkGroups()
	l.resolveAll()
	l.checkJumps()
	l.inv.groups = l.groups
	l.inv.index = newIndex(l.inv)
	l.checkPaths()
	l.budgets()
	if len(l.inv.Hosts) == 0 && l.file.Err() == nil {
		at := slices.MaxFunc([]document.Pos{l.yaml.Hosts.At, l.yaml.Sites.At}, document.Pos.Compare)
		l.file.Errorf(at, "add one under hosts: `web-01: {address: 10.0.0.1}`", "the inventory has no hosts")
	}
	l.note()
}

// addSites registers every site and its hosts; hosts at the top are the site "default".
func (l *loader) addSites() {
	if l.yaml.Hosts.At.Written() {
		y := l.yaml
		l.addSite(defaultSite, &siteYAML{
			Timezone: y.Timezone, MaxConns: y.MaxConns, Owner: y.Owner, Hosts: y.Hosts,
			Windows: y.Windows, Freezes: y.Freezes, Approvers: y.Approvers, Budget: y.Budget, Trust: y.Trust,
		})
	}
	for i := range l.yaml.Sites.Entries {
		e := &l.yaml.Sites.Entries[i]
		if !goodName(e.Key) {
			l.badName(e.At, "site", e.Key)
			continue
		}
		l.addSite(e.Key, &e.Value)
	}
	slices.SortFunc(l.inv.Hosts, func(a, b Host) int { return a.ID.Compare(b.ID) })
}

func (l *loader) addSite(name string, y *siteYAML) {
	site := Site{Name: name, Timezone: time.UTC, MaxConnections: y.MaxConns.V, Owner: y.Owner.V, Jump: hops(y.Jump)}
	if y.Timezone.Set() && y.Timezone.V.Location != nil {
		site.Timezone = y.Timezone.V.Location
	}
	cal := calendar{file: l.file, zone: site.Timezone, files: l.files}
	site.Windows, site.Freezes, site.Approvers = cal.windows(y.Windows), cal.freezes(y.Freezes.V), l.approvers(y.Approvers)
	site.Trust = l.trust(y.Trust)
	l.inv.Sites[name] = site
	l.sites[name] = y
	for i := range y.Hosts.Entries {
		l.addHosts(name, &y.Hosts.Entries[i])
	}
}

// addHosts adds the host of an entry, or all that its range stands for.
func (l *loader) addHosts(site string, e *document.Entry[hostYAML]) {
	names, err := expand(e.Key)
	if err != nil {
		l.file.Report(e.At, err)
		return
	}
	if len(l.inv.Hosts)+len(names) > maxHosts {
		l.file.Errorf(e.At, "split the inventory", "more than %d hosts", maxHosts)
		return
	}
	addresses := l.addresses(e, len(names))
	direct := l.directGroups(e)
	for i, name := range names {
		if !goodName(name) {
			l.badName(e.At, "host", name)
			return
		}
		l.addHost(e, fact.HostID{Site: site, Name: name}, addresses[i], direct)
	}
}

func (l *loader) addHost(e *document.Entry[hostYAML], id fact.HostID, address string, direct []string) {
	if before, twice := l.origin[id]; twice {
		l.file.Errorf(e.At, "a host is defined once; it can be in several groups", "the host %s is defined on line %d already", id, before.Line)
		return
	}
	l.origin[id] = e.At
	h := Host{ID: id, Groups: direct, Settings: Settings{Address: address}, entry: &e.Value}
	l.inv.Hosts = append(l.inv.Hosts, h)
}

// addresses gives one address for each of n hosts; "" is the host's own name.
func (l *loader) addresses(e *document.Entry[hostYAML], n int) []string {
	none := make([]string, n)
	said := e.Value.Address
	if !said.Set() {
		return none
	}
	list, err := expand(string(said.V))
	switch {
	case err != nil:
		l.file.Report(said.At, err)
		return none
	case len(list) == 1 && n > 1:
		l.file.Errorf(said.At, "write a range here too, such as 10.0.0.[11:14], or leave it out where DNS knows the names", "%d hosts would share one address", n)
		return none
	case len(list) != n:
		l.file.Errorf(said.At, "both ranges must stand for as many", "%d addresses for %d hosts", len(list), n)
		return none
	}
	for _, a := range list {
		if err := checkAddress(a); err != nil {
			l.file.Report(said.At, err)
			return none
		}
	}
	return list
}

// directGroups gives the groups that the entry names, sorted, each once.
func (l *loader) directGroups(e *document.Entry[hostYAML]) []string {
	var names []string
	for _, g := range e.Value.Groups.V {
		if !g.Set() {
			continue
		}
		if !goodName(g.V) {
			l.badName(g.At, "group", g.V)
			continue
		}
		l.group(g.V).use(g.At)
		names = append(names, g.V)
	}
	sort.Strings(names)
	return slices.Compact(names)
}

func (l *loader) badName(at document.Pos, kind, name string) {
	hint := "letters, digits and . _ -, not beginning with a dot or hyphen"
	switch {
	case name == "all" || name == "ungrouped":
		hint = "the name stands for hosts in patterns already; choose another"
	case strings.ContainsAny(name, "[]:"):
		hint = rangeHint
	case strings.Contains(name, "@"):
		hint = "write the user as a setting: {user: NAME}"
	}
	l.file.Errorf(at, hint, "`%s` can't be the name of a %s", name, kind)
}
