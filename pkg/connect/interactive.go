package connect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

// Of one dialogue by keyboard-interactive (RFC 4256), whose every word is the server's.
const (
	maxRounds    = 3    // with questions: a password, a code, and one more
	maxIdle      = 8    // without any
	maxQuestions = 4    // in a round
	maxQuestion  = 4096 // bytes of a longer one nobody looks at
	maxShown     = 110  // bytes of it that a person sees
)

// interactive answers the server's questions: the password from the inventory, all else by
// a person. Without a password it is tried only where no key was refused, since most
// servers then ask for the password of an account that has none.
func (l *loginFlow) interactive(allowed []string) (ssh.AuthMethod, error) {
	if l.talked || !slices.Contains(allowed, "keyboard-interactive") {
		return nil, nil
	}
	d := &dialogue{login: l}
	if !l.passDone && !l.to.login.password.IsZero() {
		l.passDone = true
		value, c, err := l.fleet.password(l.leash, l.to)
		if err != nil {
			return nil, err
		}
		d.password, d.cred = value, c
	} else if l.partials == 0 && len(l.tried) > 0 {
		return nil, nil
	}
	l.talked = true
	return ssh.KeyboardInteractive(d.round), nil
}

// dialogue is one run of keyboard-interactive.
type dialogue struct {
	login    *loginFlow
	password secret.Secret // not set: there is none, or it was given elsewhere
	cred     credential
	given    bool
	rounds   int
	idle     int
}

// round answers all questions of a round, or none. A person comes before the password: so
// nothing was sent where they say no.
func (d *dialogue) round(_, instruction string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 {
		if d.idle++; d.idle > maxIdle {
			return nil, d.refuse("endless rounds without a question")
		}
		return nil, nil
	}
	d.rounds++
	replies, bad := d.judge(questions, echos)
	if bad != "" {
		return nil, d.refuse(bad)
	}
	answers := make([]string, len(questions))
	for i, r := range replies {
		if r != byPerson {
			continue
		}
		answer, err := d.ask(instruction, questions[i], echos[i])
		if err != nil {
			return nil, err
		}
		answers[i] = answer.Reveal()
	}
	if i := slices.Index(replies, byInventory); i >= 0 {
		if err := d.login.begin(d.cred); err != nil {
			d.login.fault = err
			return nil, err
		}
		d.given, answers[i] = true, d.password.Reveal()
	}
	return answers, nil
}

// reply is who answers a question. The zero value is nobody.
type reply uint8

const (
	byNobody reply = iota
	byInventory
	byPerson
)

// judge says who answers each question; bad is one that nobody may answer. The password is
// given once, in one place, and never where it would be shown.
func (d *dialogue) judge(questions []string, echos []bool) (replies []reply, bad string) {
	if d.rounds > maxRounds || len(questions) > maxQuestions || len(echos) != len(questions) {
		return nil, questions[0]
	}
	given := d.given || !d.password.Set()
	for i, q := range questions {
		r := answerer(q, echos[i])
		if r == byNobody || (r == byInventory && given) {
			return nil, q
		}
		given = given || r == byInventory
		replies = append(replies, r)
	}
	return replies, ""
}

// answerer tells who may answer a question.
func answerer(question string, echo bool) reply {
	switch {
	case len(question) > maxQuestion || changesPassword.MatchString(question):
		return byNobody
	case !asksPassword(question):
		return byPerson
	case echo:
		return byNobody
	}
	return byInventory
}

// changesPassword: an account whose password ran out. Nobody wants a new one set unseen.
var changesPassword = regexp.MustCompile(`(?i)\b(new|old|current|retype|re-enter|repeat)\b.{0,30}\b(password|passphrase)`)

// passwordQuestion is what PAM, OpenSSH and BSD ask: "Password:", "(ann@web) Password: ",
// "Password for ann@web:", "ann's password:". Not "New password:", not one-time codes.
var passwordQuestion = regexp.MustCompile(`(?i)^(\([^()]*\) *)?([\w.@\\+-]+'s +)?password( for [\w.@\\+-]+)? *:? *$`)

func asksPassword(question string) bool {
	if strings.ContainsFunc(strings.TrimRight(question, " \t\r\n"), unicode.IsControl) {
		return false // no honest server decorates its prompt
	}
	return len(question) <= 200 && passwordQuestion.MatchString(remote.Clean(question, 200))
}

// ask gets one answer from a person. It is used for this login alone, and never kept.
func (d *dialogue) ask(instruction, question string, echo bool) (secret.Secret, error) {
	l := d.login
	answer, err := l.ask(instruction, question, echo)
	switch {
	case errors.Is(err, errQueued):
	case err != nil:
		l.asked = l.peer(question, 80)
		l.fault = err
	default:
		l.gave = append(l.gave, answer)
	}
	return answer, err
}

func (l *loginFlow) ask(instruction, question string, echo bool) (secret.Secret, error) {
	if l.fleet.breaker.isStranger(l.label()) {
		return secret.Secret{}, fault.On(strangerFault(l.label()), "", l.to.step())
	}
	label := questionLabel(l.label(), l.untold(instruction), l.untold(question))
	if l.fleet.opts.Ask == nil {
		return secret.Secret{}, l.nobody(label)
	}
	if err := l.attend(); err != nil {
		return secret.Secret{}, err
	}
	resume := l.leash.hold()
	defer resume()
	ctx, cancel := context.WithTimeoutCause(l.leash.ctx, l.fleet.opts.Patience, errUntouched)
	defer cancel()
	answer, err := l.fleet.opts.Ask(ctx, label, echo)
	if l.leash.ctx.Err() != nil {
		return secret.Secret{}, gaveUp(l.leash.ctx)
	}
	if err != nil || ctx.Err() != nil {
		return secret.Secret{}, l.unanswered(label)
	}
	return answer, nil
}

// questionLabel puts a server's words behind ours, in quotes that they can't end: no server
// may pass for patchring, or for another host.
func questionLabel(who, instruction, question string) string {
	quote := func(text string) string {
		flat := strings.Join(strings.Fields(text), " ")
		return strings.ReplaceAll(remote.Clean(flat, maxShown), `"`, `'`)
	}
	shown := quote(instruction)
	if shown = strings.TrimSpace(shown + " " + quote(question)); len(shown) > maxShown {
		shown = quote(question) // what is asked counts; what led to it may be left out
	}
	return remote.Clean(who, 64) + ` asks: "` + shown + `"`
}

// refuse ends the dialogue at a question that is not answered.
func (d *dialogue) refuse(question string) error {
	l := d.login
	l.tell(rejected)
	l.asked = l.peer(question, 80)
	if asksPassword(question) && l.to.login.password.IsZero() && l.to.bastion == "" {
		l.notes = append(l.notes, "it wants a password, and the inventory names none (credentials: {password: prompt})")
	}
	return errors.New("an unexpected question")
}

func (l *loginFlow) nobody(label string) error {
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Auth, Step: l.to.step(), What: l.to.what("login as " + l.to.user + ": " + label + ", and nobody can be asked"),
		Hint: "run it on a terminal, or log in once with ssh and let patchring use that connection (control_master in the inventory); try: " + byHand(l.to),
	}
}

func (l *loginFlow) unanswered(label string) error {
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Auth, Step: l.to.step(), What: l.to.what(fmt.Sprintf("login as %s: %s, and nobody answered", l.to.user, label)),
		Hint: "run the same command again and answer within " + l.fleet.opts.Patience.String(),
	}
}
