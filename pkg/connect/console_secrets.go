package connect

import (
	"context"
	"errors"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

// givenSecret is a secret that was sent, and whom to tell how that went.
type givenSecret struct {
	value  secret.Secret
	report func(outcome)
}

// report tells the breaker about the secrets of a talk, once.
func (t *talk) report(right, wrong bool) {
	result := unclear
	switch {
	case right:
		result = accepted
	case wrong:
		result = rejected
	}
	for _, given := range t.secrets {
		given.report(result)
	}
}

// wanted is a secret by the name that a table has for it.
type wanted struct {
	kind, label, key string
	ref              secret.Ref
}

func (n *node) endpoint() endpoint {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.to
}

func (l *Lease) wanted(name string) (wanted, error) {
	w := wanted{}
	switch name {
	case remote.SecretPassword:
		w = wanted{"ssh", "SSH password for user " + l.user + " (site " + l.id.Site + ")", "password", l.node.endpoint().login.password}
	case remote.SecretEnable:
		w = wanted{"enable", "enable password (site " + l.id.Site + ")", "enable", l.enable}
	default:
		return w, mistaken(errors.New("no secret is named " + remote.Clean(name, 40)))
	}
	if w.ref.IsZero() {
		return w, privilegeFault("the device asks for the "+w.key+" password, and there is none to give",
			"set credentials: {"+w.key+": …} in the inventory")
	}
	return w, nil
}

// secret gets a value, if the breaker lets it be tried here.
func (c *console) secret(ctx context.Context, name string) (givenSecret, error) {
	l := c.lease
	w, err := l.wanted(name)
	if err != nil {
		return givenSecret{}, err
	}
	cred := passwordCredential(w.kind, w.ref, w.label)
	if err := l.fleet.breaker.check(cred); err != nil {
		return givenSecret{}, err
	}
	value, err := l.fleet.resolve(ctx, w.ref, w.label, fault.Privilege)
	if err != nil {
		return givenSecret{}, fault.On(err, l.id.String(), stepPrivilege)
	}
	report, err := l.fleet.breaker.try(ctx, cred, l.id.String())
	if err != nil {
		return givenSecret{}, err
	}
	return givenSecret{value, report}, nil
}

// raise gets the rights of the dialect's Enable, where they are not there yet. Without
// the secret that it will ask for, nothing is sent.
func (s *shell) raise(ctx context.Context) error {
	s.mu.Lock()
	raised := s.term.Raised()
	s.mu.Unlock()
	if raised {
		return nil
	}
	for _, q := range s.dialect.Plain().Enable.Ask {
		if q.Secret == "" {
			continue
		}
		if _, err := s.console.lease.wanted(q.Secret); err != nil {
			return err
		}
	}
	s.mu.Lock()
	err := s.term.Raise()
	s.mu.Unlock()
	if err != nil {
		return mistaken(err)
	}
	t, err := s.talk(ctx, openWithin)
	r := s.result(t, err)
	s.mu.Lock()
	raised = r.Ending == remote.Done && s.term.Raised()
	s.mu.Unlock()
	t.report(raised, err == nil)
	return s.raiseFault(ctx, raised, r, err)
}

func (s *shell) raiseFault(ctx context.Context, raised bool, r remote.Result, err error) error {
	switch {
	case raised:
		return nil
	case errors.Is(err, errNotSent), errors.As(err, new(*fault.Error)):
		return err
	case ctx.Err() != nil:
		return gaveUp(ctx)
	case err != nil || r.Ending == remote.Lost:
		return s.loginFault(ctx, r, err)
	}
	return privilegeFault("the device did not give the rights that are needed; it said: "+lastLine(r.Out),
		"correct credentials: {enable: …} in the inventory, or give the user these rights at its login")
}
