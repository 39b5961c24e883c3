// Package local performs the rollout's tasks from this machine over SSH: one step
// of one host each. What happens at each step is in flow.go; how a step of a driver
// is carried out is package apply.
package local

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/serve"
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
	// Take, Open and Has are for what is too large to be held in memory.
	Take(content io.Reader, want patch.Digest, limit int64) error
	Open(digest patch.Digest) (io.ReadCloser, error)
	Has(digest patch.Digest) bool
	Size(digest patch.Digest) (int64, error)
}

// Outside is the world beyond the hosts; *hook.Outside is.
type Outside interface {
	Ask(ctx context.Context, q playbook.Inquiry, env []string) (health.Verdict, string)
	Silence(ctx context.Context, m playbook.Mute, v health.Vars, key string, until time.Time) error
	Unsilence(ctx context.Context, m playbook.Mute, v health.Vars, key string) error
}

// Signed tells which digests the repositories' own signed indexes give for package files,
// as far as their index lies on the host and its signature is known here. nil: for none.
type Signed func(ctx context.Context, s remote.Session, driver platform.Driver, f fact.Facts, want []patch.Proven) (known []patch.Proven, notes []string)

// Controller is this machine as one that hooks run on; *hook.Local is.
type Controller interface {
	Session(ctx context.Context) (s remote.Session, release func(), err error)
	Drop()
	Place() job.Place
}

// Config is what a Performer works with. The functions that tell how the rollout stands
// are called from the goroutines of Perform.
type Config struct {
	Plan     *plan.Plan
	Hosts    map[fact.HostID]inventory.Host
	Connect  Connector
	Store    Store
	Driver   func(fact.Platform) (platform.Driver, bool)
	Library  device.Library // what hosts may be, beside servers
	Owner    platform.Owner
	Now      func() time.Time
	Progress func(host fact.HostID, step platform.StepID, line string) // may be nil

	// Concurrency is how many hosts are looked at side by side, as peers of a budget and
	// as samples of a soak; 0: 20.
	Concurrency int
	// Outside and Controller are needed where the plan has inquiries, silences or hooks.
	Outside    Outside
	Controller Controller
	// Out gives the hosts that are known to be out of use: this rollout's own at work, sick
	// or drained, those of the state folder's other rollouts, and those in quarantine, even
	// where they answer. They count, and nobody looks at them. Nil: none are known.
	Out func() map[fact.HostID]string
	// Healthy gives the hosts that a sample before a ring's gate asks; Sick those that did
	// not pass the last one, and why.
	Healthy func(ring string) []rollout.HostStatus
	Sick    func(ring string) map[string]string
	// Knows tells whether a rollout is in this state folder; nil: nobody can tell.
	Knows func(rollout string) bool
	// Signed looks digests up in signed indexes; nil: the host's word is all there is.
	Signed Signed
	// Verifies tells that keys of a host's repositories are known: what no signed index has
	// then, its word does not make up for. nil: of none.
	Verifies func(fact.HostID) bool
	// ForceUnlock names the rollout whose locks on hosts may be replaced; empty: none. It is
	// never one of this state folder's, by Knows.
	ForceUnlock string
}

// Performer implements engine.Performer.
type Performer struct {
	Config
	units map[string]string // of the hosts that are members of one
	slots chan struct{}     // one for each look at a host that goes on beside others
	looks *looks
	files serve.Server // one for all hosts: those at one address share its port
	mutes *mutes
	mu    sync.Mutex
	hosts map[fact.HostID]rollout.HostStatus // what earlier steps left behind
	sets  map[patch.Digest]patch.PatchSet    // frozen by the gates that have opened
}

// concurrency of looks where the Config does not say.
const concurrency = 20

// New makes a performer that knows what the journal has recorded so far, so that a
// host whose process died is carried on with the same facts and the same work.
func New(c Config, so *rollout.State) *Performer {
	if c.Concurrency <= 0 {
		c.Concurrency = concurrency
	}
	p := &Performer{
		Config: c, units: unitsOf(c), slots: make(chan struct{}, c.Concurrency), looks: newLooks(), mutes: newMutes(),
		hosts: map[fact.HostID]rollout.HostStatus{}, sets: map[patch.Digest]patch.PatchSet{},
	}
	status := so.Status(c.Now())
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

// Perform does one step, or answers one question of a gate. An error is a fault of
// patchring itself; what went wrong on the host is in the entry.
func (p *Performer) Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	if t.Ask != "" {
		return p.answer(ctx, t)
	}
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
	w := &work{p: p, task: t, host: host, link: p.sessions(t.Host)}
	quiet := w.keepQuiet(ctx)
	end, err := w.perform(ctx)
	notes := quiet()
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", t.Host, t.Step, err)
	}
	end.Host, end.Step, end.Notes = t.Host, t.Step, append(end.Notes, notes...)
	return end, nil
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

func (p *Performer) sessions(host fact.HostID) *sessions {
	return &sessions{connect: p.Connect, host: host, store: p.Store, watch: p.watchOf(host), serve: p.Config.Hosts[host].Serve, files: &p.files}
}

// watchOf is how the state of a device is read; nil: the host runs scripts.
func (p *Performer) watchOf(host fact.HostID) *health.Watch {
	planned, _ := p.Plan.Host(host)
	driver, known := p.Driver(planned.Platform)
	watcher, watches := driver.(platform.Watcher)
	if !known || !watches {
		return nil
	}
	return watcher.Watch(fact.Facts{Host: host, Platform: planned.Platform})
}

// sessions gives package apply a connection again and again, and the content of files that
// it sends.
type sessions struct {
	store   Store
	connect Connector
	host    fact.HostID
	watch   *health.Watch
	serve   netip.AddrPort // where a device pulls files from; invalid: nowhere
	files   *serve.Server
	kept    []string // what a step has put into the store, in words
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

// Watch is how the host's state is read, for package probe.
func (s *sessions) Watch() *health.Watch { return s.watch }

// Open gives content of the store.
func (s *sessions) Open(digest patch.Digest) (io.ReadCloser, error) {
	return s.store.Open(digest) //nolint:wrapcheck // names the content
}

// Drop closes the connection now: the host is about to go down.
func (s *sessions) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		s.last.Drop()
	}
}
