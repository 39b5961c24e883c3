package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

const (
	loginWithin = 3 * time.Minute  // from the shell to the first prompt
	openWithin  = time.Minute      // for each of the dialect's Open commands, and for Enable
	writeWithin = 10 * time.Second // a device that does not take a line by then is dead
	maxGreeting = 8 << 10
)

// Why a talk was broken off.
var (
	errEnded = errors.New("the session ended")
	errLate  = errors.New("it did not end in time")
)

// talk is one exchange under way.
type talk struct {
	*shell
	within <-chan time.Time // nil: no bound
	until  time.Time        // the same, for what waits elsewhere; zero: no bound
	sent   bool
	ahead  []*givenSecret // got, and not asked for yet
	given  []*givenSecret // sent
	latest *givenSecret   // what was sent last; nil: no secret
	again  string         // the secret that was asked for once more
}

// talk carries on until the terminal says that the exchange is over. The error is why it
// was broken off before: errNotSent, errEnded, errLate, a fault about a secret, or the cause
// of ctx.
func (s *shell) talk(ctx context.Context, within time.Duration, ahead ...*givenSecret) (*talk, error) {
	t := &talk{shell: s, ahead: ahead}
	if within > 0 {
		timer := time.NewTimer(within)
		defer timer.Stop()
		t.within, t.until = timer.C, time.Now().Add(within)
	}
	err := t.loop(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.again = t.term.Refused()
	return t, err
}

func (t *talk) loop(ctx context.Context) error {
	pause := time.NewTimer(time.Hour)
	defer pause.Stop()
	for {
		t.mu.Lock()
		e, fed := t.term.Next(), t.fed
		t.mu.Unlock()
		var err error
		switch e.Act {
		case terminal.End:
			return nil
		case terminal.Send:
			t.latest = nil
			err = t.send(ctx, []byte(e.Text))
		case terminal.Fetch:
			err = t.fetch(ctx, e.Secret, fed)
		case terminal.Wait:
			pause.Reset(e.For)
			err = t.wait(ctx, pause.C, e.For, fed)
		}
		if err != nil {
			return err
		}
	}
}

// wait ends when something came, or nothing did for so long.
func (t *talk) wait(ctx context.Context, pause <-chan time.Time, d time.Duration, fed uint64) error {
	select {
	case <-t.news:
	case <-pause:
		t.mu.Lock()
		if t.fed == fed {
			t.term.Silent(d)
		}
		t.mu.Unlock()
	case <-t.done:
		return errEnded
	case <-t.within:
		return errLate
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// send writes a line or an answer. The very first thing that can't be written was not
// sent.
func (t *talk) send(ctx context.Context, text []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stuck := time.AfterFunc(writeWithin, t.conn.close)
	defer stuck.Stop()
	stop := context.AfterFunc(ctx, t.close)
	defer stop()
	n, err := t.ch.Write(text)
	if err != nil && n == 0 && !t.sent {
		return errNotSent
	}
	t.sent = true
	if err != nil && !errors.Is(err, io.EOF) {
		return errEnded
	}
	return nil
}

// login waits for the first prompt, then sends what the dialect opens with.
func (s *shell) login(ctx context.Context) error {
	t, err := s.talk(ctx, loginWithin)
	r := s.result(t, err)
	t.report(r.Ending == remote.Done, t.refused(err, false))
	if err != nil || r.Ending != remote.Done {
		return s.loginFault(ctx, r, err)
	}
	s.greeting = bytes.Clone(r.Out[max(0, len(r.Out)-maxGreeting):])
	for _, line := range s.dialect.Plain().Open {
		if err := s.aside(ctx, remote.Exchange{Send: line, Effect: remote.Reads}); err != nil {
			return err
		}
	}
	return nil
}

// aside is an exchange of the console's own. It may be refused, but must end at a prompt.
func (s *shell) aside(ctx context.Context, e remote.Exchange) error {
	s.mu.Lock()
	err := s.term.Begin(e)
	s.mu.Unlock()
	if err != nil {
		return mistaken(err)
	}
	t, err := s.talk(ctx, openWithin)
	r := s.result(t, err)
	if err != nil || (r.Ending != remote.Done && r.Ending != remote.Failed) || !s.alive() {
		return s.loginFault(ctx, r, err)
	}
	return nil
}

// result closes the talk: what was given in secret is taken out of the output, and a
// device that is not at its prompt gets no more lines.
func (s *shell) result(t *talk, why error) remote.Result {
	s.mu.Lock()
	if why != nil {
		s.term.Close()
	}
	r := s.term.Result()
	ready := why == nil && s.term.Ready()
	if ready {
		s.term.Rest()
	}
	s.mu.Unlock()
	if !ready {
		s.close()
	}
	for _, given := range t.given {
		r.Out = masked(r.Out, given.value.Reveal())
	}
	return s.console.redact(r, s.limit)
}

// loginFault is why there is no prompt to send a line at. Nothing of the exchange was
// sent yet.
func (s *shell) loginFault(ctx context.Context, r remote.Result, err error) error {
	last := lastLine(r.Out)
	f := &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Step: "login"}
	switch {
	case errors.As(err, new(*fault.Error)):
		return err
	case ctx.Err() != nil:
		return gaveUp(ctx)
	case err != nil || r.Ending == remote.Lost:
		f.What = "the device ended the session, or printed no prompt; its last line: " + last
		f.Hint = "a device that is still booting does that; try it by hand: " + byHand(s.console.lease.node.endpoint())
	case r.Ending == remote.Stopped:
		f.Kind, f.Code = fault.Ask, fault.HostFailed
		f.What, f.Hint = "the device shows "+last, "a person must look at its console; nothing was sent"
	default:
		f.Kind, f.Code = fault.GiveUp, fault.Auth
		f.What = fmt.Sprintf("before its prompt the device asks %q, which was not answered", last)
		f.Hint = "log in by hand and see what it wants, or set credentials: {password: …} in the inventory"
	}
	return f
}

// lastLine is the last thing that was printed, cleaned.
func lastLine(out []byte) string {
	lines := remote.CleanLines(string(out[max(0, len(out)-4*peerText):]), 1, peerText)
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// exchange sends the line and waits for its end.
func (s *shell) exchange(ctx context.Context, e remote.Exchange) (remote.Result, error) {
	s.mu.Lock()
	err := s.term.Begin(e)
	s.mu.Unlock()
	if err != nil {
		return remote.Result{}, mistaken(err)
	}
	s.limit = int(limitOf(e))
	t, err := s.talk(ctx, e.Within)
	r := s.result(t, err)
	t.report(r.Ending == remote.Done, t.refused(err, e.MayDrop))
	switch {
	case errors.Is(err, errNotSent):
		return remote.Result{}, err
	case errors.As(err, new(*fault.Error)): // a secret that could not be had
		r.Ending = remote.Asked
		return r, err
	case !t.sent:
		return remote.Result{}, gaveUp(ctx)
	case r.Ending != remote.Lost, e.MayDrop && ctx.Err() == nil:
		return r, nil
	}
	return r, s.lostFault(e, err)
}

// lostFault: nobody knows how it ended.
func (s *shell) lostFault(e remote.Exchange, why error) error {
	what := "the line was sent, but how it ended is unknown"
	if why == nil {
		why = errors.New("the device printed nothing more")
	}
	if errors.Is(why, errLate) {
		why = fmt.Errorf("it did not end within %s", e.Within)
	}
	return &fault.Error{
		Kind: fault.Unknown, Code: fault.Lost, Step: stepConsole, What: what, Err: why,
		Hint: "it may still go on there; run the same command again: patchring looks before it does anything",
	}
}
