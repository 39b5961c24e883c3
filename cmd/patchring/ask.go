package main

import (
	"context"
	"fmt"
	"os"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
	"golang.org/x/term"
)

// askTerminal reads a secret without echo. The label may hold a server's own words,
// so it is cleaned. When the context ends first, the terminal's echo is put back.
func askTerminal(ctx context.Context, label string) (secret.Secret, error) {
	in := int(os.Stdin.Fd())
	before, err := term.GetState(in)
	if err != nil {
		return secret.Secret{}, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "nobody can be asked for " + label, Err: err, Hint: "use env:, file: or exec: in the inventory"}
	}
	_, _ = fmt.Fprintf(os.Stderr, "%s: ", remote.Clean(label, 200))
	type typed struct {
		text []byte
		err  error
	}
	answer := make(chan typed, 1)
	go func() {
		text, err := term.ReadPassword(in)
		answer <- typed{text, err}
	}()
	select {
	case <-ctx.Done():
		_ = term.Restore(in, before)
		return secret.Secret{}, ctx.Err() //nolint:wrapcheck // the user's own Ctrl-C
	case got := <-answer:
		_, _ = fmt.Fprintln(os.Stderr)
		if got.err != nil {
			return secret.Secret{}, fmt.Errorf("read what was typed: %w", got.err)
		}
		return secret.New(string(got.text)), nil
	}
}
