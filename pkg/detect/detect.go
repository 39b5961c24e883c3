// Package detect learns what one host is. A server tells in one exec; what has a command
// line of its own is asked on a console, at most three questions, and then read by its
// definition. What is not recognised for sure stays unknown.
package detect

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/remote"
)

// Query is what detection is asked of one host.
type Query struct {
	platform.Query
	// Library are the devices that may be met. Empty: nothing but servers is recognised.
	Library device.Library
	// Platform is what the host was the last time, or what its inventory says. It is tried
	// first, and believed only where the host's own answers say so too.
	Platform fact.Platform
}

// Host detects one host. Ident is the server's "SSH-2.0-…" line; now is the
// controller's clock. The session may be read-only: Reads, or Refreshes where the
// query asks for it.
//
// What could not be learned is a Problem in the facts, an unknown kind of host
// included: then the platform is "". The error is for a host that could not be
// asked. Where only the right to become root is missing, both come back: the error
// (fault.Privilege), and what an unprivileged look could see, with a Problem that
// says so; the caller decides whether that is enough.
func Host(ctx context.Context, s remote.Session, ident string, host fact.HostID, now time.Time, q Query) (fact.Facts, error) {
	return detect(ctx, s, ident, host, now, q, &memory{})
}

// memory is what one try leaves to the next, on another connection.
type memory struct {
	console bool // begin with the console: the connection did not outlive the exec
	renamed bool // it is not what the query says
}

// look is one detection on one connection.
type look struct {
	Query
	*memory
	session remote.Session
	ident   string
	host    fact.HostID
	now     time.Time
	family  platform.Family
	seen    []string // of what was not recognised
}

// answer is what one way of looking came to. The zero value: nothing was recognised.
type answer struct {
	facts fact.Facts
	known bool
}

func detect(ctx context.Context, s remote.Session, ident string, host fact.HostID, now time.Time, q Query, m *memory) (fact.Facts, error) {
	q.Nonce = cmp.Or(q.Nonce, nonce())
	l := &look{Query: q, memory: m, session: s, ident: ident, host: host, now: now, family: drivers.Servers()}
	if s.Runner == nil && !l.consoles() {
		return fact.Facts{}, fault.On(&fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, What: "this host does not run commands",
		}, host.String(), "detect")
	}
	facts, err := l.all(ctx)
	if err != nil {
		err = fault.On(err, host.String(), "detect")
	}
	return facts, err
}

// all goes the ways in their order, until one recognises the host. Where none could even
// ask, the error is the first one's.
func (l *look) all(ctx context.Context) (fact.Facts, error) {
	var first error
	answered := false
	for _, way := range l.ways() {
		a, err := way(ctx)
		switch {
		case err != nil && (passing(err) || settled(err) || ctx.Err() != nil):
			return fact.Facts{}, err
		case a.known:
			return l.sign(a.facts), err
		case err == nil:
			answered = true
		default:
			first = cmp.Or(first, err)
			l.seen = append(l.seen, err.Error())
		}
	}
	if !answered {
		return fact.Facts{}, first
	}
	return l.sign(l.unknown()), nil
}

// settled tells of what another way of looking at the host can't mend: an answer without
// end, and what a person has to correct here first, such as a secret that can't be got.
func settled(err error) bool {
	return errors.Is(err, remote.ErrEndless) || fault.CodeOf(err) == fault.Usage
}

// way is one way of looking at a host.
type way = func(context.Context) (answer, error)

// ways are the exec for what may be a server, the console for everything else. Most
// servers say no more than OpenSSH, as many devices do; an exec harms none of those. Of
// devices that say what they are some allow one command per connection.
func (l *look) ways() []way {
	if !l.consoles() {
		return []way{l.exec}
	}
	ways := []way{l.exec, l.identify}
	switch {
	case l.session.Runner == nil || l.telling():
		ways = []way{l.identify}
	case l.console:
		ways = []way{l.identify, l.exec}
	}
	p, ok := l.Library.Find(l.Platform)
	if !ok || l.renamed {
		return ways
	}
	verify := func(ctx context.Context) (answer, error) { return l.verify(ctx, p) }
	if p.Definition.Match.Shell && l.session.Runner != nil { // an exec tells more, where it is a shell's
		return append([]way{l.exec, verify}, l.identify)
	}
	return append([]way{verify}, ways...)
}

func (l *look) consoles() bool { return l.session.Console != nil && len(l.Library.All()) > 0 }

// telling is true for an identification line that no server has, and a device does.
func (l *look) telling() bool {
	if strings.Contains(l.ident, "OpenSSH") {
		return false
	}
	for _, p := range l.Library.All() {
		m := p.Definition.Match
		if of := func(pattern string) bool { return pattern != "" && p.Re(pattern).MatchString(l.ident) }; !m.Shell && (of(m.SSHIdent) || of(m.Hint)) {
			return true
		}
	}
	return false
}

func (l *look) sign(f fact.Facts) fact.Facts {
	f.Host, f.Seen = l.host, l.now
	return f
}

const help = "record what it prints and ask `patchring platforms identify FILE`; name it with platform: in the inventory, or bring a definition with --platforms DIR"

// unknown is a host that nothing was recognised of.
func (l *look) unknown() fact.Facts {
	detail := remote.Clean(strings.Join(l.seen, "; "), 500)
	if l.consoles() {
		detail += " (" + help + ")"
	}
	return fact.Facts{Reboot: fact.Reboot{Needed: patch.Unknown}, Problems: []fact.Problem{{What: "platform", Detail: detail}}}
}

// nonce is 128 bits at random. rand.Read never fails.
func nonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
