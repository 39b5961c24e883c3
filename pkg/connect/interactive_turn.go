package connect

import (
	"context"
	"errors"
)

// turn is a person's attention, of which there is one: a question or a touch at a time,
// over the whole fleet.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) (give func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (t turn) try() (give func(), ok bool) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, true
	default:
		return nil, false
	}
}

// errQueued: the person is busy with another login. This one begins anew when it is its
// turn, since sshd would not wait that long (LoginGraceTime).
var errQueued = errors.New("a person is busy with another login")

// attend takes the person's turn for this login, until its end.
func (l *loginFlow) attend() error {
	if l.attended != nil {
		return nil
	}
	give, ok := l.fleet.turn.try()
	if !ok {
		l.tell(untried)
		l.fault = errQueued
		return errQueued
	}
	l.attended = give
	return nil
}
