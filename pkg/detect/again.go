package detect

import (
	"context"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// The time between two tries: short at first, for a connection that was just cut.
const (
	shortest = time.Second
	longest  = 15 * time.Second
)

// Link is one leased connection to a host.
type Link interface {
	Session() remote.Session
	Ident() string
	Release() // gives it back
	Drop()    // closes it, so that the next one is new
}

// Again detects one host as Host does, and once more on a new connection where one
// was lost or not to be had: detection changes nothing, and the work on the host must
// not come to nothing for a cable that was out for a moment. Patience counts from the
// first loss; the last try is at its end. What another try can't change is given back
// at once, so that nobody's account is locked.
func Again[L Link](ctx context.Context, connect func(context.Context) (L, error), host fact.HostID, now func() time.Time, q Query, patience time.Duration) (fact.Facts, error) {
	var until time.Time
	m := &memory{}
	for pause := shortest; ; pause = min(2*pause, longest) {
		facts, err := try(ctx, connect, host, now, q, m)
		if err == nil || !passing(err) {
			return facts, err
		}
		if until.IsZero() {
			until = time.Now().Add(patience)
		}
		rest := min(pause, time.Until(until))
		if rest <= 0 || !sleep(ctx, rest) {
			return facts, err
		}
	}
}

func try[L Link](ctx context.Context, connect func(context.Context) (L, error), host fact.HostID, now func() time.Time, q Query, m *memory) (fact.Facts, error) {
	link, err := connect(ctx)
	if err != nil {
		return fact.Facts{}, fault.On(err, host.String(), "connect")
	}
	defer link.Release()
	facts, err := detect(ctx, link.Session(), link.Ident(), host, now(), q, m)
	if err != nil && passing(err) {
		link.Drop() // whatever is left of it is of no use
	}
	return facts, err
}

// passing tells of a connection that is gone, and may be there again later.
func passing(err error) bool {
	code, kind := fault.CodeOf(err), fault.KindOf(err)
	return code == fault.Lost || code == fault.Unreachable && kind == fault.Retry
}

// sleep is false when patchring is being stopped.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
