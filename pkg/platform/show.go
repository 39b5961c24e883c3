package platform

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// Show prints a step: what will be done on the host and how it will be looked at,
// one line each, always the same for the same step. It is what a person may read
// beforehand, and what a plan's digest covers. Scripts are named by their digest;
// secrets are not shown.
func Show(s Step) []string {
	lines := []string{fmt.Sprintf("%s on %s: %s (deadline %s%s)", s.ID, s.On, s.Title, s.Deadline, traits(s))}
	for _, op := range s.Do {
		lines = append(lines, "do   "+showOperation(op))
	}
	for _, op := range s.Look.Do {
		lines = append(lines, "look "+showOperation(op))
	}
	return lines
}

func traits(s Step) string {
	var text strings.Builder
	for _, t := range []struct {
		holds bool
		name  string
	}{{s.Changes, "changes the host"}, {s.Rest, "may rest after it"}, {s.Look.Reconnects, "reconnects"}, {s.Undo != "", "undone by " + string(s.Undo)},
		{s.Confirm, "waits for the checks"}, {s.Fresh, "each look on a connection of its own"},
		{s.Once, "never begun twice"}} {
		if t.holds {
			text.WriteString(", " + t.name)
		}
	}
	return text.String()
}

func showOperation(op Operation) string {
	var text string
	switch {
	case op.Command != nil:
		text = showCommand(*op.Command)
	case op.Exchange != nil:
		text = showExchange(*op.Exchange)
	case op.Put != nil:
		text = fmt.Sprintf("put %s from %s", remote.Quote([]string{op.Put.Path}), op.Put.Store.Short())
	default:
		text = "nothing"
	}
	if op.Serve != nil {
		text += fmt.Sprintf(" (meanwhile %s is served at {url})", op.Serve.Store.Short())
	}
	if op.Save != "" {
		text += " (kept as " + op.Save + ")"
	}
	if op.MayDrop {
		text += " (the connection may end)"
	}
	return text
}

// widest is how much of one word or line of input is shown.
const widest = 200

func showCommand(c remote.Command) string {
	words := make([]string, 0, len(c.Argv))
	for _, word := range c.Argv {
		words = append(words, showWord(word))
	}
	text := strings.Join(words, " ")
	if c.Become {
		text = "as root: " + text
	}
	return text + showInput(c.Stdin)
}

// showWord names a script by its digest; anything else is shown as typed.
func showWord(word string) string {
	if strings.Contains(word, "\n") || len(word) > widest {
		return "<" + patch.DigestOf([]byte(word)).Short() + ">"
	}
	return remote.Quote([]string{word})
}

// showInput shows what is sent to stdin, unless it is a script.
func showInput(input []byte) string {
	switch {
	case len(input) == 0:
		return ""
	case input[0] == '#':
		return " <" + patch.DigestOf(input).Short() + ">"
	}
	var text strings.Builder
	for line := range strings.Lines(string(input)) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) > widest {
			line = "<" + patch.DigestOf([]byte(line)).Short() + ">"
		}
		text.WriteString(" | " + remote.Clean(line, widest))
	}
	return text.String()
}

func showExchange(e remote.Exchange) string {
	var text strings.Builder
	fmt.Fprintf(&text, "send %q", e.Send)
	for _, q := range e.Questions {
		fmt.Fprintf(&text, ", asked %q answer %s", q.Ask, answered(q))
	}
	for _, p := range e.Done {
		fmt.Fprintf(&text, ", done at %q", p)
	}
	for _, p := range e.Failed {
		fmt.Fprintf(&text, ", failed at %q", p)
	}
	return text.String()
}

// answered never shows a secret, only which one it is.
func answered(q remote.Question) string {
	if q.Secret != "" {
		return "the secret " + q.Secret
	}
	return fmt.Sprintf("%q", q.Answer)
}
