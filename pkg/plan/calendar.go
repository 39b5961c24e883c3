package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// CalendarOf is when hosts of a site may be started by a playbook: the site's zone,
// windows and freezes, then the playbook's own freezes. It shares nothing that changes
// with either, and equal files give equal calendars.
func CalendarOf(inv *inventory.Inventory, book *playbook.Playbook, site string) schedule.Calendar {
	s := inv.Sites[site]
	var c schedule.Calendar
	if s.Timezone != nil && s.Timezone.String() != "UTC" { // which an empty zone means already
		c.Zone = s.Timezone.String()
	}
	if len(s.Windows) > 0 {
		c.Windows = maps.Clone(s.Windows)
	}
	if freezes := slices.Concat(s.Freezes, book.FreezesIn(site)); len(freezes) > 0 {
		c.Freezes = freezes
	}
	return c
}

// windowOf is a ring's window as a plan has it: empty for any. The urgent lane's holds
// for every ring.
func (d *Draft) windowOf(r playbook.Ring) (string, error) {
	window := r.Window
	if d.in.Urgent && d.in.Playbook.Urgent.Window != nil {
		window = *d.in.Playbook.Urgent.Window
	}
	if window == "" || window == schedule.Any {
		return "", nil
	}
	if _, known := d.calendar.Windows[window]; !known {
		return "", fault.Usagef(
			"windows stand at the site in the inventory; it has: "+namesOf(d.calendar.Windows)+". Write any for no window",
			"ring %s: site %s has no window named %s", r.Name, d.in.Site, window)
	}
	return window, nil
}

// namesOf lists the keys of a map for a hint.
func namesOf[V any](m map[string]V) string {
	if len(m) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
