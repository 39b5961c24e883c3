package playbook

import (
	"maps"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/schedule"
)

// sitesOf lists the sites of hosts, sorted.
func sitesOf(hosts []inventory.Host) []string {
	sites := map[string]bool{}
	for _, h := range hosts {
		sites[h.ID.Site] = true
	}
	return slices.Sorted(maps.Keys(sites))
}

// window checks that every site knows the window.
func (l *loader) window(window document.Value[name], sites []string) {
	if !window.Set() || window.V == schedule.Any {
		return
	}
	for _, site := range sites {
		known := slices.Sorted(maps.Keys(l.inv.Sites[site].Windows))
		if !slices.Contains(known, string(window.V)) {
			l.file.Errorf(window.At, document.DidYouMean(string(window.V), known, "windows of "+site+": "+some(append(known, schedule.Any), "windows")),
				"the site %s has no window `%s`", site, window.V)
		}
	}
}

// approvers checks that every site has the list, with enough people on it.
func (l *loader) approvers(y document.Value[approvalYAML], sites []string) {
	if !y.Set() || !y.V.Approvers.Set() {
		return
	}
	list, count := string(y.V.Approvers.V), y.V.Count.Or(defaultCount)
	for _, site := range sites {
		people, ok := l.inv.Sites[site].Approvers[list]
		known := slices.Sorted(maps.Keys(l.inv.Sites[site].Approvers))
		switch {
		case !ok && len(known) == 0:
			l.file.Errorf(y.V.Approvers.At, "write in the inventory, at the site: approvers: {"+list+": [jane@hq.example]}", "the site %s has no approvers `%s`", site, list)
		case !ok:
			l.file.Errorf(y.V.Approvers.At, document.DidYouMean(list, known, "approvers of "+site+": "+some(known, "lists")), "the site %s has no approvers `%s`", site, list)
		case count > len(people):
			l.file.Errorf(y.V.Count.At, "ask for fewer, or put more people on the list", "the list `%s` of the site %s is too short for %d approvals (people: %d)", list, site, count, len(people))
		}
	}
}

// ordered checks the patterns of a ring's order; one that names none of the ring's
// hosts orders nothing.
func (l *loader) ordered(y ringYAML, ring []inventory.Host) []string {
	var made []string
	for _, p := range y.Order.V {
		made = append(made, p.V)
		hosts, ok := l.hosts(p)
		if !ok || l.inv == nil || len(ring) == 0 {
			continue
		}
		inRing := func(h inventory.Host) bool {
			return slices.ContainsFunc(hosts, func(o inventory.Host) bool { return o.ID == h.ID })
		}
		if !slices.ContainsFunc(ring, inRing) {
			l.file.Errorf(p.At, "remove it, or put its hosts into the ring", "`%s` selects no host of the ring `%s`", p.V, y.Name.V)
		}
	}
	return made
}

// freezes reads those of the playbook, once for each clock of the sites that it touches:
// an iCalendar file may speak of days without a zone.
func (l *loader) freezes() {
	l.book.freezes = map[string][]schedule.Freeze{}
	byZone := map[string][]schedule.Freeze{}
	read := func(zone *time.Location) []schedule.Freeze {
		made, known := byZone[zone.String()]
		if !known {
			made = l.files.Freezes(l.file, zone, l.yaml.Freezes.V)
			byZone[zone.String()] = made
			l.book.Freezes = append(l.book.Freezes, made...)
		}
		return made
	}
	for _, site := range slices.Sorted(maps.Keys(l.touched)) {
		l.book.freezes[site] = read(l.inv.Sites[site].Timezone)
	}
	if len(l.touched) == 0 {
		read(time.UTC)
	}
	l.book.Freezes = compact(l.book.Freezes)
}

// compact leaves out what stands twice: dates are the same for every zone.
func compact(list []schedule.Freeze) []schedule.Freeze {
	var made []schedule.Freeze
	for _, f := range list {
		same := func(o schedule.Freeze) bool {
			return len(f.Spans) == 0 && len(o.Spans) == 0 && o.From == f.From && o.Through == f.Through && o.Reason == f.Reason
		}
		if !slices.ContainsFunc(made, same) {
			made = append(made, f)
		}
	}
	return made
}
