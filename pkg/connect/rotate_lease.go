package connect

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

// Rotation is what a server says of its own host keys after the login, the new ones with
// a proof that it holds them.
type Rotation struct {
	Name string // as known_hosts writes it
	File string // where new keys are recorded
	Pins []string
	// Announced: the server told its keys. OpenSSH does since 6.8; most others don't.
	Announced bool
	// Certified: an authority vouches for the host, so no key of it is recorded.
	Certified bool
	Kept      []KnownKey // told, and known
	Added     []HostKey  // told, not known, and proven
	Gone      []KnownKey // known, and no longer the host's
	Skipped   []string   // told, but not used: why

	added []ssh.PublicKey
	gone  []knownLine
	hash  bool
}

// Rotation asks the host for its keys. The lease's connection was made by a key that is
// known. Nothing is recorded. An error of code HostKeyChanged: what it said is refused.
func (l *Lease) Rotation(ctx context.Context) (Rotation, error) {
	c, err := l.conn(ctx)
	if err != nil {
		return Rotation{}, err
	}
	to := l.node.endpoint()
	known, err := l.fleet.knownHosts(to.site)
	if err != nil {
		return Rotation{}, fault.On(err, l.id.String(), stepRotate)
	}
	lines, loose := known.about(to.name)
	r := Rotation{Name: knownName(to.name), Pins: to.pins, hash: to.hashKnown}
	if len(known.files) > 0 {
		r.File = known.files[0]
	}
	kind, certified, err := c.loginKind()
	if err != nil {
		return r, fault.On(err, l.id.String(), stepRotate)
	}
	if certified || slices.ContainsFunc(lines, func(l knownLine) bool { return l.mark == markAuthority }) {
		r.Certified = true
		return r, nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.fleet.opts.Timeout)
	defer cancel()
	told, err := c.hostKeys(ctx, l.fleet)
	if err != nil || told == nil {
		return r, rotateFault(l.id.String(), err)
	}
	r.Announced = true
	if err := r.compare(known, *told, lines, kind, loose); err != nil {
		return r, rotateFault(l.id.String(), err)
	}
	return r, rotateFault(l.id.String(), c.prove(ctx, l.fleet, r.added))
}

const stepRotate = "rotate"

// loginKind is the kind of key that the login was made by, and whether it was a certificate.
func (c *conn) loginKind() (kind string, certified bool, err error) {
	made, ok := c.Conn.(ssh.AlgorithmsConnMetadata)
	if !ok {
		return "", false, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unsupported, What: "this connection is not patchring's own, so nobody can prove a key to it",
			Hint: "your own ssh updates its keys (UpdateHostKeys in ssh_config); or take control_master out for this command",
		}
	}
	kind, certified = strings.CutSuffix(made.Algorithms().HostKey, "-cert-v01@openssh.com")
	if kind == ssh.KeyAlgoRSASHA256 || kind == ssh.KeyAlgoRSASHA512 {
		kind = ssh.KeyAlgoRSA
	}
	return kind, certified, nil
}

// compare sorts what was told into kept, added and gone; login is the kind of key that
// the connection was made by, which is a known one. Loose lines, of the name without its
// port, vouch for the login alone: the name with its port gets lines of its own.
func (r *Rotation) compare(known *knownHosts, told announcedKeys, lines []knownLine, login string, loose bool) error {
	r.Skipped = told.skipped
	shown := false
	for _, key := range told.keys {
		if l, revoked := known.revokedBy(key); revoked {
			return errors.New("it lists a key that is revoked by " + l.place())
		}
		where, kept := r.known(key, lines)
		shown = shown || kept && key.Type() == login
		if kept && (len(r.Pins) > 0 || !loose) {
			r.Kept = append(r.Kept, KnownKey{key.Type(), ssh.FingerprintSHA256(key), where})
			continue
		}
		r.added = append(r.added, key)
		r.Added = append(r.Added, describe(endpoint{name: r.Name}, key))
	}
	if !shown {
		return errors.New("the list of host keys lacks the one that it has just shown")
	}
	for _, l := range lines {
		if len(r.Pins) == 0 && !loose && l.mark == markNone && !told.blobs[string(l.key.Marshal())] {
			r.gone = append(r.gone, l)
		}
	}
	r.Gone = describeLines(r.gone)
	return nil
}

// known tells where a key is known from. Pins are the only truth where there are some.
func (r *Rotation) known(key ssh.PublicKey, lines []knownLine) (where string, ok bool) {
	if len(r.Pins) > 0 {
		return "the inventory", slices.Contains(r.Pins, ssh.FingerprintSHA256(key))
	}
	for _, l := range lines {
		if l.mark == markNone && sameKey(l.key, key) {
			return l.place(), true
		}
	}
	return "", false
}

// rotateFault names host and step; nil stays nil.
func rotateFault(host string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return fault.On(e, host, stepRotate)
	}
	return &fault.Error{
		Kind: fault.Ask, Code: fault.HostKeyChanged, Host: host, Step: stepRotate, Err: err,
		What: "nothing of its keys is recorded", Hint: "no honest server does this: look at sshd on its console",
	}
}

// hostKeys gives what the server told of its keys; nil where it told nothing. It tells
// right after the login, so that an answer to a question of ours comes after that.
func (c *conn) hostKeys(ctx context.Context, f *Fleet) (*announcedKeys, error) {
	if _, _, err := c.request(ctx, f, "keepalive@openssh.com", nil); err != nil {
		return nil, err
	}
	turn := make(chan struct{})
	select {
	case c.turns <- turn:
	case <-c.done:
		return nil, lostRotation(errors.New("the connection ended"))
	case <-ctx.Done():
		return nil, lostRotation(context.Cause(ctx))
	}
	<-turn
	c.mu.Lock()
	told := c.announced
	c.mu.Unlock()
	if told == nil {
		return nil, nil
	}
	if told.tooLong {
		return nil, errAnnounced
	}
	keys, err := parseAnnounced(told.payload)
	return &keys, err
}

// prove has the server sign for each of the keys.
func (c *conn) prove(ctx context.Context, f *Fleet, keys []ssh.PublicKey) error {
	if len(keys) == 0 {
		return nil
	}
	ok, answer, err := c.request(ctx, f, proveRequest, askProofs(keys))
	if err != nil {
		return err
	}
	if !ok || len(answer) > maxAnnounced {
		return errProof
	}
	return checkProofs(c.SessionID(), keys, answer)
}

// request asks the server something. One that does not answer in time loses the
// connection: nothing else ends the wait (see conn.go).
func (c *conn) request(ctx context.Context, f *Fleet, name string, payload []byte) (bool, []byte, error) {
	type answer struct {
		ok    bool
		reply []byte
		err   error
	}
	answers := make(chan answer, 1)
	ask := func() {
		ok, reply, err := c.SendRequest(name, true, payload)
		answers <- answer{ok, reply, err}
	}
	if !f.spawn(ask) {
		return false, nil, closedFault()
	}
	select {
	case a := <-answers:
		if a.err != nil {
			return false, nil, lostRotation(a.err)
		}
		return a.ok, a.reply, nil
	case <-ctx.Done():
		c.close()
		return false, nil, lostRotation(context.Cause(ctx))
	}
}

func lostRotation(err error) error {
	return &fault.Error{
		Kind: fault.Retry, Code: fault.Unreachable, Step: stepRotate, Err: err,
		What: "the host did not answer about its keys", Hint: "run the same command again; nothing was recorded",
	}
}
