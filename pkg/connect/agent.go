package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// agentKeys is the user's SSH agent: asked once for its keys, never forwarded.
type agentKeys struct {
	socket string

	mu      sync.Mutex
	conn    net.Conn
	asked   bool
	closed  bool
	signers []ssh.Signer
	err     error
}

// list gives the agent's keys; none when there is no agent.
func (a *agentKeys) list(ctx context.Context) ([]ssh.Signer, error) {
	if a.socket == "" {
		return nil, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errClosed
	}
	if !a.asked {
		a.signers, a.err = a.ask(ctx)
		a.asked = a.err == nil || ctx.Err() == nil
	}
	return a.signers, a.err
}

// ask connects and lists; ctx frees it from an agent that stays silent.
func (a *agentKeys) ask(ctx context.Context) ([]ssh.Signer, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", a.socket)
	if err != nil {
		return nil, fmt.Errorf("SSH agent: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	signers, err := agent.NewClient(conn).Signers()
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("SSH agent: %w", err)
	}
	a.conn = conn
	return signers, nil
}

// close ends the connection, and with it any signature that an agent still owes.
func (a *agentKeys) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.conn != nil {
		_ = a.conn.Close()
	}
}

// signers settles which keys a login is offered. A key in the inventory is the only
// one; else ssh_config's, then the agent's others unless IdentitiesOnly; and ssh's
// default keys only where all of that gives nothing.
func (f *Fleet) signers(l *leash, to endpoint) (offer, error) {
	resume := l.hold() // a person may have to type a passphrase
	defer resume()
	if to.login.key != "" {
		path := inHome(to.login.key, f.keys.home)
		signers, err := f.fromFile(l.ctx, path, to.login.passphrase)
		if err != nil {
			return offer{}, keyFault(to, path, err)
		}
		return offer{signers, "key " + path}, nil
	}
	if !to.login.password.IsZero() && len(to.login.identities) == 0 {
		return offer{}, nil // a password is what the inventory says
	}
	found := f.configured(l.ctx, to)
	if !to.login.only || len(to.login.identities) == 0 {
		found = f.addAgent(l.ctx, found)
	}
	if len(found.signers) == 0 {
		found = f.addFiles(l.ctx, offer{source: "the default keys in ~/.ssh"}, f.keys.defaults(), secret.Ref{}, false)
	}
	return f.cap(found), nil
}

// fromFile loads a key, from the agent where that holds it: then no passphrase is needed.
func (f *Fleet) fromFile(ctx context.Context, path string, passphrase secret.Ref) ([]ssh.Signer, error) {
	signers, err := f.keys.load(ctx, path, passphrase)
	if err == nil {
		return signers, nil
	}
	if held := f.heldByAgent(ctx, path); held != nil {
		return held, nil
	}
	return nil, err
}

// heldByAgent finds the agent's signer for the public key that lies beside path.
func (f *Fleet) heldByAgent(ctx context.Context, path string) []ssh.Signer {
	text, err := os.ReadFile(path + ".pub") //nolint:gosec // the user's own key
	if err != nil {
		return nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	held, err := f.agent.list(ctx)
	if err != nil {
		return nil
	}
	for _, s := range held {
		if bytes.Equal(s.PublicKey().Marshal(), public.Marshal()) {
			return []ssh.Signer{s}
		}
	}
	return nil
}

func (f *Fleet) configured(ctx context.Context, to endpoint) offer {
	var paths []string
	for _, path := range to.login.identities {
		paths = append(paths, inHome(path, f.keys.home))
	}
	return f.addFiles(ctx, offer{source: "the keys of ssh_config"}, paths, to.login.passphrase, true)
}

// addFiles adds what can be loaded; what can't is said once, and skipped.
func (f *Fleet) addFiles(ctx context.Context, o offer, paths []string, passphrase secret.Ref, say bool) offer {
	for _, path := range paths {
		signers, err := f.fromFile(ctx, path, passphrase)
		switch {
		case err == nil:
			o.signers = append(o.signers, signers...)
		case errors.Is(err, os.ErrNotExist) && !say, ctx.Err() != nil:
		default:
			f.warn(fmt.Sprintf("key %s is not used: %v", path, err))
		}
	}
	return o
}

func (f *Fleet) addAgent(ctx context.Context, o offer) offer {
	held, err := f.agent.list(ctx)
	if err != nil {
		if ctx.Err() == nil {
			f.warn(err.Error())
		}
		return o
	}
	for _, s := range held {
		known := slices.ContainsFunc(o.signers, func(have ssh.Signer) bool {
			return bytes.Equal(have.PublicKey().Marshal(), s.PublicKey().Marshal())
		})
		if !known {
			o.signers = append(o.signers, s)
		}
	}
	if o.source == "" || len(o.signers) == len(held) {
		o.source = "the SSH agent's keys"
	}
	return o
}

func (f *Fleet) cap(o offer) offer {
	if len(o.signers) > maxKeys {
		f.warn(fmt.Sprintf("%d keys to choose from, but servers hang up after a few: only the first %d are offered; "+
			"name one with credentials: {key: …} in the inventory", len(o.signers), maxKeys))
		o.signers = o.signers[:maxKeys]
	}
	return o
}

// password resolves the endpoint's password, once asked for at most: the resolver caches.
func (f *Fleet) password(l *leash, to endpoint) (secret.Secret, credential, error) {
	resume := l.hold()
	defer resume()
	label := "SSH password for user " + to.user + " (site " + to.site + ")"
	c := passwordCredential("ssh", to.login.password, label)
	if err := f.breaker.check(c, to.who()); err != nil {
		return secret.Secret{}, c, err
	}
	value, err := f.resolve(l.ctx, to.login.password, label, fault.Auth)
	return value, c, err
}
