package app

import (
	"cmp"
	"context"

	"github.com/patchring/patchring/pkg/detect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/report"
	"golang.org/x/sync/errgroup"
)

// each runs fn for every host, at most n at once, and gives the results in the
// order of hosts; done is called after each.
func each[T any](ctx context.Context, hosts []inventory.Host, n int, done func(ok bool), fn func(context.Context, inventory.Host) (T, bool)) []T {
	results := make([]T, len(hosts))
	var group errgroup.Group
	group.SetLimit(n)
	for i, h := range hosts {
		group.Go(func() error {
			result, ok := fn(ctx, h)
			results[i] = result
			done(ok)
			return nil
		})
	}
	_ = group.Wait() // no fn returns an error
	return results
}

// survey detects hosts: facts, or why not, in the order of hosts.
func (f *fleet) survey(ctx context.Context, e Env, hosts []inventory.Host, n int, q platform.Query, done func(ok bool)) []report.Detected {
	found := each(ctx, hosts, n, done, func(ctx context.Context, h inventory.Host) (report.Detected, bool) {
		facts, err := f.look(ctx, e, h, q)
		return report.Detected{Host: h.ID, Facts: quietFacts(f.quiet, facts), Err: quietError(f.quiet, err)}, err == nil
	})
	f.learn(ctx, found)
	return found
}

// learn keeps what devices are for the next look. That it can't be kept costs nothing but
// a question to each.
func (f *fleet) learn(ctx context.Context, found []report.Detected) {
	platforms := map[fact.HostID]fact.Platform{}
	for _, d := range found {
		if d.Err == nil && d.Facts.Device != nil {
			platforms[d.Host] = d.Facts.Platform
		} else if d.Err == nil && f.known[d.Host] != "" {
			platforms[d.Host] = ""
		}
	}
	if len(platforms) == 0 {
		return
	}
	if dir, err := f.state.stateDir(); err == nil {
		_ = dir.LearnPlatforms(ctx, platforms)
		_ = dir.Close()
	}
}

// look detects one host; it holds nothing but a read-only session.
func (f *fleet) look(ctx context.Context, e Env, h inventory.Host, q platform.Query) (fact.Facts, error) {
	link, err := f.Connect(ctx, h.ID)
	if err != nil {
		return fact.Facts{}, err
	}
	defer link.Release()
	allowed := remote.Reads
	if q.Refresh {
		allowed = remote.Refreshes
	}
	facts, err := detect.Host(ctx, remote.ReadOnly(link.Session(), allowed), link.Ident(), h.ID, e.Now(), detect.Query{Query: q, Library: f.drivers.Devices, Platform: cmp.Or(h.Platform, f.known[h.ID])})
	f.marks.saw(facts)
	return facts, err //nolint:wrapcheck // names host and step
}
