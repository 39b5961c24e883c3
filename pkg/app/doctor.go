package app

import (
	"context"

	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/report"
)

// DoctorOptions are those of `doctor`.
type DoctorOptions struct {
	Options
	Hosts string
}

// Doctor asks of each host whether it can be worked on.
func (e Env) Doctor(ctx context.Context, o DoctorOptions) (Ending, error) {
	inv, hosts, err := o.hosts(o.Hosts)
	if err != nil {
		return Ending{}, err
	}
	f, err := e.fleet(o.Options, inv)
	if err != nil {
		return Ending{}, err
	}
	defer f.Close()
	watch := e.progress("examining", len(hosts))
	patients := each(ctx, hosts, o.concurrency(), watch.Done, func(ctx context.Context, h inventory.Host) (report.Examined, bool) {
		patient := e.examine(ctx, f, h)
		return patient, patient.Err == nil
	})
	_ = watch.Close() // a broken stderr must not stop the look
	if err := ctx.Err(); err != nil {
		return Ending{}, err //nolint:wrapcheck // the user's own Ctrl-C
	}
	doc := report.NewDoctor(patients)
	return Ending{Ending: doc.Exit}, e.print(o.Options, doc)
}

// examine looks at one host, and tries to become root on it.
func (e Env) examine(ctx context.Context, f *fleet, h inventory.Host) report.Examined {
	facts, err := f.look(ctx, e, h, platform.Query{})
	patient := report.Examined{Host: h.ID, Facts: facts, Err: err}
	if err == nil && facts.Manager.Name != "" {
		patient.Tried = []report.Test{f.tryPrivilege(ctx, h)}
	}
	return patient
}

func (f *fleet) tryPrivilege(ctx context.Context, h inventory.Host) report.Test {
	test := report.Test{Name: report.TestPrivilege, Result: "unknown"}
	link, err := f.Connect(ctx, h.ID)
	if err != nil {
		test.Seen = err.Error()
		return test
	}
	defer link.Release()
	became, err := remote.ReadOnly(link.Session(), remote.Reads).Runner.Run(ctx, rootCommand())
	return withRule(judgePrivilege(test, became, err), h)
}
