package terminal_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

// TestNoShift: a prompt in the middle of an output, and a stall right there, end one exchange
// too early. The next one must not take the rest of that output for its own answer.
func TestNoShift(t *testing.T) {
	for name, rest := range map[string]string{
		"much more": " quoted\r\n" + strings.Repeat("rest of the log\r\n", 9) + "sw1#",
		"a little":  " quoted\r\nsw1#",
		"late":      strings.Repeat("rest of the log\r\n", 9) + "sw1#show version\r\nVersion 1\r\nsw1#",
		"asks":      "\r\nEnd of the log\r\nGo on? [y/n] ",
	} {
		d := newDevice(t, ios(), inOne)
		d.print("sw1#")
		d.login()
		d.replies = func(string) string { return "show log\r\nlog 1\r\nsw1#" }
		d.exchange(remote.Exchange{Send: "show log"})
		d.replies = func(string) string { return rest }
		r := d.exchange(remote.Exchange{Send: "show version", Done: []remote.Pattern{"^End"}, Questions: []remote.Question{{Ask: `\[y/n\] ?$`, Answer: "y"}}})
		if r.Ending != remote.Lost || d.term.Ready() || len(d.sent) != 2 {
			t.Errorf("%s: ending %d, ready %t, sent %q", name, r.Ending, d.term.Ready(), d.sent)
		}
	}
}

// TestScrolledEcho: a line that is longer than the device's width is shown by its end.
func TestScrolledEcho(t *testing.T) {
	d := newDevice(t, ios(), inOne)
	d.print("sw1#")
	d.login()
	d.replies = func(string) string { return "show clock\r\n12:00\r\nsw1#" }
	d.exchange(remote.Exchange{Send: "show clock"})
	line := "verify /md5 flash:" + strings.Repeat("a", 90) + ".bin 0123456789abcdef"
	d.replies = func(string) string { return line[:70] + "\rsw1#$" + line[60:] + "\r\nok\r\nsw1#" }
	if r := d.exchange(remote.Exchange{Send: line}); r.Ending != remote.Done || string(r.Out) != "ok\n" {
		t.Errorf("ending %d %q", r.Ending, r.Out)
	}
}

// TestFetch: while the value of a secret is got, the device may go on. Then it is not sent.
func TestFetch(t *testing.T) {
	for more, want := range map[string]terminal.Act{"": terminal.Send, "\r\nsw1#": terminal.Wait, " ": terminal.Wait} {
		term := begun(t, remote.Exchange{Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretPassword}}})
		term.Feed([]byte("x\r\nPassword: "))
		e := term.Next()
		for ; e.Act == terminal.Wait; e = term.Next() {
			term.Silent(e.For)
		}
		if e.Act != terminal.Fetch || e.Secret != remote.SecretPassword {
			t.Fatalf("%+v", e)
		}
		term.Feed([]byte(more))
		if e := term.Fetched(e.Secret); e.Act != want {
			t.Errorf("after %q: %+v", more, e)
		}
	}
}

// TestRefused: only a secret that was given, and is asked for once more, is refused.
func TestRefused(t *testing.T) {
	for answer, want := range map[string]string{"\r\nPassword: ": remote.SecretPassword, "\r\nErase all? [confirm]": "", "\r\nsw1#": ""} {
		d := newDevice(t, ios(), inOne)
		d.print("sw1#")
		d.login()
		d.replies = func(sent string) string {
			return map[string]string{"x\r": "x\r\nPassword: ", "<password>\r": answer}[sent]
		}
		if err := d.term.Begin(remote.Exchange{Send: "x", Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretPassword}}}); err != nil {
			t.Fatal(err)
		}
		for e := d.term.Next(); e.Act != terminal.End; e = d.term.Next() {
			d.turn(e)
		}
		if got := d.term.Refused(); got != want {
			t.Errorf("after %q: %q is refused", answer, got)
		}
	}
}

// TestBraces: ONTAP asks in its own brackets. Without a row it is no prompt.
func TestBraces(t *testing.T) {
	d := newDevice(t, terminal.Generic(), inOne)
	d.print("cluster1::> ")
	d.login()
	d.replies = func(string) string { return "x\r\nDo you want to continue? {y|n}: " }
	if r := d.exchange(remote.Exchange{Send: "x"}); r.Ending != remote.Asked || d.passed.Seconds() > 11 {
		t.Errorf("ending %d after %s", r.Ending, d.passed)
	}
}
