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
	n, err := f.node(h, s)
	if err != nil {
		return HostKey{}, fault.On(err, h.ID.String(), stepConnect)
	}
	n.mu.Lock()
	t := trip{to: n.to, via: n.via}
	n.mu.Unlock()
	if t.via != nil {
		t.via.retain()
		defer t.via.release()
	}
	key, err := f.scan(ctx, n, t)
	if err != nil {
		return key, fault.On(err, h.ID.String(), stepConnect)
	}
	return key, nil
}

func (f *Fleet) scan(ctx context.Context, n *node, t trip) (HostKey, error) {
	through, err := bastionConn(ctx, t.via)
	if err != nil {
		return HostKey{}, err
	}
	ctx, leash := newLeash(ctx, f.opts.Timeout)
	defer leash.end()
	raw, err := n.reach(ctx, t.to, through)
	if err != nil {
		return HostKey{}, unreachable(ctx, t.to, leash.limit, err)
	}
	w := &wire{Conn: raw}
	defer func() { _ = w.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = w.Close() })
	defer stop()
	return f.look(w, &loginFlow{fleet: f, to: t.to, leash: leash})
}

// look makes a handshake up to the host key.
func (f *Fleet) look(w *wire, login *loginFlow) (HostKey, error) {
	keys, err := f.checker(login.to, nil)
	if err != nil {
		return HostKey{}, err
	}
	keys.record = false
	_, _, _, err = ssh.NewClientConn(w, login.to.name, &ssh.ClientConfig{
		Config: login.to.proposals(),
		User:   login.to.user, HostKeyAlgorithms: keys.algorithms(), ClientVersion: clientVersion,
		HostKeyCallback: func(name string, from net.Addr, key ssh.PublicKey) error {
			_ = keys.check(name, from, key)
			return errScanned
		},
	})
	if keys.seen == nil {
		return HostKey{}, failure{w, login, keys}.explain(err)
	}
	return describe(login.to, keys.seen), keys.verdict
}

func describe(to endpoint, key ssh.PublicKey) HostKey {
	bare := bareKeys(key)[0]
	return HostKey{
		Name: xknownhosts.Normalize(to.name), Type: bare.Type(), Fingerprint: ssh.FingerprintSHA256(bare),
		Line: remote.Clean(xknownhosts.Line([]string{to.name}, bare), 16<<10),
	}
}
