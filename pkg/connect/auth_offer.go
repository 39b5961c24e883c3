package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// offer settles which keys a login is offered. A key in the inventory is the only one; else
// ssh_config's, then the agent's others unless IdentitiesOnly; and ssh's default keys only
// where all of that gives nothing.
func (f *Fleet) offer(ctx context.Context, to endpoint) (offer, error) {
	if to.login.key != "" {
		path := inHome(to.login.key, f.keys.home)
		o := offer{source: "key " + path}
		if err := f.addFile(ctx, &o, to, path, to.login.passphrase); err != nil {
			return offer{}, keyFault(to, path, err)
		}
		return o, nil
	}
	if !to.login.password.IsZero() && len(to.login.identities) == 0 {
		return offer{}, nil // a password is what the inventory says
	}
	o := offer{source: "the keys of ssh_config"}
	for _, path := range to.login.identities {
		f.mayAddFile(ctx, &o, to, inHome(path, f.keys.home), to.login.passphrase, true)
	}
	if !to.login.only || len(to.login.identities) == 0 {
		f.addAgent(ctx, &o, to)
	}
	if len(o.candidates) == 0 && !to.login.noIdentities {
		o.source = "the default keys in ~/.ssh"
		for _, path := range f.keys.defaults() {
			f.mayAddFile(ctx, &o, to, path, secret.Ref{}, false)
		}
	}
	f.provenFirst(&o, to)
	f.cap(&o)
	return o, nil
}

// addFile adds a key with its certificates, from the agent where that holds it: then no
// passphrase is needed.
func (f *Fleet) addFile(ctx context.Context, o *offer, to endpoint, path string, passphrase secret.Ref) error {
	signer, err := f.keys.load(ctx, path, passphrase)
	if err == nil {
		f.certify(o, candidate{public: signer.PublicKey(), signer: signer, from: path}, path, f.certificates(to))
		return nil
	}
	if held, ok := f.heldByAgent(ctx, o, to, path); ok {
		f.certify(o, held, path, f.certificates(to))
		return nil
	}
	return err
}

func (f *Fleet) certificates(to endpoint) []string {
	var paths []string
	for _, path := range to.login.certificates {
		paths = append(paths, inHome(path, f.keys.home))
	}
	return paths
}

// heldByAgent finds the agent's entry for the public key that lies beside path.
func (f *Fleet) heldByAgent(ctx context.Context, o *offer, to endpoint, path string) (candidate, bool) {
	text, err := readPlain(path + ".pub")
	if err != nil {
		return candidate{}, false
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return candidate{}, false
	}
	for _, c := range f.held(ctx, o, to) {
		if bytes.Equal(c.public.Marshal(), public.Marshal()) {
			return c, true
		}
	}
	return candidate{}, false
}

// held are the agent's keys. Why there are none is said once, and again in the fault of a
// login that fails.
func (f *Fleet) held(ctx context.Context, o *offer, to endpoint) []candidate {
	a := f.agentFor(to)
	keys, err := a.list(ctx)
	if err != nil && ctx.Err() == nil {
		f.leaveOutAgent(o, err)
	}
	var out []candidate
	for _, k := range keys {
		out = append(out, a.candidate(k))
	}
	return out
}

func (f *Fleet) leaveOutAgent(o *offer, err error) {
	text := err.Error()
	if errors.Is(err, errAgentSilent) {
		text += "; does ssh-add -l answer? Start the agent anew, or unset SSH_AUTH_SOCK"
	}
	f.warn(text)
	if !slices.Contains(o.notes, text) {
		o.notes = append(o.notes, text)
	}
}

// mayAddFile adds what can be loaded; what can't is said once, and skipped.
func (f *Fleet) mayAddFile(ctx context.Context, o *offer, to endpoint, path string, passphrase secret.Ref, say bool) {
	err := f.addFile(ctx, o, to, path, passphrase)
	if err == nil || ctx.Err() != nil || (errors.Is(err, os.ErrNotExist) && !say) {
		return
	}
	f.warn(fmt.Sprintf("key %s is not used: %v", path, err))
}

// addAgent adds what the agent holds and is not there yet.
func (f *Fleet) addAgent(ctx context.Context, o *offer, to endpoint) {
	held := f.held(ctx, o, to)
	before := len(o.candidates)
	for _, c := range held {
		if o.has(c.public) {
			continue
		}
		if c.cert != nil {
			if err := stale(c.cert, time.Now()); err != nil {
				f.leaveOut(o, c.name(), err)
				continue
			}
		}
		o.candidates = append(o.candidates, c)
	}
	if before == 0 {
		o.source = "the SSH agent's keys"
	}
}

// provenFirst puts first what the last login of that user was let in with: each key that is
// refused costs a round trip and one of the server's few tries.
func (f *Fleet) provenFirst(o *offer, to endpoint) {
	best, _ := f.proven.Load(to.site + "\x00" + to.user)
	slices.SortStableFunc(o.candidates, func(a, b candidate) int {
		return boolOrder(ssh.FingerprintSHA256(b.public) == best) - boolOrder(ssh.FingerprintSHA256(a.public) == best)
	})
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cap keeps as many as a server lets one try.
func (f *Fleet) cap(o *offer) {
	cost := 0
	for i, c := range o.candidates {
		if cost += c.cost(); cost > maxOffered {
			f.warn(fmt.Sprintf("%d keys to choose from, but servers hang up after a few: only the first %d are offered; "+
				"name one with credentials: {key: …} in the inventory", len(o.candidates), i))
			o.candidates = o.candidates[:i]
			return
		}
	}
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
