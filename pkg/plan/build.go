package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// Build makes a plan without asking the hosts' package managers: for platforms
// that have no resolver, and for tests. Where there is one, use New.
func Build(in Input) (*Plan, error) {
	d, err := New(in)
	if err != nil {
		return nil, err
	}
	return d.Plan()
}

// Plan fixes the draft: reboots expected, batches and limits worked out, everything
// sorted. Percentages are of what the plan has work for: a batch of idle hosts would
// prove nothing. Hosts that never fit into their window are an error.
func (d *Draft) Plan() (*Plan, error) {
	p := &Plan{
		Version: Version, Playbook: d.in.Playbook.Name, Source: d.in.Source, Site: d.in.Site,
		Made: d.in.Now.UTC().Round(0), Reboot: d.in.Playbook.Reboot, Restart: d.in.Playbook.Restart, Repair: d.in.Playbook.Repair, OneShot: d.in.Playbook.OneShot,
		OnFailure: onFailure(d.in.Playbook), Rings: []Ring{}, Hosts: []Host{},
		Calendar: d.calendar, Urgent: d.in.Urgent, Budgets: d.budgets, Peers: d.peers,
		Hooks: d.hooks, Silences: d.silences, Quarantined: d.quarantined, NoLock: d.in.NoLock,
		Inventory: d.in.Inventory.Source, Trust: trustOf(d.in.Inventory.Sites[d.in.Site].Trust),
	}
	for _, id := range slices.SortedFunc(maps.Keys(d.hosts), fact.HostID.Compare) {
		p.Hosts = append(p.Hosts, d.fixed(*d.hosts[id]))
	}
	d.recheck(p)
	guessed := d.takes(p)
	for _, r := range d.rings {
		p.Rings = append(p.Rings, d.ring(r, p))
	}
	if size := d.in.Playbook.FailureLimit; size != nil {
		limit := Limit(len(p.working()), *size)
		p.FailureLimit = &limit
	}
	p.Notes = append(d.note(p), guessed...)
	if err := p.neverFits(); err != nil {
		return nil, err
	}
	return p, nil
}

// fixed is a host with its updates sorted.
func (d *Draft) fixed(h Host) Host {
	slices.SortFunc(h.Install, compareUpdates)
	slices.SortFunc(h.Left, func(a, b patch.Left) int {
		return cmp.Or(compareUpdates(a.Update, b.Update), cmp.Compare(a.Reason, b.Reason))
	})
	h.Reboot = expectReboot(h, d.in.Facts[h.ID].Facts, d.in.Playbook.Reboot)
	return h
}

// working are the hosts that the plan has work for.
func (p *Plan) working() []Host {
	return slices.DeleteFunc(slices.Clone(p.Hosts), func(h Host) bool { return h.Problem != nil || h.Idle() })
}

// ring works out a ring's numbers: batches are of units, failures of hosts.
func (d *Draft) ring(r draftRing, p *Plan) Ring {
	hosts, units := 0, map[string]bool{}
	for _, id := range r.hosts {
		if h, ok := p.Host(id); ok && h.Problem == nil && !h.Idle() {
			hosts++
			units[nodeOf(h.ID.Name, h.Unit)] = true
		}
	}
	out := r.fixed
	out.Name, out.Hosts, out.Batches = r.Name, r.hosts, Batches(len(units), r.Batches)
	out.MaxInFlight, out.FailureLimit = cmp.Or(r.MaxInFlight, DefaultInFlight), Limit(hosts, r.FailureLimit)
	return out
}

// note says what a reader of the plan must not miss.
func (d *Draft) note(p *Plan) []string {
	notes := slices.Clone(d.notes)
	security, hosts := 0, 0
	for _, h := range p.Hosts {
		if n := SecurityLeft(h.Left); n > 0 {
			security, hosts = security+n, hosts+1
		}
	}
	if security > 0 {
		notes = append(notes, fmt.Sprintf("%d updates that are or may be security fixes are left out, on %d hosts", security, hosts))
	}
	for _, h := range p.Hosts {
		if h.Idle() && h.Problem == nil && d.in.Facts[h.ID].Facts.Reboot.Needed == patch.Yes {
			notes = append(notes, fmt.Sprintf("%s needs a reboot, and has no updates: this plan does not restart it (%s)", h.ID, strings.Join(d.in.Facts[h.ID].Facts.Reboot.Reasons, "; ")))
		}
	}
	if out := d.outside(); out > 0 {
		notes = append(notes, fmt.Sprintf("%d hosts of site %s are in no ring, so nothing is planned for them", out, d.in.Site))
	}
	for _, r := range p.Rings {
		if len(r.Hosts) == 0 {
			notes = append(notes, fmt.Sprintf("ring %s has no hosts here", r.Name))
		}
	}
	return notes
}

// outside counts the site's hosts that no ring names.
func (d *Draft) outside() int {
	n, within := -len(d.quarantined), d.in.within()
	for _, h := range d.in.Inventory.Hosts {
		if h.ID.Site == d.in.Site && within(h.ID) && d.hosts[h.ID] == nil {
			n++
		}
	}
	return n
}

// expectReboot foresees whether the work ends in a reboot. It is a forecast for
// people: what really happens is decided on the host, after the installation.
func expectReboot(h Host, f fact.Facts, rule patch.RebootRule) patch.Tri {
	switch {
	case len(h.Install) == 0 || rule == patch.RebootNever:
		return patch.No
	case rule == patch.RebootAlways, f.Reboot.Needed == patch.Yes, slices.ContainsFunc(h.Install, needsReboot):
		return patch.Yes
	}
	return f.Reboot.Needed
}

// needsReboot names the packages after which distributions ask for a reboot: the
// kernel, its microcode, the C library, the init system and the message bus.
func needsReboot(u patch.Update) bool {
	switch u.Name {
	case patch.ImageName, "kernel", "libc6", "glibc", "systemd", "dbus", "dbus-broker", "intel-microcode", "amd64-microcode", "microcode_ctl", "linux-firmware":
		return true
	}
	return strings.HasPrefix(u.Name, "linux-image-") || strings.HasPrefix(u.Name, "kernel-core") || strings.HasPrefix(u.Name, "kernel-default")
}

func compareUpdates(a, b patch.Update) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.To, b.To))
}
