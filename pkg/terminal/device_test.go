package terminal_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

// device is the other end of a terminal, and its clock.
type device struct {
	t       testing.TB
	term    *terminal.Terminal
	split   func(string) []string
	replies func(sent string) string // what it prints for what was sent
	pending []string
	sent    []string // what was sent to it, secrets as <name>
	passed  time.Duration
}

func newDevice(t testing.TB, d *remote.Dialect, split func(string) []string) *device {
	t.Helper()
	c, err := terminal.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	return &device{t: t, term: terminal.New(c), split: split, replies: func(string) string { return "" }}
}

func (d *device) print(text string) { d.pending = append(d.pending, d.split(text)...) }

func (d *device) login() remote.Result {
	d.term.Login(0)
	return d.carryOn()
}

func (d *device) exchange(e remote.Exchange) remote.Result {
	d.t.Helper()
	if err := d.term.Begin(e); err != nil {
		d.t.Fatal(err)
	}
	return d.carryOn()
}

func (d *device) carryOn() remote.Result {
	d.t.Helper()
	for range 1 << 22 {
		e := d.term.Next()
		if e.Act == terminal.End {
			r := d.term.Result()
			d.term.Rest()
			return r
		}
		d.turn(e)
	}
	d.t.Fatal("it never ends")
	return remote.Result{}
}

// turn does what the terminal wants, and prints the next piece where it waits.
func (d *device) turn(e terminal.Event) {
	if e.Act == terminal.Fetch {
		e = d.term.Fetched(e.Secret)
	}
	switch {
	case e.Act == terminal.Send:
		text := e.Text
		if e.Secret != "" {
			text = "<" + e.Secret + ">" + text
		}
		d.sent = append(d.sent, text)
		d.print(d.replies(text))
	case len(d.pending) > 0:
		d.term.Feed([]byte(d.pending[0]))
		d.pending = d.pending[1:]
	default:
		d.passed += e.For
		d.term.Silent(e.For)
	}
}

func inOne(text string) []string { return []string{text} }

func everyByte(text string) []string {
	out := make([]string, 0, len(text))
	for i := range len(text) {
		out = append(out, text[i:i+1])
	}
	return out
}

func atRandom(r *rand.Rand) func(string) []string {
	return func(text string) []string {
		var out []string
		for text != "" {
			n := 1 + r.IntN(min(len(text), 40))
			out = append(out, text[:n])
			text = text[n:]
		}
		return out
	}
}

// same checks that two replays gave the same.
func same(t *testing.T, name string, want, got []remote.Result) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: %d results, not %d", name, len(got), len(want))
		return
	}
	for i := range want {
		if want[i].Ending != got[i].Ending || !bytes.Equal(want[i].Out, got[i].Out) || want[i].Truncated != got[i].Truncated {
			t.Errorf("%s: %d: cut otherwise it gives\n%d %q\nnot\n%d %q", name, i, got[i].Ending, tail(got[i].Out, 200), want[i].Ending, tail(want[i].Out, 200))
		}
	}
}
