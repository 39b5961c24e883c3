package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// Certificates that log in for a few hours only: one that runs out while its hosts are at
// work would leave them to themselves.

// certificatesLast refuses to begin a ring that the certificates at hand do not outlast. A
// host whose certificate can't be looked at is left to its login.
func (e Env) certificatesLast(ctx context.Context, f *fleet, r *openRollout, patience time.Duration) error {
	now := e.Now()
	ring, ok := ringAhead(r.plan, r.state.Status(now))
	if !ok {
		return nil // nothing is left to be done
	}
	clock, err := schedule.Compile(r.state.Calendar())
	if err != nil {
		return fmt.Errorf("rollout %s: %w", r.ID, err)
	}
	until := busyUntil(r.plan, ring, clock, now, patience)
	for _, id := range ring.Hosts {
		h, known := f.hosts[id]
		if !known || !hasWork(r.plan, id) {
			continue
		}
		v, err := f.ssh.Expiry(ctx, h, f.inv.Sites[id.Site])
		if err == nil && !v.Until.IsZero() && v.Until.Before(until) {
			return runsOut(v, id, ring.Name, until, clock)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx) //nolint:wrapcheck // stopped
		}
	}
	return nil
}

// ringAhead is the first ring that has not come to its end, with the hosts of it that have not.
func ringAhead(p *plan.Plan, s rollout.Status) (plan.Ring, bool) {
	ended := map[fact.HostID]bool{}
	for _, h := range s.Hosts {
		ended[h.ID] = h.State != rollout.HostWaiting && h.State != rollout.HostWorking && h.State != rollout.HostRollback
	}
	for _, r := range p.Rings {
		r.Hosts = slices.DeleteFunc(slices.Clone(r.Hosts), func(id fact.HostID) bool { return ended[id] })
		if len(r.Hosts) > 0 {
			return r, true
		}
	}
	return plan.Ring{}, false
}

func hasWork(p *plan.Plan, id fact.HostID) bool {
	h, ok := p.Host(id)
	return ok && len(h.Install) > 0
}

// busyUntil is until when the ring may need its logins: its hosts one after the other, as
// many side by side as it allows, the longest of them twice as long as expected, but no
// longer than its window. A window that opens later counts from then, if this run waits for
// that; else nothing begins, and the zero time needs no certificate.
func busyUntil(p *plan.Plan, r plan.Ring, clock *schedule.Clock, now time.Time, patience time.Duration) time.Time {
	var all, longest time.Duration
	for _, id := range r.Hosts {
		if h, ok := p.Host(id); ok && len(h.Install) > 0 {
			all, longest = all+h.Takes, max(longest, h.Takes)
		}
	}
	window := clock.At(r.Window, now)
	if !window.Open {
		if window.Until.IsZero() || window.Until.Sub(now) > patience {
			return time.Time{}
		}
		now = window.Until
		window = clock.At(r.Window, now)
	}
	until := now.Add(max(all/time.Duration(max(1, r.MaxInFlight)), plan.Need(longest)))
	if window.Open && !window.Until.IsZero() && window.Until.Before(until) {
		return window.Until
	}
	return until
}

func runsOut(v connect.Validity, id fact.HostID, ring string, until time.Time, clock *schedule.Clock) error {
	say := func(t time.Time) string { return t.In(clock.Zone()).Format("2006-01-02 15:04 MST") }
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Auth, Host: id.String(), Step: "check certificates",
		What: fmt.Sprintf("the certificate %s for user %s runs out %s, and ring %s may need it until %s", v.Certificate, v.User, say(v.Until), ring, say(until)),
		Hint: "have a new one issued, then run the same command again; this run has begun nothing",
	}
}
