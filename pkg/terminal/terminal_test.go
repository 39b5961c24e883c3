package terminal_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

// ios is a made-up dialect in the form of Cisco's.
func ios() *remote.Dialect {
	return &remote.Dialect{
		Name: "ios", Prompt: `^(?P<host>[\w.-]{1,63})(\([^)\n]{1,40}\))?[>#] ?$`,
		Login:  []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretPassword}, {Ask: `Press any key to continue ?$`, Answer: " ", Key: true}},
		Shell:  []remote.Question{{Ask: `^[%$] ?$`, Answer: "cli"}},
		Pager:  []remote.Question{{Ask: `--More-- ?$`, Answer: " ", Key: true}},
		Enable: &remote.Raise{Send: "enable", Ask: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretEnable}}, Prompt: `^[\w.-]+# ?$`},
		Errors: []remote.Pattern{`^% (Invalid|Incomplete)`},
		Async:  []remote.Pattern{`\*?\w{3} +\d+ [\d:.]+: %\w+-\d-.*`},
		Stop:   []remote.Pattern{`rommon \d+ >`, `initial configuration dialog`},
	}
}

const logLine = "*Mar  1 00:01:02.003: %LINK-3-UPDOWN: Interface Gi1/0/1, changed state to down\r\n"

// talk is one made-up exchange: what the device prints for what is sent.
type talk struct {
	name  string
	prep  string // what the first sight of the device is; empty: "sw1#"
	e     remote.Exchange
	says  map[string]string
	want  remote.Ending
	out   string
	sent  []string // beyond the line itself
	least time.Duration
	most  time.Duration // 0: 2 s
}

