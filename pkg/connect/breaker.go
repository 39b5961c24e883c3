package connect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/patchring/patchring/pkg/fault"
)

// maxRefusals is how many hosts may refuse one credential before it is used on none any
// more: directories lock accounts after three or five. A host that has refused it does not
// get it again: one host's trouble must not take it from the fleet.
const maxRefusals = 2

// breaker keeps a wrong credential from being tried on host after host. Until a
// credential has been accepted somewhere, one host at a time tries it: the canary.
// So of fifty hosts that start together two see a wrong password, not fifty.
type breaker struct {
	mu        sync.Mutex
	known     map[string]*record
	strangers map[string]bool // hosts that get no password at all
}

// credential names what is tried. Strict ones (passwords) are blocked by two
// refusals whatever else happened; keys only until some host has accepted them: a
// refused key locks nobody out, it just isn't installed there.
type credential struct {
	id     string
	name   string // for people, e.g. "the password from env:PW"
	strict bool
}

// record is what the fleet knows of one credential.
type record struct {
	refusedBy []string // each host once
	unclear   []string // of these, those that may not have taken it for wrong
	proven    bool
	canary    chan struct{} // nil: nobody is trying; closed when the try ended
}

// outcome of one try. The zero value is the cautious one.
type outcome uint8

const (
	unclear  outcome = iota // the connection ended before the answer came
	accepted                // it was right
	rejected                // it was wrong
	untried                 // it never came to sending it
)

func newBreaker() *breaker {
	return &breaker{known: map[string]*record{}, strangers: map[string]bool{}}
}

// stranger notes a host whose key nobody has vouched for before this run.
func (b *breaker) stranger(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.strangers[host] = true
}

// isStranger tells whether a host is to get no password, and no code either.
func (b *breaker) isStranger(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.strangers[host]
}

// try asks for leave to use a credential on a host, and waits while a canary is out.
// The returned function must be told how it went. The error is a *fault.Error with
// Code CredentialBlocked, or that of ctx.
func (b *breaker) try(ctx context.Context, c credential, host string) (func(outcome), error) {
	for {
		report, wait, err := b.step(c, host)
		if report != nil || err != nil {
			return report, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// step gives leave, a canary to wait for, or the refusal.
func (b *breaker) step(c credential, host string) (report func(outcome), wait chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.strict && b.strangers[host] {
		return nil, nil, strangerFault(host)
	}
	r := b.known[c.id]
	if r == nil {
		r = &record{}
		b.known[c.id] = r
	}
	if err := r.blocked(c, host); err != nil {
		return nil, nil, err
	}
	if r.proven && (len(r.refusedBy) == 0 || !c.strict) {
		return func(o outcome) { b.learn(r, c, host, o) }, nil, nil
	}
	if r.canary != nil {
		return nil, r.canary, nil
	}
	r.canary = make(chan struct{})
	return func(o outcome) {
		b.learn(r, c, host, o)
		b.mu.Lock()
		defer b.mu.Unlock()
		close(r.canary)
		r.canary = nil
	}, nil, nil
}

// blocked gives the fault where the credential must not be tried on this host.
func (r *record) blocked(c credential, host string) error {
	switch {
	case !c.strict && r.proven:
		return nil
	case len(r.refusedBy) >= maxRefusals:
		return blockedFault(c, r.refusedBy)
	case slices.Contains(r.refusedBy, host) && !slices.Contains(r.unclear, host):
		return blockedFault(c, []string{host})
	}
	return nil
}

// learn counts a try. An unclear one counts against a password that was never right:
// the server may have taken it for a wrong one. Its host gets the password once more.
func (b *breaker) learn(r *record, c credential, host string, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case o == accepted:
		r.proven = true
	case o == rejected, o == unclear && c.strict && !r.proven:
		r.refuse(host, o)
	}
}

func (r *record) refuse(host string, o outcome) {
	known := slices.Contains(r.refusedBy, host)
	if !known {
		r.refusedBy = append(r.refusedBy, host)
	}
	if o == unclear && !known {
		r.unclear = append(r.unclear, host)
	} else {
		r.unclear = slices.DeleteFunc(r.unclear, func(h string) bool { return h == host })
	}
}

// check tells, without waiting, whether a credential is blocked.
func (b *breaker) check(c credential, host string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.strict && b.strangers[host] {
		return strangerFault(host)
	}
	if r := b.known[c.id]; r != nil {
		return r.blocked(c, host)
	}
	return nil
}

func blockedFault(c credential, hosts []string) error {
	where := "anywhere"
	if len(hosts) < maxRefusals {
		where = "there"
	}
	hosts = hosts[:min(len(hosts), maxRefusals)]
	return &fault.Error{
		Kind: fault.Ask, Code: fault.CredentialBlocked,
		What: fmt.Sprintf("%s is not used %s again in this run: refused by %s", c.name, where, strings.Join(hosts, " and ")),
		Hint: "correct it, or leave those hosts out with --limit, then run the same command again",
	}
}
