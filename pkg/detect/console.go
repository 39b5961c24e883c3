package detect

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

// How long one answer may take, and how long it may be: some devices think for a minute
// about their inventory.
const (
	within  = 2 * time.Minute
	maxOut  = 2 << 20
	maxAsks = 3 // questions to a host that nobody knows: each unknown one is an error in its log
)

// How long nothing may come: before the first prompt, where a whole fleet must not wait for
// hosts that never show one, and before the rest of an answer at least.
const (
	opening  = 30 * time.Second
	thinking = 30 * time.Second
)

// identify opens a console, asks what the library says, and reads the device that this
// comes to.
func (l *look) identify(ctx context.Context) (answer, error) {
	begun := time.Now()
	sight, err := l.open(ctx, terminal.Generic())
	if err != nil {
		return l.missed(ctx, silent(err, time.Since(begun)))
	}
	c := l.Library.Begin(sight)
	for range maxAsks {
		cmd, more := c.Next()
		if !more {
			break
		}
		out, err := l.say(ctx, terminal.Generic(), cmd)
		if err != nil {
			return l.missed(ctx, err)
		}
		c.Observe(cmd, out)
	}
	v := c.Verdict()
	p, ok := l.Library.Find(v.Platform)
	if !ok {
		l.seen = append(l.seen, v.Why)
		return answer{}, nil
	}
	return l.device(ctx, p, sight.Prompt)
}

// silent makes a reason of a fault that another try does not change: a connection that is
// there, and a shell that shows no prompt for as long as it is waited for.
func silent(err error, took time.Duration) error {
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.Unreachable || took < terminal.Generic().Quiet {
		return err
	}
	return fmt.Errorf("nobody knows this prompt, or there is none: %s", remote.Clean(err.Error(), 300))
}

// verify opens the console of the platform that the query names. Only what its probes
// show counts: an inventory may be wrong, and an address may have gone to another device.
func (l *look) verify(ctx context.Context, p *device.Platform) (answer, error) {
	sight, err := l.open(ctx, p.Dialect())
	if err != nil {
		return l.notNamed(ctx, err)
	}
	sight.Shell = p.Definition.Match.Shell
	c := l.Library.Begin(sight)
	probes := p.ProbesAt(sight.Prompt)
	for _, probe := range probes[:min(maxAsks, len(probes))] {
		out, err := l.say(ctx, p.Dialect(), probe.Cmd)
		if err != nil {
			return l.notNamed(ctx, err)
		}
		if c.Observe(probe.Cmd, out); c.Verdict().Platform == p.Name() {
			return l.device(ctx, p, sight.Prompt)
		}
	}
	return l.notNamed(ctx, fmt.Errorf("it is not %s: %s", p.Name(), c.Verdict().Why))
}

// notNamed leaves the rest to the other ways, on this connection or the next.
func (l *look) notNamed(ctx context.Context, err error) (answer, error) {
	l.renamed = true
	return l.missed(ctx, err)
}

// missed notes why nothing was recognised. A connection that is gone is an error.
func (l *look) missed(ctx context.Context, err error) (answer, error) {
	if _, ok := errors.AsType[*fault.Error](err); ok || ctx.Err() != nil {
		return answer{}, err
	}
	l.seen = append(l.seen, err.Error())
	return answer{}, nil
}

// device asks for the facts of a platform, and reads them. What waits for an answer that
// must not be given ends the asking; the facts say so.
func (l *look) device(ctx context.Context, p *device.Platform, prompt string) (answer, error) {
	outputs, asks := map[string][]byte{}, &asking{look: l, dialect: p.Dialect()}
	for _, cmd := range p.Commands() {
		r, err := asks.fact(ctx, cmd)
		if err != nil {
			return answer{}, err
		}
		if r.Ending == remote.Asked || r.Ending == remote.Stopped {
			asks.problems = append(asks.problems, fact.Problem{What: "output", Detail: cmd + ": " + halted(r).Error()})
			break
		}
		if r.Ending == remote.Done && !r.Truncated {
			outputs[cmd] = r.Out
		}
	}
	a := l.read(p, outputs)
	a.facts.Problems = append(a.facts.Problems, asks.problems...)
	if host := p.HostAt(prompt); a.facts.Hostname == "" && host != "" { // it tells its name nowhere else
		a.facts.Hostname = host
		a.facts.Problems = slices.DeleteFunc(a.facts.Problems, func(p fact.Problem) bool { return p.What == "hostname" })
	}
	return a, nil
}

