package connect

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// loginFlow decides which credential one login offers next. Each is offered once:
// keys first, then the password by whichever of the two ways the server takes.
type loginFlow struct {
	fleet *Fleet
	to    endpoint
	leash *leash

	offered  bool // a credential was sent, or may have been
	report   func(outcome)
	partials int
	keysDone bool
	passDone bool
	tried    []string // names of credentials, for the fault
	asked    string   // a question that was not answered
	fault    error    // what next gave up with
}

// next is the library's callback before each attempt after "none".
func (l *loginFlow) next(state *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.settle(state)
	if l.fault != nil { // in the middle of a dialogue, whose error the library forgets
		return nil, l.fault
	}
	for _, choose := range []func([]string) (ssh.AuthMethod, error){l.publicKey, l.password} {
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
	if len(state.PartialSuccessMethods) > l.partials {
		result = accepted
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
	case strings.Contains(strings.ToLower(err.Error()), "too many authentication failures"):
		l.tell(rejected)
	default:
		l.tell(unclear)
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
	l.tried = append(l.tried, c.name)
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

func (l *loginFlow) publicKey(allowed []string) (ssh.AuthMethod, error) {
	if l.keysDone || !slices.Contains(allowed, "publickey") {
		return nil, nil
	}
	l.keysDone = true
	offer, err := l.fleet.signers(l.leash, l.to)
	if err != nil {
		return nil, err
	}
	if len(offer.signers) == 0 {
		return nil, nil
	}
	err = l.begin(offer.credential(l.to.user))
	if fault.CodeOf(err) == fault.CredentialBlocked && !l.to.login.password.IsZero() {
		return nil, nil // the password may still be good
	}
	if err != nil {
		return nil, err
	}
	return ssh.PublicKeys(offer.signers...), nil
}

// password offers it once a login, by "password" where the server takes that, else
// by keyboard-interactive: both ways lead to the same account.
func (l *loginFlow) password(allowed []string) (ssh.AuthMethod, error) {
	direct := slices.Contains(allowed, "password")
	if l.passDone || l.to.login.password.IsZero() || (!direct && !slices.Contains(allowed, "keyboard-interactive")) {
		return nil, nil
	}
	l.passDone = true
	value, c, err := l.fleet.password(l.leash, l.to)
	if err != nil {
		return nil, err
	}
	if !direct {
		return ssh.KeyboardInteractive(l.answers(c, value.Reveal)), nil
	}
	if err := l.begin(c); err != nil {
		return nil, err
	}
	return ssh.Password(value.Reveal()), nil
}

// answers gives the password to one question that hides what is typed and asks for a
// password; to anything else it gives nothing. The questions come from the server.
func (l *loginFlow) answers(c credential, reveal func() string) ssh.KeyboardInteractiveChallenge {
	answered := false
	return func(_, _ string, questions []string, echos []bool) ([]string, error) {
		if len(questions) == 0 {
			return nil, nil
		}
		if answered || len(questions) > 1 || echos[0] || !asksPassword(questions[0]) {
			l.asked = remote.Clean(questions[0], 80)
			return nil, errors.New("an unexpected question")
		}
		answered = true
		if err := l.begin(c); err != nil {
			l.fault = err
			return nil, err
		}
		return []string{reveal()}, nil
	}
}

// passwordQuestion is what PAM, OpenSSH and BSD ask: "Password:", "(ann@web) Password: ",
// "Password for ann@web:", "ann's password:". Not "New password:", not one-time codes.
var passwordQuestion = regexp.MustCompile(`(?i)^(\([^()]*\) *)?([\w.@\\+-]+'s +)?password( for [\w.@\\+-]+)? *:? *$`)

func asksPassword(question string) bool {
	if strings.ContainsFunc(strings.TrimRight(question, " \t\r\n"), unicode.IsControl) {
		return false // no honest server decorates its prompt
	}
	return len(question) <= 200 && passwordQuestion.MatchString(remote.Clean(question, 200))
}
