package app

import (
	"context"

	"github.com/patchring/patchring/pkg/inventory"
)

// withKeys does one thing about the keys of each host that matches, and hands on what
// came of it while the fleet is still there.
func withKeys[T any](ctx context.Context, e Env, o HostKeysOptions, one func(context.Context, *fleet, inventory.Host) (T, error), then func(*fleet, []T) error) error {
	inv, hosts, err := o.hosts(o.Hosts)
	if err != nil {
		return err
	}
	f, err := e.fleet(o.Options, inv)
	if err != nil {
		return err
	}
	defer f.Close()
	watch := e.progress("looking at host keys", len(hosts))
	all := each(ctx, hosts, o.concurrency(), watch.Done, func(ctx context.Context, h inventory.Host) (T, bool) {
		got, err := one(ctx, f, h)
		return got, err == nil
	})
	_ = watch.Close() // a broken stderr must not stop the look
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // the user's own Ctrl-C
	}
	return then(f, all)
}
