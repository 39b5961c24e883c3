package app

import (
	"context"

	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/report"
)

// DetectOptions are those of `detect`.
type DetectOptions struct {
	Options
	Hosts   string
	Refresh bool
	Updates bool // list every pending update, too
}

// Detect looks at the hosts that match and says what runs there. It changes nothing.
func (e Env) Detect(ctx context.Context, o DetectOptions) (Ending, error) {
	inv, hosts, err := o.hosts(o.Hosts)
	if err != nil {
		return Ending{}, err
	}
	f, err := e.fleet(o.Options, inv)
	if err != nil {
		return Ending{}, err
	}
	defer f.Close()
	watch := e.progress("detecting", len(hosts))
	results := f.survey(ctx, e, hosts, o.concurrency(), platform.Query{Refresh: o.Refresh}, watch.Done)
	_ = watch.Close() // a broken stderr must not stop the look
	if err := ctx.Err(); err != nil {
		return Ending{}, err //nolint:wrapcheck // the user's own Ctrl-C
	}
	doc := report.NewDetect(results)
	end := Ending{Ending: doc.Exit}
	if end.Code != 0 {
		end.Next = "patchring doctor"
	}
	return end, e.printBrief(o.Options, doc, !o.Updates && len(hosts) > 1)
}

// hosts loads the inventory and the hosts that match.
func (o Options) hosts(pattern string) (*inventory.Inventory, []inventory.Host, error) {
	inv, err := o.loadInventory()
	if err != nil {
		return nil, nil, err
	}
	hosts, err := o.selected(inv, pattern)
	return inv, hosts, err
}
