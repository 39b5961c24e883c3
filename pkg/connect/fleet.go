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
	agent    *agentKeys
	config   func() (*sshConfig, error)
	dialects dialects
	warned   sync.Map // what Warn was told already
	resolved sync.Map // secrets that were got, to take them out of what devices print: valueKey → secret.Secret
	wg       sync.WaitGroup

	life   sync.Mutex // guards closed and wg.Go against Close
	closed bool

	mu    sync.Mutex
	nodes map[string]*node         // by identity, never by address
	sites map[string]*slots        // by site
	gates map[string]chan struct{} // handshakes under way, by path and address
	known map[string]*knownHosts   // by site
}

// New makes a Fleet. It connects to nothing yet.
func New(o Options) *Fleet {
	f := &Fleet{
		opts: o.withDefaults(), breaker: newBreaker(),
		nodes: map[string]*node{}, sites: map[string]*slots{}, gates: map[string]chan struct{}{},
		known: map[string]*knownHosts{},
	}
	home, _ := os.UserHomeDir() // "": no default keys, and "~" stays as it is
	f.keys = newKeyring(home, f.opts.Secrets)
	f.agent = &agentKeys{socket: f.opts.AgentSocket}
	f.config = sync.OnceValues(func() (*sshConfig, error) { return loadSSHConfig(f.opts.SSHConfig, home, f.warn) })
	return f
}

// Lease gives a share of the host's connection, dialling it if need be; ctx bounds
// that. The caller must Release it. Errors are *fault.Error, each with what to type
// next; a host whose key changed is refused without dialling from then on.
func (f *Fleet) Lease(ctx context.Context, h inventory.Host, s inventory.Site) (*Lease, error) {
	n, err := f.node(h, s)
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
func (f *Fleet) node(h inventory.Host, s inventory.Site) (*node, error) {
	way, err := f.route(h, s)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var via *node
	for i, hop := range way.hops {
		via = f.nodeLocked(bastionKey(h.ID.Site, way.hops[:i+1]), hop, via, nil)
	}
	return f.nodeLocked("host "+h.ID.String(), way.host, via, f.slotsLocked(s)), nil
}

func (f *Fleet) nodeLocked(key string, to endpoint, via *node, limit *slots) *node {
	n := f.nodes[key]
	if n == nil {
		n = &node{fleet: f, slots: limit}
		f.nodes[key] = n
	}
	n.aim(to, via)
	return n
}

func (f *Fleet) slotsLocked(s inventory.Site) *slots {
	if f.sites[s.Name] == nil {
		f.sites[s.Name] = &slots{free: orDefault(s.MaxConnections, f.opts.MaxConnections)}
	}
	return f.sites[s.Name]
}

// gate bounds concurrent handshakes with one address (as seen through one bastion).
func (f *Fleet) gate(key string) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gates[key] == nil {
		f.gates[key] = make(chan struct{}, f.opts.Handshakes)
	}
	return f.gates[key]
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
	f.agent.close()
	f.wg.Wait()
	return nil
}
