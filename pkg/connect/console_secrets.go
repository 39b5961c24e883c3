package connect

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/terminal"
)

// givenSecret is a secret that may be sent, and whom to tell how that went.
type givenSecret struct {
	name   string
	value  secret.Secret
	at     time.Time // when it was sent
	report func(outcome)
}

// refusesWithin is how soon a device hangs up that took a secret for a wrong one.
const refusesWithin = 10 * time.Second

// refused tells which secret was plainly refused: asked for once more, or the last thing
// that the device wanted to hear. All else that went wrong may have other reasons.
func (t *talk) refused(why error, mayDrop bool) func(*givenSecret) bool {
	hungUp := errors.Is(why, errEnded) && !mayDrop
	return func(g *givenSecret) bool {
		return g.name == t.again || hungUp && g == t.latest && time.Since(g.at) <= refusesWithin
	}
}

// report tells the breaker about the secrets of a talk, each once.
func (t *talk) report(right bool, refused func(*givenSecret) bool) {
	for _, g := range t.given {
		switch {
		case right:
			g.report(accepted)
		case refused(g):
			g.report(rejected)
		default:
			g.report(untried)
		}
	}
	for _, g := range t.ahead {
		g.report(untried)
	}
	t.given, t.ahead = nil, nil
}

// fetch gets the secret that the device asks for. That may take long: it is sent only where
// nothing came meanwhile, so that the same question still stands there.
func (t *talk) fetch(ctx context.Context, name string, fed uint64) error {
	if slices.ContainsFunc(t.given, func(g *givenSecret) bool { return g.name == name }) {
		t.report(false, func(g *givenSecret) bool { return g.name == name })
		return privilegeFault("the device refused the "+name+" password: it asks for it once more", "correct credentials: {"+name+": …} in the inventory")
	}
	given, err := t.take(ctx, name)
	if err != nil {
		return err
	}
	t.mu.Lock()
	e := terminal.Event{}
	if t.fed == fed && !t.shut {
		e = t.term.Fetched(name)
	}
	t.mu.Unlock()
	if e.Act != terminal.Send || e.Secret != name {
		given.report(untried)
		return nil
	}
	given.at = time.Now()
	t.given, t.latest = append(t.given, given), given
	return t.send(ctx, append([]byte(given.value.Reveal()), e.Text...))
}

// take gives the secret that was got ahead, or gets it as long as the talk may last.
func (t *talk) take(ctx context.Context, name string) (*givenSecret, error) {
	for i, g := range t.ahead {
		if g.name == name {
			t.ahead = slices.Delete(t.ahead, i, i+1)
			return g, nil
		}
	}
	return t.secret(ctx, name, t.until)
}

// secret waits for a secret no longer than the session lasts. The error may be errEnded or
// errLate.
func (s *shell) secret(ctx context.Context, name string, until time.Time) (*givenSecret, error) {
	if !until.IsZero() {
		var late context.CancelFunc
		ctx, late = context.WithDeadlineCause(ctx, until, errLate)
		defer late()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-s.done:
			cancel(errEnded)
		case <-ctx.Done():
		}
	}()
	given, err := s.console.secret(ctx, name)
	if ctx.Err() == nil {
		return given, err
	}
	if err == nil {
		given.report(untried)
	}
	return nil, context.Cause(ctx)
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
func (c *console) secret(ctx context.Context, name string) (*givenSecret, error) {
	l := c.lease
	w, err := l.wanted(name)
	if err != nil {
		return nil, err
	}
	cred := passwordCredential(w.kind, w.ref, w.label)
	if err := l.fleet.breaker.check(cred, l.id.String()); err != nil {
		return nil, err
	}
	value, err := l.fleet.resolve(ctx, w.ref, w.label, fault.Privilege)
	if err != nil {
		return nil, fault.On(err, l.id.String(), stepPrivilege)
	}
	report, err := l.fleet.breaker.try(ctx, cred, l.id.String())
	if err != nil {
		return nil, err
	}
	return &givenSecret{name: name, value: value, report: lenient(ctx, report)}, nil
}
