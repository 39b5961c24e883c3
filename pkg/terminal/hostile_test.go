package terminal_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

// begun is a device at which "x" was just sent.
func begun(t testing.TB, e remote.Exchange) *terminal.Terminal {
	t.Helper()
	d := newDevice(t, ios(), inOne)
	d.print("sw1#")
	d.login()
	e.Send = "x"
	if err := d.term.Begin(e); err != nil {
		t.Fatal(err)
	}
	d.term.Next()
	return d.term
}

func TestHostileOutput(t *testing.T) {
	for name, piece := range map[string]string{
		"blank lines": "\r\n", "no newline": "x", "prompts": "sw1#\r\n", "passwords": "Password: \r\nPassword: ", "escapes": "\x1b[",
		"strings without an end": "\x1b]0;aaaaaaaa", "cursor moves": "\x1b[1;1000Hx\x1b[900C", "insertions": "\x1b[999@", "rewrites": "abc\r\b\b",
		"log lines": logLine, "all bytes": "\x00\x01\x7f\x80\x9b\xff\xc3", "pagers": "--More-- ", "echoes": "x\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			term := begun(t, remote.Exchange{MaxOut: 1000, Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretPassword}}})
			chunk := []byte(strings.Repeat(piece, 4096/len(piece)+1))
			for range 256 {
				term.Feed(chunk)
				if e := term.Next(); e.Act != terminal.Wait {
					t.Fatalf("it wants to %d %q %q before any silence", e.Act, e.Text, e.Secret)
				}
			}
			term.Close()
			if r := term.Result(); len(r.Out) > 1000 || bytes.ContainsAny(r.Out, "\x1b\r\b\x00") {
				t.Errorf("%d bytes: %q", len(r.Out), tail(r.Out, 50))
			}
		})
	}
}

// TestCutOutput: what is not kept is judged all the same.
func TestCutOutput(t *testing.T) {
	for last, want := range map[string]remote.Ending{"done": remote.Done, "error: x": remote.Failed, "nothing": remote.Prompted} {
		d := newDevice(t, ios(), inOne)
		d.print("sw1#")
		d.login()
		d.replies = func(string) string { return "x\r\n" + strings.Repeat("line\r\n", 1000) + last + "\r\nend\r\nsw1#" }
		r := d.exchange(remote.Exchange{Send: "x", MaxOut: 100, Done: []remote.Pattern{"^done$"}, Failed: []remote.Pattern{"^error:"}})
		if r.Ending != want || !r.Truncated || len(r.Out) != 100 {
			t.Errorf("%s: %d, %d bytes, cut %t", last, r.Ending, len(r.Out), r.Truncated)
		}
	}
}

// TestGenericPrompts: what the dialect of an unknown device takes for a prompt.
func TestGenericPrompts(t *testing.T) {
	for text, want := range map[string]bool{
		"sw1#": true, "sw1> ": true, "RP/0/RSP0/CPU0:core#": true, "ops@ex1> ": true, "<HUAWEI>": true, "[admin@rb1] > ": true,
		"A:admin@sr1# ": true, "FGT-1 (global) # ": true, "(host) [mynode] #": true, "user@lb1:~$ ": true, "cluster1::> ": true, "fw-a% ": true, "root@ex1:RE:0% ": true, "root@ex1% ": true, "ops@% ": true, "# ": true,
		"Password: ": false, "Proceed? [y/n] ": false, "--More--": false, "loading 45%": false, "copying to ops@sw1: 45%": false, "a line": false, "Are you sure? ": false, "[confirm]": false, "Go on (y/n)? ": false,
	} {
		d := newDevice(t, terminal.Generic(), inOne)
		d.print("Hello\r\n" + text)
		if r := d.login(); (r.Ending == remote.Done) != want {
			t.Errorf("%q: ending %d", text, r.Ending)
		}
	}
}

// TestGenericLogin: of what stands before the prompt of an unknown device, it answers what
// wants a key to go on, and nothing that asks for anything else. What says nothing is not
// waited for as long as a known device is.
func TestGenericLogin(t *testing.T) {
	for text, want := range map[string]string{
		"Authorized use only.\r\n(Press 'a' to accept):": "a", "(Press 'A' to accept): ": "a", "Press any key to continue": " ", "Press RETURN to get started.": "\r",
		"Accept the licence? [y/n] ": "", "Type 'a' to accept and erase all: ": "", "New password: ": "", "(Press 'a' to accept the new password): ": "",
	} {
		d := newDevice(t, terminal.Generic(), inOne)
		d.print(text)
		d.replies = func(string) string { return "\r\nfw1 # " }
		r := d.login()
		if (r.Ending == remote.Done) != (want != "") || strings.Join(d.sent, "|") != want {
			t.Errorf("%q: ending %d, sent %q", text, r.Ending, d.sent)
		}
		if d.passed > 20*time.Second {
			t.Errorf("%q: it waited for %s", text, d.passed)
		}
	}
}

// FuzzTerminal: whatever a device prints, it is bounded and clean, sends no secret that
// was not asked for by the last line, and does not depend on how the bytes were cut.
func FuzzTerminal(f *testing.F) {
	for _, k := range talks() {
		for _, text := range k.says {
			f.Add([]byte(text), uint64(1))
		}
	}
	f.Add([]byte("\x1b[24;1H\x1b[2Ksw1# \x1b[24;5H\x1bE\x1b[1;1H\x1b]0;t\x07\x1bP\x1b\\sw1#"), uint64(2))
	f.Fuzz(func(t *testing.T, printed []byte, seed uint64) {
		if len(printed) > 1<<16 {
			return
		}
		play := func(split func(string) []string) (remote.Result, []string) {
			d := newDevice(t, ios(), split)
			d.print("sw1#")
			d.login()
			first := true
			d.replies = func(string) string {
				if !first {
					return ""
				}
				first = false
				return string(printed)
			}
			r := d.exchange(remote.Exchange{Send: "x", MaxOut: 4096, Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretPassword}}})
			return r, d.sent
		}
		whole, sent := play(inOne)
		again, resent := play(atRandom(rand.New(rand.NewPCG(seed, 1))))
		same(t, "fuzz", []remote.Result{whole}, []remote.Result{again})
		if strings.Join(sent, "|") != strings.Join(resent, "|") {
			t.Errorf("sent %q, then %q", sent, resent)
		}
		if len(whole.Out) > 4096+4096+1 || bytes.ContainsAny(whole.Out, "\x1b\r\b\x00\x7f") {
			t.Errorf("%d bytes: %q", len(whole.Out), whole.Out)
		}
		if strings.Contains(strings.Join(sent, "|"), "<password>") && !bytes.Contains(printed, []byte("Pass")) && len(printed) < 9 {
			t.Error("a secret was sent unasked")
		}
	})
}

func BenchmarkFeed(b *testing.B) {
	var text []byte
	for len(text) < 32<<10 {
		text = append(text, "GigabitEthernet1/0/1   connected    1          a-full  a-1000 10/100/1000BaseTX\r\n"...)
	}
	b.SetBytes(int64(len(text)))
	term := begun(b, remote.Exchange{})
	for b.Loop() {
		term.Feed(text)
		term.Next()
	}
}
