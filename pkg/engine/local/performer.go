// Package local performs the rollout's tasks from this machine over SSH: one step
// of one host each. What happens at each step is in flow.go; how a step of a driver
// is carried out is package apply.
package local

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// Link is one leased connection to a host.
type Link interface {
	Session() remote.Session
	Ident() string
	Release()
	Drop()
}

// Connector leases connections; the same host gets the same connection while it lives.
type Connector interface {
	Connect(ctx context.Context, host fact.HostID) (Link, error)
}

// Store keeps what steps learn, by content.
type Store interface {
	Put(content []byte) (patch.Digest, error)
	Get(digest patch.Digest, limit int64) ([]byte, error)
}

// Config is what a Performer works with.
type Config struct {
	Plan     *plan.Plan
	Hosts    map[fact.HostID]inventory.Host
	Connect  Connector
	Store    Store
	Driver   func(fact.Platform) (platform.Driver, bool)
	Owner    platform.Owner
	Now      func() time.Time
	Progress func(host fact.HostID, step platform.StepID, line string) // may be nil
}

// Performer implements engine.Performer.
type Performer struct {
	Config
	mu    sync.Mutex
	hosts map[fact.HostID]rollout.HostStatus // what earlier steps left behind
	sets  map[patch.Digest]patch.PatchSet    // frozen by the gates that have opened
}

// New makes a performer that knows what the journal has recorded so far, so that a
// host whose process died is carried on with the same facts and the same work.
func New(c Config, so *rollout.State) *Performer {
	p := &Performer{Config: c, hosts: map[fact.HostID]rollout.HostStatus{}, sets: map[patch.Digest]patch.PatchSet{}}
	status := so.Status()
	for _, h := range status.Hosts {
		p.hosts[h.ID] = h
	}
	for _, ring := range status.Rings {
		if set, ok := so.Frozen(ring.Set); ok {
			p.sets[ring.Set] = set
		}
	}
	return p
}

// Learn takes in what was journaled. The engine's observer calls it with every
// event, before any task that follows from it is performed.
func (p *Performer) Learn(e rollout.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch entry := e.Entry.(type) {
	case rollout.GateOpened:
		if entry.Set != "" {
			p.sets[entry.Set] = entry.Frozen
		}
	case rollout.StepEnded:
		p.keepEnd(entry)
	}
}

// Perform does one step. An error is a fault of patchring itself; what went wrong on
// the host is in the entry.
func (p *Performer) Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	host, ok := p.Config.Hosts[t.Host]
	if !ok && t.Step == rollout.FlowBegin {
		return rollout.StepEnded{
			Host: t.Host, Step: t.Step, Outcome: rollout.OutcomeUnreachable, Code: fault.Unreachable,
			Reasons: []string{"it is no longer in the inventory, so it is left out"},
		}, nil
	}
	if !ok {
		return nil, &fault.Error{
			Code: fault.Usage, Host: t.Host.String(), Step: string(t.Step), What: "no longer in the inventory",
			Hint: "put it back until the rollout has ended, or abort the rollout",
		}
	}
	w := &work{p: p, task: t, host: host, link: &sessions{connect: p.Connect, host: t.Host}}
	end, err := w.perform(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", t.Host, t.Step, err)
	}
	end.Host, end.Step = t.Host, t.Step
	return end, nil
}

// keepEnd keeps what the next steps of the same host need.
func (p *Performer) keepEnd(end rollout.StepEnded) {
	known := p.hosts[end.Host]
	if end.Began != nil {
		known.Began = end.Began
	}
	if end.Before != "" {
		known.Before = end.Before
	}
	p.hosts[end.Host] = known
}

func (p *Performer) known(host fact.HostID) rollout.HostStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hosts[host]
}

func (p *Performer) frozen(set patch.Digest) (patch.PatchSet, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sets[set]
	return s, ok
}

// sessions gives package apply a connection again and again.
type sessions struct {
	connect Connector
	host    fact.HostID
	mu      sync.Mutex
	last    Link
}

func (s *sessions) Session(ctx context.Context) (remote.Session, func(), error) {
	link, err := s.lease(ctx)
	if err != nil {
		return remote.Session{}, func() {}, err
	}
	return link.Session(), link.Release, nil
}

func (s *sessions) lease(ctx context.Context) (Link, error) {
	link, err := s.connect.Connect(ctx, s.host)
	if err != nil {
		return nil, err //nolint:wrapcheck // already names host and step
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = link
	return link, nil
}

// Drop closes the connection now: the host is about to go down.
func (s *sessions) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		s.last.Drop()
	}
}
