package view

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestCounterOnATerminal(t *testing.T) {
	var out bytes.Buffer
	c := NewCounter(&out, "detecting", 3, func() int { return 30 })
	c.Done(true)
	c.Done(false)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	want := "\rdetecting 3 hosts: 0 done\x1b[K\rdetecting 3 hosts: 1 done\x1b[K\rdetecting 3 hosts: 2 done, 1…\x1b[K\r\x1b[K"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestCounterInAPipe(t *testing.T) {
	var out bytes.Buffer
	c := NewCounter(&out, "detecting\x1b[2J", 1, nil)
	c.Done(true)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != `detecting\x1b[2J 1 host: 1 done`+"\n" || strings.Contains(got, "\x1b") {
		t.Errorf("got %q", got)
	}
}

func TestScreenOf(t *testing.T) {
	cases := []struct{ term, noColor string }{{"xterm", ""}, {"dumb", ""}, {"xterm", "1"}}
	for _, c := range cases {
		s := ScreenOf(nullFile(t), func(name string) string {
			return map[string]string{"TERM": c.term, "NO_COLOR": c.noColor}[name]
		})
		if s.Terminal || s.Colour {
			t.Errorf("%+v: a file is no terminal", c)
		}
		if w, h := s.Size(); w != 0 || h != 0 {
			t.Errorf("%+v: a file has a size of %d by %d", c, w, h)
		}
	}
}

func nullFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
