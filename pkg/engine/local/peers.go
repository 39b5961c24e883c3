package local

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/detect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/probe"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// looks are the looks at peers of this process. Several begins at the same time share
// them, but none takes one that began before its own host was locked.
type looks struct {
	mu        sync.Mutex
	clock     uint64 // counts marks and looks: a clock that never stands still
	last      map[fact.HostID]*look
	platforms map[fact.HostID]fact.Platform // of peers that the plan knows nothing of
}

// look is one look at a host.
type look struct {
	began uint64
	done  chan struct{}
	out   string // why it is out; empty: it is in use
}

func newLooks() *looks {
	return &looks{last: map[fact.HostID]*look{}, platforms: map[fact.HostID]fact.Platform{}}
}

// mark is this moment, for after.
func (l *looks) mark() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	return l.clock
}

// after gives what a look at the host has told that began after the mark: one of
// another begin's, or its own.
func (l *looks) after(ctx context.Context, mark uint64, host fact.HostID, see func() string) string {
	found, own := l.begin(mark, host)
	if own {
		found.out = see()
		close(found.done)
		return found.out
	}
	select {
	case <-found.done:
		return found.out
	case <-ctx.Done():
		return "patchring was stopped before it was looked at"
	}
}

func (l *looks) begin(mark uint64, host fact.HostID) (found *look, own bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found = l.last[host]; found != nil && found.began > mark {
		return found, false
	}
	l.clock++
	l.last[host] = &look{began: l.clock, done: make(chan struct{})}
	return l.last[host], true
}

// Bounds of one look at a host.
const (
	peerWithin   = 2 * time.Minute  // all of it, unless its checks may take longer
	lockWithin   = 15 * time.Second // to reach it and see its lock
	whyOut       = 160              // bytes of a reason
	notInFleet   = "it is no longer in the inventory, so nobody can look at it"
	cantBeLocked = "its platform can keep no lock, so nobody can tell who works on it"
)

// lookWithin bounds a look by what the checks may take by themselves.
func lookWithin(checks []health.Check) time.Duration {
	return max(peerWithin, health.Round{Checks: checks}.Longest())
}

func notWithin(d time.Duration) string { return "it did not answer within " + d.String() }

// lookAt tells why a host counts as out: it can't be reached, another rollout holds it, a
// check of it fails, or one of these could not be told. It changes nothing there.
func (p *Performer) lookAt(ctx context.Context, peer plan.Peer) string {
	host, ok := p.Hosts[peer.ID]
	if !ok {
		return notInFleet
	}
	release, err := p.slot(ctx)
	if err != nil {
		return "patchring was stopped before it was looked at"
	}
	defer release()
	within := lookWithin(peer.Checks)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	why := p.outOfUse(ctx, readOnly{p.sessions(peer.ID)}, peer, vars(host))
	if ctx.Err() != nil {
		return notWithin(within) // it is out for now
	}
	return remote.Clean(why, whyOut)
}

func (p *Performer) outOfUse(ctx context.Context, on readOnly, peer plan.Peer, v health.Vars) string {
	if why := p.heldByOthers(ctx, on, peer.ID); why != "" || len(peer.Checks) == 0 {
		return why
	}
	if wrong := notPassed(probe.Once(ctx, on, peer.Checks, v, nil)); len(wrong) > 0 {
		return wrong[0]
	}
	return ""
}

// slot waits for its turn among all the looks that go on.
func (p *Performer) slot(ctx context.Context) (release func(), err error) {
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// heldByOthers looks at a peer's lock. One that this very rollout holds says nothing
// new: the state knows its own hosts.
func (p *Performer) heldByOthers(ctx context.Context, on readOnly, id fact.HostID) string {
	name, err := p.platformOf(ctx, on, id)
	if err != nil {
		return whyNot(err)
	}
	driver, _ := p.Driver(name)
	locker, ok := driver.(platform.Locker)
	switch {
	case !ok && p.Plan.NoLock:
		return p.answers(ctx, on, id)
	case !ok:
		return cantBeLocked
	}
	owner := p.Owner
	owner.Host = id.String()
	step, holder := watched(freeOrOurs(locker.Lock(id, owner)))
	s := apply.Perform(ctx, on, step, nil)
	switch o := holder(); {
	case s.State == platform.Done:
		return ""
	case o != nil:
		return rollout.LockedBy + nameOf(*o)
	case s.Code == fault.Unreachable:
		return "unreachable"
	}
	return "its lock can't be looked at: " + strings.Join(s.Reasons, "; ")
}

// answers is all that can be seen of a host that keeps no lock: whether it is there, and
// still what it was.
func (p *Performer) answers(ctx context.Context, on readOnly, id fact.HostID) string {
	facts, err := detect.Again(ctx, on.lease, id, p.Now, p.query(id, platform.Query{}), lockWithin/3)
	switch {
	case err != nil:
		return whyNot(err)
	case facts.Platform == "":
		return "it answers, and not as what it was"
	case facts.Device != nil && facts.Device.Synced == patch.No:
		return "it is not in step with its partner"
	}
	return ""
}

// freeOrOurs turns taking a lock into seeing that nobody else holds it.
func freeOrOurs(lock platform.Step) platform.Step {
	judge := lock.Look.Judge
	lock.Title, lock.Do, lock.Deadline = "look at the lock on the host", nil, lockWithin
	lock.Look.Judge = func(r []remote.Result) platform.Standing {
		s := judge(r)
		if s.State == platform.NotDone {
			return platform.Standing{State: platform.Done}
		}
		return s
	}
	return lock
}

// platformOf is by the plan; a host that it knows nothing of is detected, once.
func (p *Performer) platformOf(ctx context.Context, on readOnly, id fact.HostID) (fact.Platform, error) {
	if planned, ok := p.Plan.Host(id); ok && planned.Platform != "" {
		return planned.Platform, nil
	}
	if name := p.looks.platform(id, ""); name != "" {
		return name, nil
	}
	facts, err := detect.Again(ctx, on.lease, id, p.Now, p.query(id, platform.Query{}), lockWithin/3)
	if err != nil && facts.Platform == "" {
		return "", err //nolint:wrapcheck // names host and step
	}
	return p.looks.platform(id, facts.Platform), nil
}

// platform keeps what was learned, and gives what is known.
func (l *looks) platform(id fact.HostID, learned fact.Platform) fact.Platform {
	l.mu.Lock()
	defer l.mu.Unlock()
	if learned != "" {
		l.platforms[id] = learned
	}
	return l.platforms[id]
}

func whyNot(err error) string {
	if fault.CodeOf(err) == fault.Unreachable {
		return "unreachable"
	}
	return "it can't be looked at: " + err.Error()
}

// readOnly gives sessions that refuse whatever would change the host.
type readOnly struct{ *sessions }

func (r readOnly) Session(ctx context.Context) (remote.Session, func(), error) {
	s, release, err := r.sessions.Session(ctx)
	return remote.ReadOnly(s, remote.Reads), release, err
}

func (r readOnly) lease(ctx context.Context) (Link, error) {
	link, err := r.sessions.lease(ctx)
	if err != nil {
		return nil, err
	}
	return readOnlyLink{link}, nil
}

type readOnlyLink struct{ Link }

func (l readOnlyLink) Session() remote.Session {
	return remote.ReadOnly(l.Link.Session(), remote.Reads)
}
