package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

// What open rollouts leave on hosts, so that a run that has lost its state folder does
// not begin a second one beside them: read with every look at a host, judged when a new
// rollout is to be opened, removed when it is over.

// marks are those that looks at hosts have found.
type marks struct {
	mu  sync.Mutex
	all map[fact.HostID][]mark
}

// mark stands on one host.
type mark struct {
	host     fact.HostID
	platform fact.Platform
	fact.Marker
}

// saw keeps what the last look at a host has found.
func (m *marks) saw(f fact.Facts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[fact.HostID][]mark{}
	}
	delete(m.all, f.Host)
	for _, found := range f.Markers {
		m.all[f.Host] = append(m.all[f.Host], mark{f.Host, f.Platform, found})
	}
}

// of a playbook and site, by rollout, each by host.
func (m *marks) of(playbook, site string) map[string][]mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string][]mark{}
	for id, list := range m.all {
		for _, one := range list {
			if one.Playbook == playbook && one.Site == site && id.Site == site {
				found[one.Rollout] = append(found[one.Rollout], one)
			}
		}
	}
	for _, list := range found {
		slices.SortFunc(list, func(a, b mark) int { return a.host.Compare(b.host) })
	}
	return found
}

// unknownMarks are those of rollouts that are not in this state folder.
func (o Options) unknownMarks(f *fleet, playbook, site string) map[string][]mark {
	found := f.marks.of(playbook, site)
	maps.DeleteFunc(found, func(id string, _ []mark) bool { return o.knows(id) })
	return found
}

// saying is who marked which hosts, and since when.
func saying(list []mark) string {
	first, names := list[0], make([]string, len(list))
	for i, m := range list {
		names[i] = m.host.String()
		if m.Since.Before(first.Since) {
			first = m
		}
	}
	return fmt.Sprintf("rollout %s of %s, since %s, has marked %s", first.Rollout, cmp.Or(first.By, "somebody"), first.Since.Format(time.RFC3339), few(names))
}

// maxNamed bounds how many hosts are named in one line.
const maxNamed = 5

func few(names []string) string {
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d others", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}

// markNotes are for the plan: it may be looked at, but not begun.
func (o Options) markNotes(f *fleet, playbook, site string) []string {
	unknown := o.unknownMarks(f, playbook, site)
	var notes []string
	for _, id := range sortedKeys(unknown) {
		notes = append(notes, saying(unknown[id])+"; it is not in this state folder, so `run` begins none beside it unless told to with --force-unlock")
	}
	return notes
}

// refuseMarked stops a new rollout of a playbook and site where another is open that
// this state folder does not have. Hosts of a saved plan are looked at for it; those of
// a plan just made have been.
func (e Env) refuseMarked(ctx context.Context, o RunOptions, f *fleet, p *plan.Plan, saved bool) error {
	if saved {
		e.lookForMarks(ctx, o, f, p)
	}
	unknown := o.unknownMarks(f, p.Playbook, p.Site)
	forced := unknown[o.ForceUnlock]
	delete(unknown, o.ForceUnlock)
	if len(unknown) == 0 {
		return nil
	}
	// The user has said that it is gone. It must not stand in the way when the next one
	// is named.
	e.unmark(ctx, o.Options, f, forced)
	id := sortedKeys(unknown)[0]
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Locked, Host: unknown[id][0].host.String(),
		What: saying(unknown[id]) + "; it is not in this state folder (" + o.statePath() + "), so none is begun beside it",
		Hint: "carry it on with the state folder that has it: --state DIR, or copy that folder here; once you know that it is gone for good: patchring run " +
			o.Playbook + " --force-unlock " + id,
	}
}

func (e Env) lookForMarks(ctx context.Context, o RunOptions, f *fleet, p *plan.Plan) {
	var hosts []inventory.Host
	for _, planned := range p.Hosts {
		if h, ok := f.hosts[planned.ID]; ok && planned.Problem == nil {
			hosts = append(hosts, h)
		}
	}
	watch := e.progress("looking at", len(hosts))
	f.survey(ctx, e, hosts, o.concurrency(), platform.Query{}, watch.Done)
	_ = watch.Close() // a broken stderr must not stop the look
}

// forgetMarked removes what earlier rollouts of a new one's playbook and site have left.
// All of them are over, or were said to be gone.
func (e Env) forgetMarked(ctx context.Context, o RunOptions, f *fleet, r *openRollout) {
	var old []mark
	found := f.marks.of(r.Playbook, r.Site)
	for _, id := range sortedKeys(found) {
		if id != r.ID {
			old = append(old, found[id]...)
		}
	}
	e.unmark(ctx, o.Options, f, old)
}

// unmarkOver removes the markers of a rollout that is over from the hosts it has begun.
func (e Env) unmarkOver(ctx context.Context, o Options, f *fleet, r *openRollout) {
	if !over(r.state) {
		return
	}
	var ours []mark
	for _, h := range r.state.Status(e.Now()).Hosts {
		if planned, ok := r.plan.Host(h.ID); ok && (h.Began != nil || !h.Started.IsZero()) {
			ours = append(ours, mark{h.ID, planned.Platform, fact.Marker{Rollout: r.ID, Playbook: r.Playbook, Site: r.Site}})
		}
	}
	e.unmark(ctx, o, f, ours)
}

// Bounds of the removal: nobody must wait long for what is no more than tidiness.
const (
	unmarkWithin = 20 * time.Second // one host
	unmarkQuiet  = time.Second      // before its progress is shown
)

// unmark removes markers where they still name the same rollout, as well as it can be
// done: what is left is replaced by the next rollout.
func (e Env) unmark(ctx context.Context, o Options, f *fleet, list []mark) {
	if len(list) == 0 {
		return
	}
	hosts := make([]inventory.Host, len(list))
	at := map[fact.HostID]mark{}
	for i, m := range list {
		hosts[i], at[m.host] = inventory.Host{ID: m.host}, m
	}
	watch := e.later("removing the rollout's marker from", len(list))
	gone := each(ctx, hosts, o.concurrency(), watch.done, func(ctx context.Context, h inventory.Host) (bool, bool) {
		gone := f.unmarkOne(ctx, at[h.ID])
		return gone, gone
	})
	watch.close()
	var left []string
	for i, gone := range gone {
		if !gone {
			left = append(left, hosts[i].ID.String())
		}
	}
	if len(left) > 0 {
		e.say("warning: the marker of a rollout that is over could not be removed from %s; the next one replaces it", few(left))
	}
}

// unmarkOne is true where the rollout's marker does not stand on the host any more.
func (f *fleet) unmarkOne(ctx context.Context, m mark) bool {
	driver, _ := f.drivers.For(m.platform)
	marker, ok := driver.(platform.Marker)
	if !ok {
		return true // it can't have left one
	}
	ctx, cancel := context.WithTimeout(ctx, unmarkWithin)
	defer cancel()
	link, err := f.Connect(ctx, m.host)
	if err != nil {
		return false
	}
	defer link.Release()
	result, err := link.Session().Runner.Run(ctx, marker.Unmark(platform.Owner{Rollout: m.Rollout, Playbook: m.Playbook, Site: m.Site}))
	return err == nil && result.OK()
}
