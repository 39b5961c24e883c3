package connect

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// clientVersion is what servers log of us.
const clientVersion = "SSH-2.0-patchring"

// errTimeout is the cause of a hop's context when its time is up.
var errTimeout = errors.New("timed out")

// pauses are the waits before another try, each lengthened by up to half at random.
// Only a connection that was dropped before the login is tried again; the second
// wait outlasts the shortest penalty of OpenSSH 9.8 and later (15 s).
func pauses() []time.Duration { return []time.Duration{time.Second, 16 * time.Second} }

// dial makes the connection: a slot of the site, the bastion, then the server.
func (n *node) dial(ctx context.Context, old *conn, to endpoint, via *node) (*conn, error) {
	if err := settled(ctx, old); err != nil {
		return nil, err
	}
	if n.slots != nil {
		if err := n.slots.acquire(ctx); err != nil {
			return nil, gaveUp(ctx)
		}
	}
	if via != nil {
		via.retain()
	}
	c, err := n.tries(ctx, to, via)
	if err != nil {
		n.giveBack(via)
	}
	return c, err
}

// settled waits until the connection before this one is really gone: there are
// never two to one host.
func settled(ctx context.Context, old *conn) error {
	if old == nil {
		return nil
	}
	old.close()
	select {
	case <-old.done:
		return nil
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

// trip is what one attempt needs to know.
type trip struct {
	to      endpoint
	via     *node
	refused []ssh.PublicKey // shown by earlier attempts, but not what is pinned
}

// tries connects, again where that can help: after a drop before the login, and,
// where fingerprints are pinned, for a key of another kind.
func (n *node) tries(ctx context.Context, to endpoint, via *node) (*conn, error) {
	waits := pauses()
	t := trip{to: to, via: via}
	for {
		c, next, err := n.attempt(ctx, t)
		switch {
		case err == nil:
			return c, nil
		case next.otherKind != nil && len(t.refused) < maxKinds:
			t.refused = append(t.refused, next.otherKind)
		case next.later && len(waits) > 0 && pause(ctx, waits[0]):
			waits = waits[1:]
		default:
			return nil, err
		}
	}
}

// maxKinds bounds how many kinds of host key are asked for: Ed25519, ECDSA, RSA.
const maxKinds = 2

// advice says whether another attempt may succeed.
type advice struct {
	later     bool          // dropped before any login was tried
	otherKind ssh.PublicKey // shown instead of a pinned key: ask for another kind
}

// pause waits for d and up to half as much again; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	jitter := rand.N(d / 2) //nolint:gosec // spreads retries, guards nothing
	timer := time.NewTimer(d + jitter)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt connects once, by the bastion if there is one.
func (n *node) attempt(ctx context.Context, t trip) (*conn, advice, error) {
	through, err := bastionConn(ctx, t.via)
	if err != nil {
		return nil, advice{}, err
	}
	gate := n.fleet.gate(t.to.pathKey())
	select {
	case gate <- struct{}{}:
	case <-ctx.Done():
		return nil, advice{}, gaveUp(ctx)
	}
	defer func() { <-gate }()
	return n.hop(ctx, t, through)
}

func bastionConn(ctx context.Context, via *node) (*conn, error) {
	if via == nil {
		return nil, nil
	}
	return via.connect(ctx)
}

// hop dials and logs in to one server within the hop's time.
func (n *node) hop(ctx context.Context, t trip, through *conn) (*conn, advice, error) {
	limit := n.fleet.opts.Timeout
	ctx, leash := newLeash(ctx, limit)
	defer leash.end()
	raw, err := n.reach(ctx, t.to, through)
	if err != nil {
		return nil, advice{later: errors.Is(err, syscall.ECONNRESET)}, unreachable(ctx, t.to, limit, err)
	}
	watched := &wire{Conn: raw}
	stop := context.AfterFunc(ctx, func() { _ = watched.Close() })
	defer stop()
	return n.handshake(watched, &loginFlow{fleet: n.fleet, to: t.to, leash: leash}, t)
}

// reach opens the way for bytes: TCP, or a channel of the bastion.
func (n *node) reach(ctx context.Context, to endpoint, through *conn) (net.Conn, error) {
	if through == nil {
		return n.fleet.opts.Dial(ctx, "tcp", to.address)
	}
	return openHop(ctx, n.fleet, through, to.address)
}

// handshake speaks SSH over an open wire, which it closes on failure.
func (n *node) handshake(w *wire, login *loginFlow, t trip) (*conn, advice, error) {
	f := n.fleet
	keys, err := f.checker(t.to, t.refused)
	if err != nil {
		_ = w.Close()
		return nil, advice{}, err
	}
	raw, chans, reqs, err := ssh.NewClientConn(w, t.to.name, &ssh.ClientConfig{
		Config: t.to.proposals(),
		User:   t.to.user, HostKeyCallback: keys.check, HostKeyAlgorithms: keys.algorithms(),
		AuthCallback: login.next, ClientVersion: clientVersion,
	})
	login.finish(err)
	if err != nil {
		early := login.early(err)
		err = failure{w, login, keys}.explain(err)
		return nil, advice{later: early, otherKind: keys.unpinned()}, err
	}
	c := newConn(raw, f.opts.Keepalive)
	if !f.spawn(func() { c.serve(chans, reqs); n.ended(c, t.via) }) {
		c.close()
		return nil, advice{}, closedFault()
	}
	return c, advice{}, nil
}

// dropped tells whether the peer just hung up.
func dropped(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}
