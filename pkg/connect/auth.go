package connect

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// loginFlow decides which credential one login offers next. Each is offered once: keys
// first, then the password by whichever of the two ways the server takes; then a person
// answers what else it asks.
type loginFlow struct {
	fleet *Fleet
	to    endpoint
	leash *leash

	offered  bool // a credential was sent, or may have been
	report   func(outcome)
	partials int
	keys     *keyRound // nil: not settled yet
	passDone bool
	talked   bool            // keyboard-interactive was tried
	tried    []string        // names of credentials, for the fault
	notes    []string        // what was not tried, and why, for the fault
	asked    string          // a question that was not answered
	gave     []secret.Secret // what a person answered, to be taken out of the fault
	banners  int             // bytes
	hangUp   func()
	fault    error // what next gave up with

	attended func() // gives the person's turn back; nil: it was not taken
	touched  bool   // the person was told of the touch
}

// next is the library's callback before each attempt after "none".
func (l *loginFlow) next(state *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.settle(state)
	if l.fault != nil { // in the middle of a dialogue, whose error the library forgets
		return nil, l.fault
	}
	for _, choose := range []func([]string) (ssh.AuthMethod, error){l.publicKey, l.password, l.interactive} {
		method, err := choose(state.AllowedMethods)
		if err != nil {
			l.fault = err
			return nil, err
		}
		if method != nil {
			l.offered = true
			return method, nil
		}
	}
	l.fault = l.refused(state.AllowedMethods)
	return nil, l.fault
}

// settle reports how the last attempt went: the server is asking for another.
func (l *loginFlow) settle(state *ssh.ClientAuthContext) {
	result := rejected
	if done := state.PartialSuccessMethods; len(done) > l.partials {
		result = accepted
		if l.keys != nil && done[len(done)-1] == "publickey" {
			l.keys.more() // the server may want another key as well
		}
	}
	l.partials = len(state.PartialSuccessMethods)
	l.tell(result)
}

func (l *loginFlow) tell(o outcome) {
	if l.report != nil {
		l.report(o)
		l.report = nil
	}
}

// finish reports the last attempt once the handshake is over.
func (l *loginFlow) finish(err error) {
	switch {
	case err == nil:
		l.tell(accepted)
		l.remember()
	case strings.Contains(strings.ToLower(err.Error()), "too many authentication failures"):
		l.tell(rejected)
	default:
		l.tell(unclear)
	}
	if l.attended != nil {
		l.attended()
	}
}

// begin asks the breaker. The hop's clock stands still while another host is trying
// the same credential.
func (l *loginFlow) begin(c credential) error {
	resume := l.leash.hold()
	defer resume()
	report, err := l.fleet.breaker.try(l.leash.ctx, c, l.label())
	if errors.As(err, new(*fault.Error)) {
		return fault.On(err, "", l.to.step())
	}
	if err != nil {
		return gaveUp(l.leash.ctx)
	}
	l.report = lenient(l.leash.ctx, report)
	if !slices.Contains(l.tried, c.name) {
		l.tried = append(l.tried, c.name)
	}
	return nil
}

// label names the server in what the breaker says later.
func (l *loginFlow) label() string { return l.to.who() }

func (e endpoint) who() string {
	if e.bastion != "" {
		return e.bastion
	}
	return e.label
}

// password offers it once a login where the server takes the method of that name.
func (l *loginFlow) password(allowed []string) (ssh.AuthMethod, error) {
	if l.passDone || l.to.login.password.IsZero() || !slices.Contains(allowed, "password") {
		return nil, nil
	}
	l.passDone = true
	value, c, err := l.fleet.password(l.leash, l.to)
	if err == nil {
		err = l.begin(c)
	}
	if err != nil {
		return nil, err
	}
	return ssh.Password(value.Reveal()), nil
}

// maxBanners bounds what a server may say before it lets anyone in. It is thrown away.
const maxBanners = 256 << 10

// banner hangs up on a server that says more. It goes on reading what is there already:
// an error would leave the library's own goroutine behind, which waits for a reader.
func (l *loginFlow) banner(text string) error {
	if l.banners += len(text) + 1; l.banners > maxBanners && l.fault == nil {
		l.hangUp()
		l.fault = &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unreachable, Step: l.to.step(), What: l.to.what("it talks without end before any login"),
			Hint: "something is wrong with this host, or it is not what it seems; try: " + byHand(l.to),
		}
	}
	return nil
}
