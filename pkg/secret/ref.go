package secret

import (
	"errors"
	"slices"
	"strings"
)

// Ref says where a secret is to be had, never what it is: "env:NAME",
// "file:/path", "exec:argv0 arg …" or "prompt". It may be printed.
type Ref struct{ scheme, target string }

// schemes are those that have a target, in the order of help texts; what stands behind each.
func schemes() []scheme {
	return []scheme{
		{"env", "NAME"},
		{"file", "PATH"},
		{"exec", "COMMAND"},
		{"keyring", "SERVICE/ACCOUNT"},
		{"age", "PATH"},
		{"sops", "PATH#KEY"},
		{"ansible-vault", "PATH"},
	}
}

type scheme struct{ name, target string }

const prompt = "prompt"

// Schemes lists what ParseRef accepts, for help texts and the JSON Schema.
func Schemes() []string {
	names := make([]string, 0, len(schemes())+1)
	for _, s := range schemes() {
		names = append(names, s.name)
	}
	return append(names, prompt)
}

// Forms says in one line what a reference looks like: "env:NAME, file:PATH, … or prompt".
func Forms() string {
	var forms []string
	for _, s := range schemes() {
		forms = append(forms, s.name+":"+s.target)
	}
	return strings.Join(forms, ", ") + " or " + prompt
}

// Pattern is a regular expression for what ParseRef accepts, for a JSON Schema.
func Pattern() string {
	names := Schemes()
	return "^(" + prompt + "|(" + strings.Join(names[:len(names)-1], "|") + "):.+)$"
}

// ParseRef reads a reference. Anything without a known scheme is refused: it is
// most likely a literal password, so the text itself is never repeated in the error.
func ParseRef(text string) (Ref, error) {
	if text == prompt {
		return Ref{scheme: prompt}, nil
	}
	scheme, target, ok := strings.Cut(text, ":")
	if !ok || target == "" || scheme == prompt || !slices.Contains(Schemes(), scheme) {
		return Ref{}, errors.New("not a secret reference: write " + Forms() + ", never the secret itself")
	}
	return Ref{scheme: scheme, target: target}, nil
}

// Scheme is one of Schemes; empty for the zero Ref.
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
