package probe

import (
	"context"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
)

// Once asks each check a single time, and gives the answers in their order: for a look
// that is repeated anyway, or that must not wait for something to get well. The host is
// asked in one exec, and in one more as root where a command check wants that. Where
// the connection was lost or not to be had, what was not answered is asked once more
// after a moment. Before is as with Checks.
func Once(ctx context.Context, on Sessions, checks []health.Check, vars health.Vars, before *fact.Snapshot) []health.Result {
	p := newProber(on, checks, vars, before)
	p.round(ctx)
	if p.lost && sleep(ctx, shortest) {
		for _, q := range p.questions {
			q.settled = q.settled || !q.unheard
		}
		p.round(ctx)
	}
	return p.results()
}

// Reached tells whether the host answers at all, in one exec that asks for nothing but
// the state, and once more where the connection was lost. The error says why not.
func Reached(ctx context.Context, on Sessions, now func() time.Time) error {
	_, err := try(ctx, on, now)
	if err != nil && passing(err) && sleep(ctx, shortest) {
		_, err = try(ctx, on, now)
	}
	return err
}

// hearing notes that nothing was answered because the connection is gone.
func (p *prober) hearing(q *question, err error) {
	q.unheard = err != nil && passing(err)
	p.lost = p.lost || q.unheard
}

// passing tells of a connection that is gone, and may be there again later.
func passing(err error) bool {
	code, kind := fault.CodeOf(err), fault.KindOf(err)
	return code == fault.Lost || code == fault.Unreachable && kind == fault.Retry
}
