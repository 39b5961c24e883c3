package posix

import (
	"bytes"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// TestReturnsAreSpelledOut: what runs is what real shells make of it.
func TestReturnsAreSpelledOut(t *testing.T) {
	file, err := parse(Script{Name: "x", Source: []byte("f() { false || return; }\ng() { f || return; echo no; }\ng || exit\nexit 3\n")})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := syntax.NewPrinter().Print(&out, file); err != nil {
		t.Fatal(err)
	}
	want := "f() { false || return $?; }\ng() {\n\tf || return $?\n\techo no\n}\ng || exit $?\nexit 3\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
