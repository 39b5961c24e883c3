package secret

import (
	"errors"
	"strings"
)

// Ref says where a secret is to be had, never what it is: "env:NAME",
// "file:/path", "exec:argv0 arg …" or "prompt". It may be printed.
type Ref struct{ scheme, target string }

// Schemes lists what ParseRef accepts, for help texts and the JSON Schema.
func Schemes() []string { return []string{"env", "file", "exec", "prompt"} }

// ParseRef reads a reference. Anything without a known scheme is refused: it is
// most likely a literal password, so the text itself is never repeated in the error.
func ParseRef(text string) (Ref, error) {
	if text == "prompt" {
		return Ref{scheme: "prompt"}, nil
	}
	scheme, target, ok := strings.Cut(text, ":")
	if !ok || target == "" {
		return Ref{}, errLiteral()
	}
	for _, known := range Schemes() {
		if scheme == known && scheme != "prompt" {
			return Ref{scheme: scheme, target: target}, nil
		}
	}
	return Ref{}, errLiteral()
}

func errLiteral() error {
	return errors.New("not a secret reference: write env:NAME, file:PATH, exec:COMMAND or prompt, never the secret itself")
}

// Scheme is "env", "file", "exec" or "prompt"; empty for the zero Ref.
func (r Ref) Scheme() string { return r.scheme }

// Target is what stands behind the scheme; empty for prompt.
func (r Ref) Target() string { return r.target }

// IsZero tells whether there is no reference.
func (r Ref) IsZero() bool { return r.scheme == "" }

// String gives the reference as it was written.
func (r Ref) String() string {
	if r.target == "" {
		return r.scheme
	}
	return r.scheme + ":" + r.target
}

// MarshalText makes a Ref readable in JSON output.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