func talks() []talk {
	show := remote.Exchange{Send: "show clock"}
	reload := remote.Exchange{
		Send: "reload", Done: []remote.Pattern{`^Reload requested`},
		Questions: []remote.Question{{Ask: `Proceed with reload\? \[confirm\] ?$`}, {Ask: `^Save\? \[yes/no\]: ?$`, Answer: "no"}},
	}
	copying := remote.Exchange{Send: "copy", Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretPassword}}}
	sent := func(e remote.Exchange, back string) map[string]string { return map[string]string{e.Send + "\r": back} }
	and := func(m map[string]string, kv ...string) map[string]string {
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	return []talk{
		{name: "plain", e: show, says: sent(show, "show clock\r\n12:00\r\nsw1#"), want: remote.Done, out: "12:00\n"},
		{name: "no echo", e: show, says: sent(show, "12:00\r\nsw1#"), want: remote.Done, out: "12:00\n", most: 4 * time.Second},
		{name: "echo twice", e: show, says: sent(show, "show clock\r\nsw1#show clock\r\n12:00\r\nsw1#"), want: remote.Done, out: "12:00\n"},
		{name: "prompt redrawn before the echo", e: show, says: sent(show, "\r\nsw1#\r\nsw1#show clock\r\n12:00\r\nsw1#"), want: remote.Done, out: "12:00\n"},
		{name: "echo wrapped", e: show, says: sent(show, "show cl\r\nock\r\n12:00\r\nsw1#"), want: remote.Done, out: "12:00\n"},
		{name: "echo cut by a log line", e: show, says: sent(show, "show cl\r\n"+logLine+"ock\r\n12:00\r\nsw1#"), want: remote.Done, out: "12:00\n"},
		{name: "echo begun anew after a log line", e: show, says: sent(show, "show cl\r\n"+logLine+"sw1#show clock\r\n12:00\r\nsw1#"), want: remote.Done, out: "12:00\n"},
		{name: "log line in the output", e: show, says: sent(show, "show clock\r\n"+logLine+"12:00\r\nsw1#"), want: remote.Done, out: "12:00\n"},
		{
			name: "log line after the prompt", e: show, says: and(sent(show, "show clock\r\n12:00\r\nsw1#\r\n"+logLine), "\r", "\r\nsw1#"),
			want: remote.Done, out: "12:00\n", sent: []string{"\r"}, least: 3 * time.Second, most: 5 * time.Second,
		},
		{
			name: "log line on the prompt", e: show, says: and(sent(show, "show clock\r\n12:00\r\nsw1#"+logLine), "\r", "\r\nsw1#"),
			want: remote.Done, out: "12:00\n", sent: []string{"\r"}, most: 5 * time.Second,
		},
		{
			name: "log line over the prompt", e: show, says: and(sent(show, "show clock\r\n12:00\r\nsw1#\r"+logLine), "\r", "\r\nsw1#"),
			want: remote.Done, out: "12:00\n", sent: []string{"\r"}, most: 5 * time.Second,
		},
		{
			name: "log line without its end", e: show, says: and(sent(show, "show clock\r\n12:00\r\nsw1#\r\n"+strings.TrimSpace(logLine)), "\r", "\r\nsw1#"),
			want: remote.Done, out: "12:00\n", sent: []string{"\r"}, most: 5 * time.Second,
		},
		{name: "no newline where no prompt was", e: show, says: sent(show, "show clock\r\nworking\r\n"+logLine), want: remote.Lost, out: "working\n", least: time.Minute, most: 2 * time.Minute},
		{name: "prompts in the output", e: show, says: sent(show, "show clock\r\nsw1#\r\nsw1#exit\r\nsw1>\r\nx\r\nsw1#"), want: remote.Done, out: "sw1#\nsw1#exit\nsw1>\nx\n"},
		{name: "another mode's prompt", e: show, says: sent(show, "show clock\r\nsw1(config-if)#"), want: remote.Done},
		{name: "another name's prompt", e: show, says: sent(show, "show clock\r\nother#"), want: remote.Done, least: 5 * time.Second, most: 6 * time.Second},
		{name: "refused", e: show, says: sent(show, "show clock\r\n      ^\r\n% Invalid input detected\r\nsw1#"), want: remote.Failed, out: "      ^\n% Invalid input detected\n"},
		{name: "pager", e: show, says: and(sent(show, "show clock\r\n1\r\n --More-- "), " ", "\b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\b2\r\nsw1#"), want: remote.Done, out: "1\n2\n", sent: []string{" "}},
		{name: "pager rubbed out", e: show, says: and(sent(show, "show clock\r\n1\r\n --More-- "), " ", "\r          \r2\r\nsw1#"), want: remote.Done, out: "1\n2\n", sent: []string{" "}},
		{name: "pager cut by a log line", e: show, says: and(sent(show, "show clock\r\n1\r\n --More-- \r\n"+logLine), " ", "\r          \r2\r\nsw1#"), want: remote.Done, out: "1\n2\n", sent: []string{" "}},
		{name: "control codes", e: show, says: sent(show, "\x1b[24;1H\x1b[2Ksw1#show clock\x1bE\x1b[?2004l\x1b]0;title\x07\x1b[1m12\x1b[m:0x\b0\x00\x07\r\r\nsw1#"), want: remote.Done, out: "12:00\n"},
		{
			name: "questions", e: reload, says: and(sent(reload, "reload\r\nSave? [yes/no]: "), "no\r", "no\r\nProceed with reload? [confirm]", "\r", "\r\nReload requested\r\nsw1#"),
			want: remote.Done, out: "Save? [yes/no]: no\nProceed with reload? [confirm]\nReload requested\n", sent: []string{"no\r", "\r"},
		},
		{
			name: "question cut by a log line", e: reload, says: and(sent(reload, "reload\r\nProceed with re\r\n"+logLine+"load? [confirm]"), "\r", "\r\nReload requested\r\nsw1#"),
			want: remote.Done, out: "Proceed with re\nload? [confirm]\nReload requested\n", sent: []string{"\r"},
		},
		{name: "not what was asked for", e: reload, says: sent(reload, "reload\r\nnot now\r\nsw1#"), want: remote.Prompted, out: "not now\n"},
		{name: "unforeseen", e: reload, says: sent(reload, "reload\r\nErase nvram? [confirm]"), want: remote.Asked, out: "Erase nvram? [confirm]", least: 10 * time.Second, most: 11 * time.Second},
		{name: "question that goes on", e: reload, says: sent(reload, "reload\r\nProceed with reload? [confirm] and erase all? "), want: remote.Asked, out: "Proceed with reload? [confirm] and erase all? ", most: 2 * time.Minute},
		{name: "asked too often", e: reload, says: and(sent(reload, "reload\r\nSave? [yes/no]: "), "no\r", "no\r\nSave? [yes/no]: "), want: remote.Asked, out: "Save? [yes/no]: no\nSave? [yes/no]: ", sent: []string{"no\r"}},
		{name: "secret", e: copying, says: and(sent(copying, "copy\r\nPassword: "), "<password>\r", "\r\ndone\r\nsw1#"), want: remote.Done, out: "Password: \ndone\n", sent: []string{"<password>\r"}},
		{name: "another password", e: copying, says: sent(copying, "copy\r\nNew Password: "), want: remote.Asked, out: "New Password: ", most: 2 * time.Minute},
		{name: "secret of a cut line", e: copying, says: sent(copying, "copy\r\nPass\r\n"+logLine+"word: "), want: remote.Asked, out: "Pass\nword: ", most: 2 * time.Minute},
		{
			name: "password that a wide row would answer", want: remote.Asked, out: "New password: ", most: 2 * time.Minute,
			e: remote.Exchange{Send: "x", Questions: []remote.Question{{Ask: `: ?$`, Answer: "y"}}}, says: map[string]string{"x\r": "x\r\nNew password: "},
		},
		{name: "stop", e: reload, says: sent(reload, "reload\r\nrommon 1 >"), want: remote.Stopped, out: "rommon 1 >"},
		{name: "stop among logs", e: reload, says: sent(reload, "reload\r\nWould you like to enter the initial configuration dialog? [yes/no]: "), want: remote.Stopped, out: "Would you like to enter the initial configuration dialog? [yes/no]: "},
		{
			name: "cancel", want: remote.Asked, out: "Sure? ", sent: []string{"\x03"}, most: 2 * time.Minute,
			e: remote.Exchange{Send: "x", Cancel: "\x03"}, says: map[string]string{"x\r": "x\r\nSure? ", "\x03": "^C\r\nsw1#"},
		},
		{
			name: "failed before the question", want: remote.Failed, out: "error: no\nGo on? [y/n] ", most: 11 * time.Second,
			e:    remote.Exchange{Send: "x", Failed: []remote.Pattern{`^error:`}, Questions: []remote.Question{{Ask: `\[y/n\] ?$`, Answer: "y"}}},
			says: map[string]string{"x\r": "x\r\nerror: no\r\nGo on? [y/n] "},
		},
		{name: "done, and no prompt", e: reload, says: sent(reload, "reload\r\nReload requested\r\n"), want: remote.Done, out: "Reload requested\n", least: 10 * time.Second, most: 11 * time.Second},
	}
}

