package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// lookWithin bounds one look, so that a host that hangs does not hang the run.
// Looks wait on the host for well under a minute.
const lookWithin = 3 * time.Minute

// look asks the host. Only what is marked as reading gets through.
func (p *performer) look(ctx context.Context) sighting {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
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
	ctx, cancel := context.WithTimeout(ctx, max(p.step.Deadline, lookWithin))
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
	switch {
	case op.Command != nil && s.Runner != nil:
		r, err := s.Runner.Run(ctx, *op.Command)
		return lost(r, err, drops([]platform.Operation{op}))
	case op.Exchange != nil && s.Console != nil:
		r, err := s.Console.Exchange(ctx, *op.Exchange)
		return lost(r, err, drops([]platform.Operation{op}))
	case op.Put != nil && s.Files != nil:
		return remote.Result{}, p.put(ctx, s, *op.Put)
	}
	return remote.Result{}, giveUp("this connection can't do what the step asks for (no commands, no console, or no files)")
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
	case op.Exchange != nil && r.Ending == remote.Done:
		return sent, "", ""
	case op.Command != nil && r.Ending == remote.Exited && r.Code == 0:
		return sent, "", ""
	}
	return refused, said(r), fault.HostFailed
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
