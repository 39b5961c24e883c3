package connect

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// clientVersion is what servers log of us.
const clientVersion = "SSH-2.0-patchring"

// errTimeout is the cause of a hop's context when its time is up.
var errTimeout = errors.New("timed out")

// dial makes the connection: a slot of the site, the bastion, then the server.
func (n *node) dial(ctx context.Context, old *conn, c course) (*conn, error) {
	if err := settled(ctx, old); err != nil {
		return nil, err
	}
	if n.slots != nil {
		if err := n.slots.acquire(ctx); err != nil {
			return nil, gaveUp(ctx)
		}
	}
	if c.via != nil {
		c.via.retain()
	}
	made, err := n.tries(ctx, c)
	if err != nil {
		n.giveBack(c.via)
	}
	return made, err
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
	turn    func()          // gives back the person's turn, which it has; nil: it has not
}

// tries connects, again where that can help: after a drop before the login, where a person
// is needed who was busy, and, where fingerprints are pinned, for a key of another kind.
func (n *node) tries(ctx context.Context, c course) (*conn, error) {
	if c.master != "" {
		return n.ride(ctx, c)
	}
	t := trip{to: c.to, via: c.via}
	defer func() {
		if t.turn != nil {
			t.turn()
		}
	}()
	for drops := 0; ; {
		made, next, err := n.attempt(ctx, t)
		switch {
		case err == nil:
			return made, nil
		case next.otherKind != nil && len(t.refused) < maxKinds:
			t.refused = append(t.refused, next.otherKind)
		case next.queued && t.turn == nil:
			if t.turn, err = n.fleet.turn.take(ctx); err != nil {
				return nil, gaveUp(ctx)
			}
		case next.later && (next.same || drops < maxDrops-1):
			if !next.same {
				drops++
			}
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
	same      bool          // by a blow that hit others, too
	queued    bool          // a person is needed, who was busy
	otherKind ssh.PublicKey // shown instead of a pinned key: ask for another kind
}

// attempt connects once, by the bastion if there is one.
func (n *node) attempt(ctx context.Context, t trip) (*conn, advice, error) {
	through, err := bastionConn(ctx, t.via)
	if err != nil {
		return nil, advice{}, err
	}
	k, err := n.fleet.door(t.to.pathKey()).enter(ctx)
	if err != nil {
		return nil, advice{}, err
	}
	c, next, err := n.hop(ctx, t, through)
	next.same = !k.leave(next.later, err)
	return c, next, err
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
	login := &loginFlow{fleet: n.fleet, to: t.to, leash: leash}
	if t.turn != nil {
		login.attended = func() {} // tries gives it back
	}
	return n.handshake(watched, login, t)
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
	login.hangUp = func() { _ = w.Close() }
	raw, chans, reqs, err := ssh.NewClientConn(w, t.to.name, &ssh.ClientConfig{
		Config: t.to.proposals(),
		User:   t.to.user, HostKeyCallback: f.judged(keys), HostKeyAlgorithms: keys.algorithms(),
		AuthCallback: login.next, BannerCallback: login.banner, ClientVersion: clientVersion,
	})
	login.finish(err)
	if err != nil {
		next := advice{later: login.early(err), queued: errors.Is(login.fault, errQueued), otherKind: keys.unpinned()}
		return nil, next, failure{w, login, keys}.explain(err)
	}
	c := newConn(raw, f.opts.Keepalive)
	if !f.spawn(func() { c.serve(chans, reqs); n.ended(c, t.via) }) {
		c.close()
		return nil, advice{}, closedFault()
	}
	return c, advice{}, nil
}

// judged is the host key's judge, who also notes a host that this run has just got to know.
func (f *Fleet) judged(keys *keyChecker) ssh.HostKeyCallback {
	return func(name string, from net.Addr, key ssh.PublicKey) error {
		err := keys.check(name, from, key)
		if err == nil && len(keys.to.pins) == 0 && keys.known.acceptedNow(keys.to.name) {
			f.breaker.stranger(keys.to.who())
		}
		return err
	}
}

// dropped tells whether the peer just hung up.
func dropped(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}