func (k talk) perform(t *testing.T, split func(string) []string) (remote.Result, *device) {
	t.Helper()
	d := newDevice(t, ios(), split)
	d.print(k.prep + "sw1#")
	if r := d.login(); r.Ending != remote.Done {
		t.Fatalf("no login: %+v", r)
	}
	d.passed = 0
	d.replies = func(sent string) string {
		text := k.says[sent]
		delete(k.says, sent)
		return text
	}
	r := d.exchange(k.e)
	return r, d
}

func TestExchanges(t *testing.T) {
	for i, k := range talks() {
		t.Run(k.name, func(t *testing.T) {
			r, d := k.perform(t, inOne)
			if r.Ending != k.want || string(r.Out) != k.out || r.Truncated {
				t.Errorf("ending %d %q, want %d %q", r.Ending, r.Out, k.want, k.out)
			}
			if !slices.Equal(d.sent[1:], k.sent) {
				t.Errorf("sent %q, want %q", d.sent, k.sent)
			}
			if most := max(k.most, 2*time.Second); d.passed < k.least || d.passed > most {
				t.Errorf("it took %s, not %s to %s", d.passed, k.least, most)
			}
			for _, split := range []func(string) []string{everyByte, atRandom(rand.New(rand.NewPCG(3, 4)))} {
				again, _ := talks()[i].perform(t, split)
				same(t, k.name, []remote.Result{r}, []remote.Result{again})
			}
		})
	}
}

