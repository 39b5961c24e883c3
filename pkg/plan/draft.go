package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// Input is all that a plan is made from.
type Input struct {
	Playbook  *playbook.Playbook
	Source    patch.Digest // of the playbook's bytes
	Inventory *inventory.Inventory
	Site      string
	Limit     []fact.HostID // nil: all
	Packages  []string      // globs of --package; nil: all
	Facts     map[fact.HostID]Found
	Now       time.Time
	// Past is what hosts bring along from the last rollout of this playbook that worked on them.
	Past map[fact.HostID]Recheck
	// Takes is how long the work on a host of a domain took of late, see History; what is
	// not in it gets DefaultTakes.
	Takes map[string]time.Duration
	// Quarantine are the hosts that are left out, by the state folder. Ring is filled in here.
	Quarantine map[fact.HostID]Quarantined
	Urgent     bool     // the urgent lane
	CVEs       []string // only updates that are known to fix one of these; nil: all
	// Controller tells whether a host is the machine that this runs on: it is worked on
	// last of its ring, and alone. nil: not known.
	Controller func(fact.Facts) bool
	// Notes are taken over into the plan.
	Notes []string
	// Images are the files of the playbook's image entries by their name there, as the
	// controller has found them. One that is not here is an error where a host wants it.
	Images map[string]patch.Image
	// Driver finds a platform's driver; nil: those that are built in.
	Driver func(fact.Platform) (platform.Driver, bool)
	// Unproven and NoLock are the operator's word that platforms may be upgraded in a way
	// that nobody has proven, and that ones are worked on that can keep no lock.
	Unproven, NoLock bool
	// ReadList reads the file behind "@file" in a pattern; nil: such patterns are refused.
	ReadList func(path string) ([]byte, error)
}

// Found is what looking at one host gave: its facts, or why there are none.
type Found struct {
	Facts   fact.Facts
	Problem *Problem
}

// Draft is a plan before its hosts were asked what the picked updates would really
// change: New → Wanted → Resolve, for each host → Plan.
type Draft struct {
	in          Input
	calendar    schedule.Calendar
	cves        map[string]bool
	rings       []draftRing
	hosts       map[fact.HostID]*Host // of the rings
	paths       paths
	budgets     []Budget
	peers       []Peer
	hooks       []Hook
	silences    []Silence
	quarantined []Quarantined
	notes       []string
}

type draftRing struct {
	playbook.Ring
	hosts []fact.HostID // sorted, until addStages
	fixed Ring          // of it: Window, Gate, Stages
}

