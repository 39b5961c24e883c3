package connect

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// HostKey is what a server showed before anyone logged in.
type HostKey struct {
	Name        string // as known_hosts names it: host, or [host]:port
	Type        string // e.g. ssh-ed25519
	Fingerprint string // SHA256:…
	Line        string // to be appended to known_hosts once the fingerprint was compared
}

// errScanned ends a handshake that was only made to see the key.
var errScanned = errors.New("only looking")

// Scan dials the host, by its bastions, and gives the key that it shows, without
// logging in to it. The error says whether that key would be trusted, like the one of
// Lease; HostKey is filled in whenever a key was seen. Nothing is recorded.
func (f *Fleet) Scan(ctx context.Context, h inventory.Host, s inventory.Site) (HostKey, error) {
	g, err := f.glance(ctx, h, s)
	if err != nil {
		return HostKey{}, err
	}
	defer g.end()
	keys, err := g.show(ctx, nil)
	if err != nil {
		return HostKey{}, g.named(err)
	}
	if keys.verdict != nil {
		err = g.named(keys.verdict)
	}
	return describe(g.to, keys.seen), err
}

// glance is a host that is looked at without logging in.
type glance struct {
	node *node
	host string
	trip
}

func (f *Fleet) glance(ctx context.Context, h inventory.Host, s inventory.Site) (*glance, error) {
	n, err := f.node(ctx, h, s)
	if err != nil {
		return nil, fault.On(err, h.ID.String(), stepConnect)
	}
	n.mu.Lock()
	g := &glance{node: n, host: h.ID.String(), trip: trip{to: n.to, via: n.via}}
	n.mu.Unlock()
	if g.via != nil {
		g.via.retain()
	}
	return g, nil
}

func (g *glance) end() {
	if g.via != nil {
		g.via.release()
	}
}

func (g *glance) named(err error) error { return fault.On(err, g.host, stepConnect) }

// show makes handshakes up to the host key, again after a drop: the door makes us wait.
// Without algorithms the server is asked as Lease would.
func (g *glance) show(ctx context.Context, algorithms []string) (*keyChecker, error) {
	for tries := 1; ; tries++ {
		keys, again, err := g.once(ctx, algorithms)
		if err == nil || !again || tries == maxDrops {
			return keys, err
		}
	}
}

// once makes one handshake, as one of the few that its address sees at a time.
func (g *glance) once(ctx context.Context, algorithms []string) (*keyChecker, bool, error) {
	f := g.node.fleet
	through, err := bastionConn(ctx, g.via)
	if err != nil {
		return nil, false, err
	}
	k, err := f.door(g.to.pathKey()).enter(ctx)
	if err != nil {
		return nil, false, err
	}
	keys, dropped, err := g.handshake(ctx, through, algorithms)
	k.leave(dropped, err)
	return keys, dropped, err
}

func (g *glance) handshake(ctx context.Context, through *conn, algorithms []string) (*keyChecker, bool, error) {
	f := g.node.fleet
	ctx, leash := newLeash(ctx, f.opts.Timeout)
	defer leash.end()
	raw, err := g.node.reach(ctx, g.to, through)
	if err != nil {
		return nil, false, unreachable(ctx, g.to, leash.limit, err)
	}
	w := &wire{Conn: raw}
	defer func() { _ = w.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = w.Close() })
	defer stop()
	return f.look(w, &loginFlow{fleet: f, to: g.to, leash: leash}, algorithms)
}

// look makes a handshake up to the host key. An error means that none was seen; the flag,
// that another try may see one.
func (f *Fleet) look(w *wire, login *loginFlow, algorithms []string) (*keyChecker, bool, error) {
	keys, err := f.checker(login.to, nil)
	if err != nil {
		return nil, false, err
	}
	keys.record = false
	if algorithms == nil {
		algorithms = keys.algorithms()
	}
	_, _, _, err = ssh.NewClientConn(w, login.to.name, &ssh.ClientConfig{
		Config: login.to.proposals(),
		User:   login.to.user, HostKeyAlgorithms: algorithms, ClientVersion: clientVersion,
		HostKeyCallback: func(name string, from net.Addr, key ssh.PublicKey) error {
			_ = keys.check(name, from, key)
			return errScanned
		},
	})
	if keys.seen != nil {
		return keys, false, nil
	}
	if no, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err); ok && no.What == "host key" {
		return nil, false, &kindError{no.RequestedAlgorithms, noAlgorithm(login.to, no)}
	}
	return nil, login.early(err), failure{w, login, keys}.explain(err)
}

// kindError: the server has no key of the kinds that were asked for.
type kindError struct {
	offered []string // algorithms that it has
	fault   error
}

func (e *kindError) Error() string { return e.fault.Error() }
func (e *kindError) Unwrap() error { return e.fault }

func describe(to endpoint, key ssh.PublicKey) HostKey {
	bare := bareKeys(key)[0]
	return HostKey{
		Name: knownName(to.name), Type: bare.Type(), Fingerprint: ssh.FingerprintSHA256(bare),
		Line: remote.Clean(xknownhosts.Line([]string{to.name}, bare), 16<<10),
	}
}
