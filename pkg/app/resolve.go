package app

import (
	"context"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// looked is what a plan needs of one host: its facts, and what its own package
// manager says it would do about the updates that were picked.
type looked struct {
	id         fact.HostID
	resolution *platform.Resolution
	problem    *plan.Problem
}

// resolve asks each host's package manager, read-only, what installing the picked
// updates would really change: dependencies join the plan, removals refuse it.
func (f *fleet) resolve(ctx context.Context, draft *plan.Draft, facts map[fact.HostID]plan.Found, hosts []inventory.Host, n int, done func(ok bool)) []looked {
	return each(ctx, hosts, n, done, func(ctx context.Context, h inventory.Host) (looked, bool) {
		want := draft.Wanted(h.ID)
		if len(want) == 0 {
			return looked{id: h.ID}, true
		}
		resolution, err := f.ask(ctx, facts[h.ID].Facts, want)
		if err != nil {
			return looked{id: h.ID, problem: problemOf(quietError(f.quiet, err))}, false
		}
		return looked{id: h.ID, resolution: resolution}, true
	})
}

func (f *fleet) ask(ctx context.Context, facts fact.Facts, want []patch.Update) (*platform.Resolution, error) {
	driver, ok := f.drivers.For(facts.Platform)
	if !ok {
		return nil, &fault.Error{Code: fault.HostFailed, Host: facts.Host.String(), Step: "plan", What: "no driver for platform " + string(facts.Platform)}
	}
	resolver, ok := driver.(platform.Resolver)
	if !ok {
		return nil, nil //nolint:nilnil // nothing to ask: the picked updates stand as they are
	}
	link, err := f.Connect(ctx, facts.Host)
	if err != nil {
		return nil, err
	}
	defer link.Release()
	result, err := remote.ReadOnly(link.Session(), remote.Reads).Runner.Run(ctx, resolver.Resolve(facts, want))
	if err != nil {
		return nil, fault.On(err, facts.Host.String(), "simulate")
	}
	resolution, err := resolver.Resolved(facts, want, result)
	if err != nil {
		return nil, fault.On(err, facts.Host.String(), "simulate")
	}
	return &resolution, nil
}

// problemOf keeps what is wrong with a host in the plan.
func problemOf(err error) *plan.Problem {
	return &plan.Problem{
		Code: string(fault.CodeOf(err)),
		What: remote.Clean(err.Error(), 500),
		Hint: remote.Clean(fault.HintOf(err), 500),
	}
}