// New works out the rings, their gates and order, and picks each host's updates by the
// playbook's rules. Whatever can't be carried out as it is written is an error.
func New(in Input) (*Draft, error) {
	d := &Draft{in: in, calendar: CalendarOf(in.Inventory, in.Playbook, in.Site), hosts: map[fact.HostID]*Host{}, notes: slices.Clone(in.Notes)}
	for _, add := range []func() error{
		d.addRings, d.addGates, d.addHooks, d.addSilences, d.addBudgets, d.addPaths, d.addStages, d.addWork,
	} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// addRings gives the rings their hosts, without those in quarantine.
func (d *Draft) addRings() error {
	rings, err := d.in.ringHosts()
	if err != nil {
		return err
	}
	if d.rings, err = d.quarantine(rings); err != nil {
		return err
	}
	for _, r := range d.rings {
		for _, id := range r.hosts {
			h := &Host{ID: id, Ring: r.Name, Unit: d.in.unitOf(id)}
			h.Snapshots, h.RebootWithin = d.in.settingsOf(id)
			d.hosts[id] = h
		}
	}
	d.notes = append(d.notes, d.tornUnits()...)
	return nil
}

// addWork gives each host its checks and its updates.
func (d *Draft) addWork() error {
	rules, err := d.in.rules()
	if err != nil {
		return err
	}
	checks, err := d.in.checks()
	if err != nil {
		return err
	}
	if d.cves, err = cvesOf(d.in.CVEs); err != nil {
		return err
	}
	for _, r := range d.rings {
		for _, id := range r.hosts {
			h := d.hosts[id]
			for _, c := range checks {
				if c.hosts[id] {
					h.Checks = append(h.Checks, c.Check)
				}
			}
			d.fill(h, rules)
		}
	}
	return d.matched()
}

// fill picks the updates of one host, or notes why it can't be worked on.
func (d *Draft) fill(h *Host, rules []rule) {
	found, looked := d.in.Facts[h.ID]
	if !looked {
		found.Problem = &Problem{Code: string(fault.Unreachable), What: "nobody has looked at this host"}
	}
	f := found.Facts
	h.Platform, h.Domain = f.Platform, f.Domain()
	if h.Problem = cmp.Or(found.Problem, d.unworkable(h.ID, f), d.mistaken(h.ID, f)); h.Problem != nil {
		return
	}
	if d.image(h, f, imagesFor(rules, h.ID)) {
		return
	}
	p := picker{rules: rulesFor(rules, h.ID), globs: d.in.Packages, cves: d.cves, now: d.in.Now, holds: f.Holds, manager: f.Manager.Name}
	h.Install, h.Left = p.pick(f)
	d.notes = append(d.notes, p.notes(h.ID)...)
}

// unworkable says why a host that was reached can't be worked on all the same. What
// could not be read is never taken for "nothing to do". With repair a transaction that was
// cut is put right before the work.
func (d *Draft) unworkable(id fact.HostID, f fact.Facts) *Problem {
	see, repair := "see: patchring detect "+id.Name, d.in.Playbook.Repair
	if f.Platform == "" {
		return &Problem{Code: string(fault.HostFailed), What: "its platform could not be told", Hint: see}
	}
	driver, known := d.driver(f.Platform)
	if !known {
		return &Problem{Code: string(fault.HostFailed), What: "there is no driver for platform " + string(f.Platform), Hint: see}
	}
	if c := driver.Capabilities(); !c.Upgrades {
		return &Problem{Code: string(fault.HostFailed), What: "platform " + string(f.Platform) + " can't be patched: " + c.Why, Hint: "leave the host out of the rings"}
	}
	if p, found := unread(f, problemUpdates, problemOutput); found {
		return &Problem{Code: string(fault.HostFailed), What: "its pending updates could not be read: " + p.Detail, Hint: see}
	}
	if s := f.Manager.State; !repair && (s == fact.ManagerInterrupted || s == fact.ManagerBroken) {
		return &Problem{
			Code: string(fault.HostFailed), What: fmt.Sprintf("its package manager is %s: %s", s, f.Manager.Detail),
			Hint: "repair it on the host: dpkg --configure -a, apt-get -f install, or dnf check; or set repair: true in the playbook",
		}
	}
	if p, found := unread(f, problemRefresh); found {
		return &Problem{
			Code: string(fault.HostFailed), What: "its package lists could not be refreshed: " + p.Detail,
			Hint: "put the repositories right on the host, or plan with the lists it has: --no-refresh",
		}
	}
	return nil
}

// mistaken: the inventory says that the host runs something else.
func (d *Draft) mistaken(id fact.HostID, f fact.Facts) *Problem {
	h, err := d.in.Inventory.Find(id.String())
	if err != nil || h.Platform == "" || h.Platform == f.Platform {
		return nil // it is in the inventory: the rings' patterns gave it
	}
	return &Problem{
		Code: string(fault.HostFailed), What: fmt.Sprintf("the inventory says platform %s, and the host runs %s", h.Platform, f.Platform),
		Hint: "is the address right? else correct platform in the inventory",
	}
}

// Wanted are the updates picked for a host so far, sorted.
func (d *Draft) Wanted(id fact.HostID) []patch.Update {
	if h := d.hosts[id]; h != nil && h.Problem == nil {
		return slices.Clone(h.Install)
	}
	return nil
}

// Resolve takes in what a host's own package manager says it would do about the
// wanted updates. Both nil: there was nothing to ask. What it would change beyond
// them becomes part of the plan; a removal, a refusal and another version than the
// one that was wanted are the host's problem.
func (d *Draft) Resolve(id fact.HostID, res *platform.Resolution, problem *Problem) {
	h := d.hosts[id]
	switch {
	case h == nil || h.Problem != nil:
	case problem != nil:
		h.Problem = problem
	case res != nil && len(h.Install) > 0:
		if why := refusal(h, *res); why != "" {
			h.Problem = &Problem{Code: string(fault.HostFailed), What: why, Hint: "look at it on the host, or leave the package out with exclude"}
			return
		}
		h.settle(*res)
		h.Return = WayBack(h.Install, res.Offers, res.Files, res.Unsure)
	}
}

// refusal says why a resolution can't be planned.
func refusal(h *Host, res platform.Resolution) string {
	if res.Refused != "" {
		return "the package manager refuses: " + res.Refused
	}
	if len(res.Removes) > 0 {
		gone := slices.Sorted(slices.Values(res.Removes))
		return "installing these updates would remove " + strings.Join(gone, ", ")
	}
	wanted := byKey(h.Install)
	left := map[string]patch.Left{}
	for _, l := range h.Left {
		left[l.Update.Key()] = l
	}
	for _, c := range res.Changes {
		if w, ok := wanted[c.Key()]; ok && w.To != c.To {
			return fmt.Sprintf("%s would become %s, and not %s as it was found a moment ago", c.Key(), c.To, w.To)
		}
		if l, ok := left[c.Key()]; ok {
			return fmt.Sprintf("the updates need %s, which is left alone: %s %s", c.Key(), l.Reason, l.Detail)
		}
	}
	return ""
}

// settle makes the host's list what the package manager would really do.
func (h *Host) settle(res platform.Resolution) {
	wanted, changes := byKey(h.Install), byKey(res.Changes)
	var install []patch.Update
	for _, w := range h.Install {
		if _, ok := changes[w.Key()]; ok {
			install = append(install, w)
		} else {
			h.Left = append(h.Left, patch.Left{Update: w, Reason: patch.ReasonKeptBack, Detail: "the package manager would not install it"})
		}
	}
	for _, c := range res.Changes {
		if _, ok := wanted[c.Key()]; !ok {
			c.Dependency = true
			install = append(install, c)
		}
	}
	h.Install = install
}

func byKey(updates []patch.Update) map[string]patch.Update {
	out := map[string]patch.Update{}
	for _, u := range updates {
		out[u.Key()] = u
	}
	return out
}