func TestLogin(t *testing.T) {
	d := newDevice(t, ios(), everyByte)
	d.print("Welcome\r\nPassword: ")
	d.replies = func(sent string) string {
		return map[string]string{"<password>\r": "\r\nPress any key to continue", " ": "\r\n% ", "cli\r": "cli\r\n\r\nsw1>"}[sent]
	}
	r := d.login()
	if r.Ending != remote.Done || !strings.HasSuffix(string(r.Out), "\nsw1>") || !strings.HasPrefix(string(r.Out), "Welcome\n") {
		t.Errorf("%d %q", r.Ending, r.Out)
	}
	if !slices.Equal(d.sent, []string{"<password>\r", " ", "cli\r"}) || d.term.Prompt() != "sw1>" || d.term.Raised() {
		t.Errorf("sent %q, at %q", d.sent, d.term.Prompt())
	}
	d.replies = func(sent string) string {
		return map[string]string{"enable\r": "enable\r\nPassword: ", "<enable>\r": "\r\nsw1#"}[sent]
	}
	if err := d.term.Raise(); err != nil {
		t.Fatal(err)
	}
	if r := d.carryOn(); r.Ending != remote.Done || !d.term.Raised() {
		t.Errorf("%d %q", r.Ending, r.Out)
	}
}

func TestPromptsOfTwoLines(t *testing.T) {
	d := newDevice(t, &remote.Dialect{Name: "junos", Prompt: `^(\{[\w:]+\}\n)?[\w.-]+@(?P<host>[\w.-]+)> ?$`}, everyByte)
	d.print("--- JUNOS\r\n{master:0}\r\nops@ex1> ")
	d.login()
	d.replies = func(string) string { return "show x \r\nline\r\n\r\n{backup:1}\r\nops@ex1> " }
	for range 2 {
		if r := d.exchange(remote.Exchange{Send: "show x"}); r.Ending != remote.Done || string(r.Out) != "line\n\n" {
			t.Errorf("%d %q", r.Ending, r.Out)
		}
	}
}

// TestWhatAsksIsNoPrompt: not even where the pattern of the prompt says so.
func TestWhatAsksIsNoPrompt(t *testing.T) {
	for text, want := range map[string]remote.Ending{"[confirm]": remote.Asked, "[sw1]": remote.Done} {
		d := newDevice(t, &remote.Dialect{Name: "brackets", Prompt: `^\[\w+\] ?$`}, inOne)
		d.print(text)
		if r := d.login(); r.Ending != want {
			t.Errorf("%s: ending %d", text, r.Ending)
		}
	}
}

func TestConnectionEnds(t *testing.T) {
	for out, want := range map[string]remote.Ending{
		"x\r\nsome": remote.Lost, "x\r\nsome\r\ndone it\r\n": remote.Done, "x\r\n% Invalid input": remote.Failed,
	} {
		d := newDevice(t, ios(), inOne)
		d.print("sw1#")
		d.login()
		if err := d.term.Begin(remote.Exchange{Send: "x", Done: []remote.Pattern{`^done`}}); err != nil {
			t.Fatal(err)
		}
		d.term.Feed([]byte(out))
		d.term.Close()
		if r := d.term.Result(); r.Ending != want || d.term.Ready() {
			t.Errorf("%q: %d", out, r.Ending)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, d := range []*remote.Dialect{nil, {}, {Prompt: `(`}, {Prompt: `x`, Async: []remote.Pattern{`(`}}, {Prompt: "x", Login: []remote.Question{{}}}} {
		if _, err := terminal.Compile(d); err == nil {
			t.Errorf("%+v was taken", d)
		}
	}
	d := newDevice(t, ios(), inOne)
	if err := d.term.Begin(remote.Exchange{Send: "x", Done: []remote.Pattern{`(`}}); err == nil {
		t.Error("a wrong pattern was taken")
	}
}
