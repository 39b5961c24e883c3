package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/detect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// canGoBack looks at the devices among the hosts before anything is journaled: whether the
// former software is still there changes with each commit and clean-up, and a device that
// is healthy must not end as failed because it was asked to do what it can't.
func (e Env) canGoBack(ctx context.Context, f *fleet, r *openRollout, hosts []fact.HostID) error {
	var against []string
	for _, id := range hosts {
		planned, ok := r.plan.Host(id)
		if !ok || planned.Image == nil {
			continue
		}
		if err := e.wayBack(ctx, f, r, planned); err != nil {
			against = append(against, fmt.Sprintf("%s: %s", id, remote.Clean(bare(err), 300)))
		}
	}
	if len(against) == 0 {
		return nil
	}
	return fault.Usagef("nothing was changed; narrow it with --limit; what can't be taken back is a person's work, by the vendor's procedure",
		"%d of %d hosts can't be taken back: %s", len(against), len(hosts), strings.Join(against, "; "))
}

// bare is an error without the host and step, which stand beside it.
func bare(err error) string {
	if fe, ok := errors.AsType[*fault.Error](err); ok {
		return fe.What
	}
	return err.Error()
}

// wayBack is why a device can't be taken back as it stands now.
func (e Env) wayBack(ctx context.Context, f *fleet, r *openRollout, planned plan.Host) error {
	link, err := f.Connect(ctx, planned.ID)
	if err != nil {
		return err
	}
	defer link.Release()
	facts, err := detect.Host(ctx, remote.ReadOnly(link.Session(), remote.Reads), link.Ident(), planned.ID, e.Now(),
		detect.Query{Query: platform.Query{}, Library: f.drivers.Devices, Platform: planned.Platform})
	if err != nil {
		return err //nolint:wrapcheck // names host and step
	}
	h, _ := r.state.Host(planned.ID)
	work, err := plan.TakeBack(r.plan, planned.ID, h.Did, facts)
	switch {
	case err != nil:
		return err //nolint:wrapcheck // names the host
	case work.Refused != "":
		return fault.Usagef("", "%s", work.Refused)
	case len(work.Install) == 0:
		return nil
	}
	driver, ok := f.drivers.For(facts.Platform)
	if !ok {
		return fault.Usagef("", "no driver for platform %q", facts.Platform)
	}
	work.ID = "way-back"
	_, err = driver.Steps(facts, work)
	return err //nolint:wrapcheck // says why
}
