package connect

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/patchring/patchring/pkg/fault"
)

// maxRefusals is how often one credential may be refused, across the fleet, before
// it is not used again: directories lock accounts after three or five.
const maxRefusals = 2

// breaker keeps a wrong credential from being tried on host after host. Until a
// credential has been accepted somewhere, one host at a time tries it: the canary.
// So of fifty hosts that start together two see a wrong password, not fifty.
type breaker struct {
	mu    sync.Mutex
	known map[string]*record
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
	refusedBy []string
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

func newBreaker() *breaker { return &breaker{known: map[string]*record{}} }

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
	r := b.known[c.id]
	if r == nil {
		r = &record{}
		b.known[c.id] = r
	}
	if r.blocked(c) {
		return nil, nil, blockedFault(c, r.refusedBy)
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

func (r *record) blocked(c credential) bool {
	return len(r.refusedBy) >= maxRefusals && (c.strict || !r.proven)
}

// learn counts a try. An unclear one counts against a password that was never right:
// the server may have taken it for a wrong one.
func (b *breaker) learn(r *record, c credential, host string, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case o == accepted:
		r.proven = true
	case o == rejected, o == unclear && c.strict && !r.proven:
		r.refusedBy = append(r.refusedBy, host)
	}
}

// check tells, without waiting, whether a credential is blocked.
func (b *breaker) check(c credential) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.known[c.id]; r != nil && r.blocked(c) {
		return blockedFault(c, r.refusedBy)
	}
	return nil
}

func blockedFault(c credential, hosts []string) error {
	return &fault.Error{
		Kind: fault.Ask, Code: fault.CredentialBlocked,
		What: fmt.Sprintf("%s is not used again in this run: refused by %s", c.name, strings.Join(hosts[:maxRefusals], " and ")),
		Hint: "correct it, or leave those hosts out with --limit, then run the same command again",
	}
}
