package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
	"golang.org/x/term"
)

// asker asks a person one question.
type asker func(ctx context.Context, label string, echo bool) (secret.Secret, error)

// known makes what is typed known to the filter before anybody can print it.
func known(filter *secret.Filter, ask asker) asker {
	return func(ctx context.Context, label string, echo bool) (secret.Secret, error) {
		answer, err := ask(ctx, label, echo)
		filter.Add(answer)
		return answer, err
	}
}

// person asks at a terminal, one question at a time. A question whose context ends leaves a
// reader behind that nothing can stop: it reads the answer to the next one. A second beside
// it would get a part of what is typed, and the first the rest.
type person struct {
	keys  keyboard
	say   io.Writer
	voice chan struct{} // of capacity 1
	left  *reading      // behind by a question that was given up
}

// keyboard is a terminal's input.
type keyboard interface {
	// read gives one line; it ends with the line alone.
	read(echo bool) typed
	state() (*term.State, error)
	restore(s *term.State)
}

// reading is one line that is being typed.
type reading struct {
	answer chan typed
	silent *term.State // without echo, as it is read; nil: with
}

func newPerson(keys keyboard, say io.Writer) *person {
	return &person{keys: keys, say: say, voice: make(chan struct{}, 1)}
}

// ask reads an answer, without echo unless that is allowed. The label may hold a server's
// own words, so it is cleaned. When the context ends first, the terminal's echo is put back.
func (p *person) ask(ctx context.Context, label string, echo bool) (secret.Secret, error) {
	select {
	case p.voice <- struct{}{}:
	case <-ctx.Done():
		return secret.Secret{}, ctx.Err() //nolint:wrapcheck // the user's own Ctrl-C
	}
	defer func() { <-p.voice }()
	before, err := p.keys.state()
	if err == nil {
		err = p.ready(echo)
	}
	if err != nil {
		return secret.Secret{}, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "nobody can be asked for " + remote.Clean(label, 200), Err: err, Hint: "use env:, file:, exec: or another reference in the inventory"}
	}
	_, _ = fmt.Fprintf(p.say, "%s: ", remote.Clean(label, 200))
	r := p.start(echo)
	select {
	case <-ctx.Done():
		p.giveUp(r, before, echo)
		return secret.Secret{}, ctx.Err() //nolint:wrapcheck // the user's own Ctrl-C
	case got := <-r.answer:
		if !echo {
			_, _ = fmt.Fprintln(p.say)
		}
		if got.err != nil {
			return secret.Secret{}, fmt.Errorf("read what was typed: %w", got.err)
		}
		return secret.New(string(got.text)), nil
	}
}

// ready drops what was typed for a question that is over.
func (p *person) ready(echo bool) error {
	if p.left == nil {
		return nil
	}
	select {
	case <-p.left.answer:
		p.left = nil
	default:
		if p.left.silent == nil && !echo {
			return errors.New("an earlier question was given up, and its answer would be shown while it is typed: begin again")
		}
	}
	return nil
}

// start begins to read, or takes over a reader that is there.
func (p *person) start(echo bool) *reading {
	if r := p.left; r != nil {
		p.left = nil
		if !echo {
			p.keys.restore(r.silent)
		}
		return r
	}
	r := &reading{answer: make(chan typed, 1)}
	go func() { r.answer <- p.keys.read(echo) }()
	return r
}

func (p *person) giveUp(r *reading, before *term.State, echo bool) {
	if now, err := p.keys.state(); err == nil && !echo {
		r.silent = now
	}
	p.keys.restore(before)
	p.left = r
}

// typed is one line, or why there is none.
type typed struct {
	text []byte
	err  error
}

// console is the terminal that the program was started at.
type console struct{ in *os.File }

func (c console) state() (*term.State, error) { return term.GetState(int(c.in.Fd())) } //nolint:wrapcheck // its caller says of what

func (c console) restore(s *term.State) { _ = term.Restore(int(c.in.Fd()), s) }

func (c console) read(echo bool) typed {
	if echo {
		line, err := bufio.NewReader(c.in).ReadString('\n')
		return typed{[]byte(strings.TrimRight(line, "\r\n")), err}
	}
	text, err := term.ReadPassword(int(c.in.Fd()))
	return typed{text, err}
}
