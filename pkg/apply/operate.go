package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// lookWithin bounds one look, so that a host that hangs does not hang the run.
// Looks wait on the host for well under a minute, but for what their exchanges say.
const lookWithin = 3 * time.Minute

// bound is how long operations may take together: a device takes a quarter of an hour to
// compute the digest of an image.
func bound(ops []platform.Operation) time.Duration {
	sum := lookWithin
	for _, op := range ops {
		if op.Exchange != nil {
			sum += op.Exchange.Within
		}
	}
	return sum
}

// look asks the host. Only what is marked as reading gets through.
func (p *performer) look(ctx context.Context) sighting {
	ctx, cancel := context.WithTimeout(ctx, bound(p.step.Look.Do))
	defer cancel()
	if p.step.Fresh {
		p.on.Drop()
	}
	if p.graceful() {
		ctx = connect.Grace(ctx)
	}
	session, release, err := p.on.Session(ctx)
	if err != nil {
		return sighting{err: err}
	}
	defer release()
	session = remote.ReadOnly(session, remote.Reads)
	results := make([]remote.Result, 0, len(p.step.Look.Do))
	for _, op := range p.step.Look.Do {
		r, err := p.operate(ctx, session, op)
		if err != nil {
			return sighting{err: err}
		}
		results = append(results, r)
	}
	return sighting{standing: p.step.Look.Judge(results)}
}

// perform sends the operations in their order, as far as they succeed. What is
// learned is how the sending went; how the step stands, only the next look says.
func (p *performer) perform(ctx context.Context) {
	p.dos++
	p.prompt = false
	if p.onlyLooks() { // not even a connection is needed for that
		p.last = sent
		return
	}
	ctx, cancel := context.WithTimeout(ctx, max(p.step.Deadline, bound(p.step.Do)))
	defer cancel()
	session, release, err := p.on.Session(ctx)
	if err != nil {
		p.last, p.why, p.code = wentWrong(err)
		return
	}
	defer release()
	p.last, p.why, p.code = sent, "", ""
	defer func() { p.prompt = p.last != cut && !drops(p.step.Do) }()
	for _, op := range p.step.Do {
		r, err := p.operate(ctx, session, op)
		p.typed = p.typed || typed(p.step, op, err)
		p.last, p.why, p.code = verdict(op, r, err)
		if p.last == sent && drops([]platform.Operation{op}) {
			p.on.Drop()
		}
		if p.last != sent {
			return
		}
	}
}

// drops tells whether one of them may end the connection, as asked for.
func drops(ops []platform.Operation) bool {
	return slices.ContainsFunc(ops, func(op platform.Operation) bool {
		return op.MayDrop || op.Exchange != nil && op.Exchange.MayDrop
	})
}

// operate does one operation. A connection that was to end is no error.
func (p *performer) operate(ctx context.Context, s remote.Session, op platform.Operation) (remote.Result, error) {
	keep, err := p.keeper(op)
	if err != nil {
		return remote.Result{}, err
	}
	if op.Put != nil && op.Command == nil && op.Exchange == nil {
		err := p.send(ctx, s, *op.Put)
		if op.MayDrop && fault.CodeOf(err) == fault.Lost { // it is the install itself
			err = nil
		}
		return remote.Result{}, err
	}
	var r remote.Result
	switch {
	case op.Command != nil && s.Runner != nil:
		r, err = s.Runner.Run(ctx, *op.Command)
	case op.Exchange != nil && s.Console != nil:
		r, err = p.exchange(ctx, s.Console, op)
	default:
		return remote.Result{}, cant()
	}
	r, err = lost(r, err, drops([]platform.Operation{op}))
	if err == nil && keep != nil && succeeded(op, r) {
		err = save(ctx, keep, op.Save, r)
	}
	return r, err
}

// send puts a file on the host in the way that the step says.
func (p *performer) send(ctx context.Context, s remote.Session, file platform.File) error {
	switch {
	case file.How == "" && s.Files != nil:
		return p.put(ctx, s, file)
	case file.How != "" && s.Pusher != nil:
		return p.push(ctx, s, file)
	}
	return cant()
}

func cant() error {
	return giveUp("this connection can't do what the step asks for (no commands, no console, or no files)")
}

// lost makes an error of a loss that nobody asked for, and none of one that was.
func lost(r remote.Result, err error, mayDrop bool) (remote.Result, error) {
	gone := r.Ending == remote.Lost && (err == nil || fault.CodeOf(err) == fault.Lost)
	switch {
	case gone && mayDrop:
		return r, nil
	case gone && err == nil:
		return r, &fault.Error{Code: fault.Lost, What: "the connection ended"}
	}
	return r, err
}

func giveUp(what string) error {
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, What: what}
}

// verdict says how the sending of one operation went.
func verdict(op platform.Operation, r remote.Result, err error) (outcome, string, fault.Code) {
	switch {
	case err != nil:
		return wentWrong(err)
	case op.Put != nil, r.Ending == remote.Lost: // and operate let it pass: as asked for
		return sent, "", ""
	case succeeded(op, r):
		return sent, "", ""
	case r.Ending == remote.Prompted:
		return prompted, said(r), fault.HostFailed
	}
	return refused, said(r), fault.HostFailed
}

func succeeded(op platform.Operation, r remote.Result) bool {
	if op.Exchange != nil {
		return r.Ending == remote.Done
	}
	return r.Ending == remote.Exited && r.Code == 0
}

// wentWrong: what was kept from being sent for good is refused; of all else nobody
// knows whether the host got it.
func wentWrong(err error) (outcome, string, fault.Code) {
	if final(err) && !errors.Is(err, context.DeadlineExceeded) {
		return refused, explain(err), fault.CodeOf(err)
	}
	return cut, explain(err), fault.CodeOf(err)
}

func explain(err error) string {
	if hint := fault.HintOf(err); hint != "" {
		return clean(err.Error()) + " (" + clean(hint) + ")"
	}
	return clean(err.Error())
}
