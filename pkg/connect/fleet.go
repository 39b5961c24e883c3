package connect

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// errClosed is why everything ends once the fleet was closed.
var errClosed = errors.New("patchring is shutting down")

// Fleet holds at most one connection to each host, and what was learned on the
// way: which host keys changed, which credentials were refused.
type Fleet struct {
	opts     Options
	breaker  *breaker
	keys     *keyring
	turn     turn
	config   func() (*sshConfig, error)
	dialects dialects
	warned   sync.Map // what Warn was told already
	resolved sync.Map // secrets that were got, to take them out of what devices print: valueKey → secret.Secret
	proven   sync.Map // fingerprint of the key that let a user in, by site and user
	wg       sync.WaitGroup

	life   sync.Mutex // guards closed and wg.Go against Close
	closed bool

	mu    sync.Mutex
	nodes map[string]*node       // by identity, never by address
	sites map[string]*slots      // by site
	doors map[string]*door       // by path and address
	agent map[string]*agentKeys  // by socket
	known map[string]*knownHosts // by site
}

// New makes a Fleet. It connects to nothing yet.
func New(o Options) *Fleet {
	f := &Fleet{
		opts: o.withDefaults(), breaker: newBreaker(), turn: newTurn(),
		nodes: map[string]*node{}, sites: map[string]*slots{}, doors: map[string]*door{},
		agent: map[string]*agentKeys{}, known: map[string]*knownHosts{},
	}
	home, _ := os.UserHomeDir() // "": no default keys, and "~" stays as it is
	f.keys = newKeyring(home, f.opts.Secrets)
	f.config = sync.OnceValues(func() (*sshConfig, error) { return loadSSHConfig(f.opts.SSHConfig, home, f.warn) })
	return f
}

// Lease gives a share of the host's connection, dialling it if need be; ctx bounds
// that. The caller must Release it. Errors are *fault.Error, each with what to type
// next; a host whose key changed is refused without dialling from then on.
func (f *Fleet) Lease(ctx context.Context, h inventory.Host, s inventory.Site) (*Lease, error) {
	n, err := f.node(ctx, h, s)
	if err != nil {
		return nil, fault.On(err, h.ID.String(), "connect")
	}
	n.retain()
	if _, err := n.connect(ctx); err != nil {
		n.release()
		return nil, fault.On(err, h.ID.String(), "connect")
	}
	l := &Lease{node: n, fleet: f, id: h.ID, user: n.user(), become: h.Become, password: h.Credentials.Become}
	l.enable, l.console = h.Credentials.Enable, newConsole(l)
	return l, nil
}

// node finds or makes the host's node, with its way settled anew: the inventory may
// have been read again.
func (f *Fleet) node(ctx context.Context, h inventory.Host, s inventory.Site) (*node, error) {
	way, master, err := f.wayTo(ctx, h, s)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var via *node
	for i, hop := range way.hops {
		via = f.nodeLocked(bastionKey(h.ID.Site, way.hops[:i+1]), course{to: hop, via: via}, nil)
	}
	return f.nodeLocked("host "+h.ID.String(), course{way.host, via, master}, f.slotsLocked(s)), nil
}

func (f *Fleet) nodeLocked(key string, c course, limit *slots) *node {
	n := f.nodes[key]
	if n == nil {
		n = &node{fleet: f, slots: limit}
		f.nodes[key] = n
	}
	n.aim(c)
	return n
}

func (f *Fleet) slotsLocked(s inventory.Site) *slots {
	if f.sites[s.Name] == nil {
		f.sites[s.Name] = &slots{free: orDefault(s.MaxConnections, f.opts.MaxConnections)}
	}
	return f.sites[s.Name]
}

func (f *Fleet) door(key string) *door {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.doors[key] == nil {
		f.doors[key] = &door{places: make(chan struct{}, f.opts.Handshakes)}
	}
	return f.doors[key]
}

// agentFor gives the agent that ssh_config names for a server, or else the user's.
func (f *Fleet) agentFor(to endpoint) *agentKeys {
	socket := f.opts.AgentSocket
	switch to.login.agent {
	case "":
	case "none":
		socket = ""
	default:
		socket = inHome(to.login.agent, f.keys.home)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.agent[socket] == nil {
		f.agent[socket] = newAgentKeys(socket)
	}
	return f.agent[socket]
}

// spawn starts a goroutine that Close waits for; false when the fleet is closed.
func (f *Fleet) spawn(work func()) bool {
	f.life.Lock()
	defer f.life.Unlock()
	if !f.closed {
		f.wg.Go(work)
	}
	return !f.closed
}

func (f *Fleet) isClosed() bool {
	f.life.Lock()
	defer f.life.Unlock()
	return f.closed
}

func (f *Fleet) warn(text string) {
	if _, said := f.warned.LoadOrStore(text, true); !said && f.opts.Warn != nil {
		f.opts.Warn(text)
	}
}

// say tells a person what they have to do now.
func (f *Fleet) say(text string) {
	if f.opts.Say == nil {
		f.warn(text)
		return
	}
	f.opts.Say(text)
}

// Close ends every connection and dial, and waits until their goroutines are gone.
func (f *Fleet) Close() error {
	f.life.Lock()
	f.closed = true
	f.life.Unlock()
	f.mu.Lock()
	nodes := slices.Collect(maps.Values(f.nodes))
	f.mu.Unlock()
	for _, n := range nodes {
		n.shut()
	}
	f.wg.Wait()
	return nil
}