// asking is the reading of one device.
type asking struct {
	*look
	dialect  *remote.Dialect
	denied   bool // the higher rights are not to be had
	problems []fact.Problem
}

// fact asks one command: without higher rights, and with them where the device refuses it
// so. They are no change, and often needed to read; without them what can be read is read.
func (a *asking) fact(ctx context.Context, cmd string) (remote.Result, error) {
	r, err := a.exchange(ctx, a.dialect, cmd)
	if err != nil || r.Ending != remote.Failed || a.dialect.Enable == nil || a.denied {
		return r, err
	}
	raised, err := a.send(ctx, remote.Exchange{Dialect: a.dialect, Send: cmd, Enable: true})
	if err == nil || passing(err) || ctx.Err() != nil {
		return raised, err
	}
	a.denied = true
	a.problems = append(a.problems, fact.Problem{What: "privilege", Detail: cmd + " needs higher rights: " + remote.Clean(err.Error(), 200)})
	return r, nil
}

// read makes facts of outputs. What contradicts the verdict is not recognised.
func (l *look) read(p *device.Platform, outputs map[string][]byte) answer {
	facts, err := p.Read(outputs, l.now)
	if err != nil {
		l.seen = append(l.seen, remote.Clean(err.Error(), 300))
		return answer{}
	}
	if why := p.Definition.Why; len(p.Definition.Upgrade) == 0 && why != "" {
		facts.Problems = append(facts.Problems, fact.Problem{What: "updates", Detail: why})
	}
	return answer{facts, true}
}

// open is what is seen before the first command.
func (l *look) open(ctx context.Context, d *remote.Dialect) (device.Sight, error) {
	out, err := l.say(ctx, d, "")
	if err != nil {
		return device.Sight{}, err
	}
	out = bytes.TrimRight(out, "\r\n")
	at := bytes.LastIndexByte(out, '\n') + 1
	return device.Sight{Ident: l.ident, Banner: string(out[:at]), Prompt: string(out[at:])}, nil
}

// say sends one line and gives what came of it, an error message of the device included.
func (l *look) say(ctx context.Context, d *remote.Dialect, line string) ([]byte, error) {
	r, err := l.exchange(ctx, d, line)
	if err != nil {
		return nil, err
	}
	if slices.Contains([]remote.Ending{remote.Asked, remote.Stopped}, r.Ending) {
		return nil, halted(r)
	}
	return r.Out, nil
}

func (l *look) exchange(ctx context.Context, d *remote.Dialect, line string) (remote.Result, error) {
	return l.send(ctx, remote.Exchange{Dialect: d, Send: line})
}

// send is the only place that talks to a console: bounded, and marked as reading.
func (l *look) send(ctx context.Context, e remote.Exchange) (remote.Result, error) {
	e.Effect, e.Within, e.MaxOut = remote.Reads, within, maxOut
	quiet := cmp.Or(e.Dialect.Quiet, terminal.DefaultQuiet)
	e.Quiet = max(quiet, thinking)
	if e.Send == "" { // only opens the console
		e.Quiet = min(quiet, opening)
	}
	r, err := l.session.Console.Exchange(ctx, e)
	if err == nil && r.Ending == remote.Lost {
		err = lost()
	}
	return r, err //nolint:wrapcheck // the session's own fault
}

// halted is a device that waits for something that must not be given to it.
func halted(r remote.Result) error {
	tail := r.Out[max(0, len(r.Out)-200):]
	return fmt.Errorf("it asks, and nothing was answered: %q", remote.Clean(string(bytes.TrimSpace(tail)), 200))
}
