package connect

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// raise gets the rights of the dialect's Enable, where they are not there yet. Without
// the secret that it will ask for, nothing is sent: devices don't wait long at a password
// prompt, and another host may just be trying that secret.
func (s *shell) raise(ctx context.Context, within time.Duration) error {
	s.mu.Lock()
	raised := s.term.Raised()
	s.mu.Unlock()
	if raised {
		return nil
	}
	ahead, err := s.ahead(ctx, within)
	if err != nil {
		return s.aheadFault(ctx, err)
	}
	s.mu.Lock()
	err = s.term.Raise()
	s.mu.Unlock()
	if err != nil {
		leave(ahead)
		return mistaken(err)
	}
	s.limit = remote.DefaultMaxOut
	t, err := s.talk(ctx, openWithin, ahead...)
	r := s.result(t, err)
	s.mu.Lock()
	raised = r.Ending == remote.Done && s.term.Raised()
	s.mu.Unlock()
	back := err == nil && (r.Ending == remote.Done || r.Ending == remote.Failed) // at its prompt, without the rights
	again := t.refused(err, false)
	t.report(raised, func(g *givenSecret) bool { return back || again(g) })
	return s.raiseFault(ctx, raised, r, err)
}

// ahead gets the secrets that Enable will be answered with.
func (s *shell) ahead(ctx context.Context, within time.Duration) ([]*givenSecret, error) {
	var until time.Time
	if within > 0 {
		until = time.Now().Add(within)
	}
	var got []*givenSecret
	for _, q := range s.dialect.Plain().Enable.Ask {
		if q.Secret == "" || slices.ContainsFunc(got, func(g *givenSecret) bool { return g.name == q.Secret }) {
			continue
		}
		given, err := s.secret(ctx, q.Secret, until)
		if err != nil {
			leave(got)
			return nil, err
		}
		got = append(got, given)
	}
	return got, nil
}

// leave gives back secrets that were not sent.
func leave(got []*givenSecret) {
	for _, g := range got {
		g.report(untried)
	}
}

// aheadFault: nothing was sent.
func (s *shell) aheadFault(ctx context.Context, err error) error {
	switch {
	case errors.As(err, new(*fault.Error)):
		return err
	case ctx.Err() != nil:
		return gaveUp(ctx)
	case errors.Is(err, errEnded):
		s.close()
		return errNotSent
	}
	return &fault.Error{
		Kind: fault.Retry, Code: fault.Unreachable, Step: stepPrivilege, Err: err,
		What: "the password for more rights was not to be had in time: another host is trying it, or nobody typed it",
		Hint: "run the same command again",
	}
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
