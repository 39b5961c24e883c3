package connect

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// runner runs commands over a lease.
type runner struct{ lease *Lease }

// Run sends argv as one quoted line, as root where the command says so. See
// remote.Runner for what the error means.
func (r runner) Run(ctx context.Context, c remote.Command) (remote.Result, error) {
	var input []byte
	if c.Secret.Set() {
		input = append(input, c.Secret.Reveal()+"\n"...)
	}
	input = append(input, c.Stdin...)
	limit := c.MaxOut
	if limit <= 0 {
		limit = remote.DefaultMaxOut
	}
	var stdin func() io.Reader
	if len(input) > 0 {
		stdin = func() io.Reader { return bytes.NewReader(input) }
	}
	ctx, cancel := bounded(ctx, c.Effect)
	defer cancel()
	result, err := r.lease.exec(ctx, task{argv: c.Argv, become: c.Become, stdin: stdin, maxOut: limit})
	if err != nil {
		return result, hopeless(err, c.Effect, r.lease.id.String())
	}
	return result, nil
}

// task is a command before it becomes a line. Its input can be opened anew, since a
// command that could not be sent may be sent over another connection.
type task struct {
	argv   []string
	become bool
	stdin  func() io.Reader
	maxOut int64
	to     io.Writer // takes standard output; nil: maxOut bytes of it are kept
}

func (l *Lease) exec(ctx context.Context, t task) (remote.Result, error) {
	result, err := l.execOnce(ctx, t)
	if errors.Is(err, errNotSent) {
		result, err = l.execOnce(ctx, t)
	}
	if errors.Is(err, errNotSent) {
		err = &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Step: "run", Err: err, Hint: "run the same command again"}
	}
	if err != nil {
		return result, fault.On(err, l.id.String(), "run")
	}
	return result, nil
}

func (l *Lease) execOnce(ctx context.Context, t task) (remote.Result, error) {
	o, err := l.order(ctx, t)
	if err != nil {
		return remote.Result{}, err
	}
	c, err := l.conn(ctx)
	if err != nil {
		return remote.Result{}, err
	}
	result, err := c.run(ctx, l.fleet, o)
	if err == nil && o.raise == nil && t.become && needsRoot(l.become, l.user) && result.Ending == remote.Exited {
		err = denied(l.become, l.user, result.Code, result.Err)
	}
	return result, err
}

// order puts the command into words for the host's shell.
func (l *Lease) order(ctx context.Context, t task) (order, error) {
	o := order{line: remote.Quote(t.argv), maxOut: t.maxOut, to: t.to}
	if t.stdin != nil {
		o.stdin = t.stdin()
	}
	if !t.become || !needsRoot(l.become, l.user) {
		return o, nil
	}
	n := newNonces()
	wrapped, marks, err := asRoot(l.become, t.argv, !l.password.IsZero(), n)
	if err != nil {
		return order{}, err
	}
	o.line = remote.Quote(wrapped)
	if marks == nil {
		return o, nil
	}
	o.raise, err = l.elevation(ctx, marks)
	return o, err
}

// elevation prepares the password of sudo or su.
func (l *Lease) elevation(ctx context.Context, marks *stages) (*elevation, error) {
	label := string(l.become) + " password for user " + l.user + " (site " + l.id.Site + ")"
	if l.become == inventory.BecomeSu {
		label = "root password for su (site " + l.id.Site + ")"
	}
	cred := passwordCredential("become", l.password, label)
	if err := l.fleet.breaker.check(cred, l.id.String()); err != nil {
		return nil, fault.On(err, l.id.String(), stepPrivilege)
	}
	value, err := l.fleet.resolve(ctx, l.password, label, fault.Privilege)
	if err != nil {
		return nil, fault.On(err, l.id.String(), stepPrivilege)
	}
	return &elevation{
		breaker: l.fleet.breaker, ctx: ctx, how: l.become, user: l.user, host: l.id.String(),
		password: value, cred: cred, stages: marks, news: make(chan stage, 4),
	}, nil
}
