package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/engine/local"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// StageOptions are those of `stage`.
type StageOptions struct {
	Options
	Target string // a saved plan or a rollout
	Ring   string // "": of a plan all rings, of a rollout the one that comes next
}

// Stage brings what hosts are going to get to them, ahead of their window, and installs
// nothing.
func (e Env) Stage(ctx context.Context, o StageOptions) (Ending, error) {
	inv, err := o.loadInventory()
	if err != nil {
		return Ending{}, err
	}
	from, err := o.stages(ctx)
	if err != nil {
		return Ending{}, err
	}
	defer from.rollout.Close()
	hosts, err := o.staged(inv, from)
	if err != nil {
		return Ending{}, err
	}
	f, err := e.fleet(o.Options, inv)
	if err != nil {
		return Ending{}, err
	}
	defer f.Close()
	performer := e.stager(o, f, from)
	watch := e.later("bringing packages to", len(hosts))
	brought := each(ctx, hosts, o.concurrency(), watch.done, func(ctx context.Context, h inventory.Host) (report.Brought, bool) {
		if e.stopped() {
			return report.Brought{}, false
		}
		end := performer.Stage(ctx, h.ID, from.set)
		ok := end.Outcome == rollout.OutcomeOK || end.Outcome == rollout.OutcomeNothing
		return report.Brought{Host: h.ID, Ring: from.ringOf(h.ID), End: end}, ok
	})
	watch.close()
	if err := ctx.Err(); err != nil {
		return Ending{}, err //nolint:wrapcheck // the user's own Ctrl-C
	}
	brought = slices.DeleteFunc(brought, func(b report.Brought) bool { return b.Host.Name == "" })
	doc := report.NewStaging(from.digest, from.bound(), brought)
	end := Ending{Ending: doc.Exit}
	if len(brought) < len(hosts) {
		end.Ending = report.Stopped(end.Ending)
	}
	return end, e.print(o.Options, doc)
}

// staging is what is brought: a plan, narrowed by the set that its ring is bound to.
type staging struct {
	plan    *plan.Plan
	digest  patch.Digest
	set     *patch.PatchSet // nil: the plan's own versions
	ring    string          // "": all
	rollout *openRollout    // its store is used; one that is not opened where a plan was named
	state   *rollout.State
	done    map[fact.HostID]bool // begun already, or over: nothing is brought to these
}

func (s staging) bound() patch.Digest {
	if s.set == nil {
		return ""
	}
	return plan.SetDigest(*s.set)
}

func (s staging) ringOf(id fact.HostID) string {
	h, _ := s.plan.Host(id)
	return h.Ring
}

func (o StageOptions) stages(ctx context.Context) (staging, error) {
	if strings.HasSuffix(o.Target, ".json") {
		return o.stagesPlan()
	}
	return o.stagesRollout(ctx)
}

func (o StageOptions) stagesPlan() (staging, error) {
	raw, err := readConfig(o.Target, "make one with: patchring plan PLAYBOOK")
	if err != nil {
		return staging{}, err
	}
	p, err := plan.Decode(raw)
	if err != nil {
		return staging{}, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: o.Target + " is not a plan of this program", Err: err, Hint: "make a new one with: patchring plan PLAYBOOK"}
	}
	digest, err := plan.Digest(p)
	if err != nil {
		return staging{}, err //nolint:wrapcheck // says what failed
	}
	dir, err := o.stateDir()
	if err != nil {
		return staging{}, err
	}
	r := &openRollout{}
	r.onClose(dir.Close)
	if err := r.openStore(dir); err != nil {
		r.Close()
		return staging{}, err
	}
	return staging{plan: p, digest: digest, ring: o.Ring, rollout: r, state: &rollout.State{}}, nil
}

func (o StageOptions) stagesRollout(ctx context.Context) (staging, error) {
	r, err := o.openRollout(ctx, o.Target)
	if err != nil {
		return staging{}, err
	}
	s := staging{plan: r.plan, digest: r.state.Plan(), ring: o.Ring, rollout: r, state: r.state, done: map[fact.HostID]bool{}}
	if over(r.state) {
		r.Close()
		return staging{}, fault.Usagef("see: patchring status "+r.ID, "rollout %s is over: nothing more is installed by it", r.ID)
	}
	for _, h := range r.state.Status(o.Today).Hosts {
		s.done[h.ID] = h.State != rollout.HostWaiting
	}
	if s.ring == "" {
		s.ring = nextRing(r.state.Status(o.Today))
	}
	if len(s.plan.Rings) > 0 && s.plan.Rings[0].Name == s.ring {
		return s, nil
	}
	set, err := r.state.Would(s.ring)
	if err != nil {
		r.Close()
		return staging{}, fault.Usagef("see: patchring status "+r.ID, "%v", err)
	}
	s.set = &set
	return s, nil
}

// nextRing is the first ring with hosts that wait.
func nextRing(status rollout.Status) string {
	for _, ring := range status.Rings {
		if ring.ByState[rollout.HostWaiting] > 0 {
			return ring.Name
		}
	}
	return ""
}

// staged are the hosts of the ring that have something to get, within --limit.
func (o StageOptions) staged(inv *inventory.Inventory, from staging) ([]inventory.Host, error) {
	if known := slices.ContainsFunc(from.plan.Rings, func(r plan.Ring) bool { return r.Name == from.ring }); from.ring != "" && !known {
		return nil, fault.Usagef("see: patchring plan PLAYBOOK", "the plan has no ring %q", from.ring)
	}
	selected, err := Options{Site: from.plan.Site, Limit: o.Limit}.selected(inv, "*")
	if err != nil {
		return nil, err
	}
	return filter(selected, func(h inventory.Host) bool {
		planned, in := from.plan.Host(h.ID)
		return in && (from.ring == "" || planned.Ring == from.ring) && len(planned.Install) > 0 && !from.done[h.ID]
	}), nil
}

// stager is a performer that only brings: nothing is journaled, so the lock that it takes
// is named after the plan.
func (e Env) stager(o StageOptions, f *fleet, from staging) *local.Performer {
	return local.New(local.Config{
		Plan: from.plan, Hosts: f.hosts, Connect: f, Store: from.rollout.store, Driver: f.drivers.For, Library: f.drivers.Devices,
		Owner: platform.Owner{Rollout: fmt.Sprintf("stage-%s", from.digest.Short()), By: e.Actor, Since: e.Now().UTC(), Playbook: from.plan.Playbook, Site: from.plan.Site},
		Now:   e.Now, Knows: o.knows,
	}, from.state)
}
