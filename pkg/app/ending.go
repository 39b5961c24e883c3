package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/report"
)

// Ending is how a use case ended: exit code, why, and what to type next. The zero
// value is done.
type Ending struct {
	report.Ending
	Next string
}

// worst is the ending of several sites: the highest-ranked of the table.
func worst(ends []Ending) Ending {
	var first Ending
	for i, e := range ends {
		if i == 0 || report.Outranks(e.Code, first.Code) {
			first = e
		}
	}
	return first
}

// Explain prints an error for a person, or as JSON where that was asked for: what,
// to whom, at which step, and what to type next. It gives the exit code.
func (e Env) Explain(err error, asJSON bool) int {
	exit := report.ExitOf(err)
	switch {
	case asJSON:
		if err := report.WriteJSON(e.Out, report.NewFailure(err)); err != nil {
			e.say("patchring: %v", err)
		}
	case errors.Is(err, context.Canceled):
		e.say("patchring: %s; the same command carries on", strings.TrimSuffix(err.Error(), ": "+context.Canceled.Error()))
	default:
		e.explain(err)
	}
	return exit.Code
}

func (e Env) explain(err error) {
	if placed, ok := errors.AsType[interface {
		error
		Render() string
	}](err); ok {
		e.say("%s", placed.Render()) // mistakes in YAML carry their own hints
		return
	}
	e.say("patchring: %v", err)
	if hint := fault.HintOf(err); hint != "" {
		e.say("hint: %s", hint)
	}
	if fault.CodeOf(err) == fault.Internal {
		e.say("hint: if this looks like a mistake in patchring, please report it with the command and this text")
	}
}

// Conclude says why a command does not exit with 0, and what to type next. JSON
// documents carry both themselves.
func (e Env) Conclude(end Ending, asJSON bool) {
	if asJSON {
		return
	}
	if end.Code != 0 && end.Why != "" {
		e.say("exit code %d: %s", end.Code, end.Why)
	}
	if end.Next != "" {
		e.say("next: %s", end.Next)
	}
}

func (e Env) say(format string, args ...any) {
	_, _ = fmt.Fprintf(e.Err, format+"\n", args...)
}
