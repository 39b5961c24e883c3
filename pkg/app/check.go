package app

import (
	"context"

	"github.com/patchring/patchring/pkg/engine/local"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/report"
)

// CheckOptions are those of `check`.
type CheckOptions struct {
	Options
	Playbook string
}

// Check asks the playbook's checks of every host of its rings, and does nothing else.
func (e Env) Check(ctx context.Context, o CheckOptions) (Ending, error) {
	inv, err := o.loadInventory()
	if err != nil {
		return Ending{}, err
	}
	book, err := o.loadBook(o.Playbook, inv)
	if err != nil {
		return Ending{}, err
	}
	hosts, err := o.ringHosts(inv, book.Playbook, o.Site)
	if err != nil {
		return Ending{}, err
	}
	f, err := e.fleet(o.Options, inv)
	if err != nil {
		return Ending{}, err
	}
	defer f.Close()
	watch := e.progress("checking", len(hosts))
	probed := each(ctx, hosts, o.concurrency(), watch.Done, func(ctx context.Context, h inventory.Host) (report.Probed, bool) {
		probed := checkHost(ctx, f, book.Playbook, h)
		return probed, probed.Err == nil
	})
	_ = watch.Close() // a broken stderr must not stop the look
	if err := ctx.Err(); err != nil {
		return Ending{}, err //nolint:wrapcheck // the user's own Ctrl-C
	}
	doc := report.NewChecks(probed)
	return Ending{Ending: doc.Exit}, e.print(o.Options, doc)
}

// checkHost asks one host everything but default_diff, which has no state before.
func checkHost(ctx context.Context, f *fleet, book *playbook.Playbook, h inventory.Host) report.Probed {
	probed := report.Probed{Host: h.ID}
	all, err := plan.ChecksFor(book, f.inv, h)
	if err != nil {
		probed.Err = err
		return probed
	}
	var checks []health.Check
	for _, c := range all {
		if !c.DefaultDiff {
			checks = append(checks, c)
		}
	}
	link, err := f.Connect(ctx, h.ID)
	if err != nil {
		probed.Err = err
		return probed
	}
	defer link.Release()
	if len(checks) > 0 {
		probed.Results = local.Ask(ctx, f, h, checks)
	}
	return probed
}
