package job

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/patchring/patchring/pkg/remote"
)

func TestStartRefusesWhatItCantSend(t *testing.T) {
	ok := []string{"true"}
	for name, s := range map[string]Spec{
		"no ID":      {Argv: ok},
		"path":       {ID: "../x", Argv: ok},
		"option":     {ID: "-x", Argv: ok},
		"capitals":   {ID: "A", Argv: ok},
		"too long":   {ID: strings.Repeat("a", 65), Argv: ok},
		"no command": {ID: "a"},
		"empty":      {ID: "a", Argv: []string{""}},
		"NUL":        {ID: "a", Argv: []string{"echo", "a\x00b"}},
		"bad env":    {ID: "a", Argv: ok, Env: []string{"A B=c"}},
		"no value":   {ID: "a", Argv: ok, Env: []string{"AB"}},
	} {
		if c, err := Start(s); err == nil {
			t.Errorf("%s: got %q", name, c.Argv)
		}
	}
}

func TestCommandsSayWhatTheyDo(t *testing.T) {
	start, err := Start(Spec{ID: "a", Argv: []string{"rm", "-rf $HOME; `id`"}})
	if err != nil || start.Effect != remote.Changes || !start.Become {
		t.Errorf("start: %v %+v", err, start)
	}
	for _, word := range start.Argv {
		if strings.Contains(word, "$HOME; `id`") {
			t.Error("the job's arguments belong on stdin")
		}
	}
	look := Look("a", 90*time.Second)
	if look.Effect != remote.Reads || !look.Become || look.Argv[len(look.Argv)-1] != "60" {
		t.Errorf("look: %+v", look)
	}
}

func TestEncode(t *testing.T) {
	got, err := encode(Spec{ID: "a", Inhibit: true, Env: []string{"A=b\nc"}, Argv: []string{"echo", `\n`, ""}})
	want := "inhibit\nenv A=b\\nc\narg echo\narg \\\\n\narg \nend 5\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q %v", got, err)
	}
}

func exited(out string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(out)}
}

func TestRead(t *testing.T) {
	const head = "patchring-job 1\n"
	for name, c := range map[string]struct {
		result remote.Result
		want   Status
	}{
		"exited":      {exited(head + "state exited\ncode 100\nboot b\nwhy \nlog\na\nb"), Status{State: Exited, Code: 100, BootID: "b", Log: []string{"a", "b"}}},
		"running":     {exited(head + "state running\ncode \nboot b\nwhy \nlog\n 10%\r 20%\r\n"), Status{State: Running, BootID: "b", Log: []string{"20%"}}},
		"absent":      {exited(head + "state absent\nlog\n"), Status{State: Absent}},
		"timed out":   {exited(head + "state timed_out\ncode \nwhy \nlog\nx\n"), Status{State: TimedOut, Log: []string{"x"}}},
		"revoked":     {exited(head + "state revoked\nwhy late\nlog\n"), Status{State: Revoked, Reason: "late"}},
		"interrupted": {exited(head + "state interrupted\nwhy gone\nlog\n"), Status{State: Interrupted, Reason: "gone"}},
		"talk before": {exited("welcome\n" + head + "state claimed\nlog\n"), Status{State: Claimed}},
		"log lies":    {exited(head + "state running\nlog\nstate exited\ncode 0\n"), Status{State: Running, Log: []string{"state exited", "code 0"}}},
		"lost":        {remote.Result{Out: []byte(head + "state exited\ncode 0\nlog\n")}, Status{Reason: "the host did not say how the job stands: the connection ended"}},
		"not root":    {remote.Result{Ending: remote.Exited, Code: 1, Err: []byte("sudo: \x1b[1mno")}, Status{Reason: `the host did not say how the job stands: sudo: \x1b[1mno`}},
		"no words":    {remote.Result{Ending: remote.Exited, Code: 3}, Status{Reason: "the host did not say how the job stands: exit status 3"}},
		"too much":    {remote.Result{Ending: remote.Exited, Truncated: true, Out: []byte(head)}, Status{Reason: "the host did not say how the job stands: it printed too much"}},
		"other":       {exited("hello\n"), Status{Reason: "the host did not say how the job stands: hello"}},
		"cut off":     {exited(head + "state exited\ncode 0\n"), Status{Reason: "the host's answer was cut off"}},
		"no status":   {exited(head + "state exited\ncode x\nlog\n"), Status{Reason: "the exit status can't be read: x"}},
		"big status":  {exited(head + "state exited\ncode 256\nlog\n"), Status{Reason: "the exit status can't be read: 256"}},
		"new word":    {exited(head + "state paused\nlog\n"), Status{Reason: "the host said: paused"}},
	} {
		got := Read(c.result)
		if got.State != c.want.State || got.Code != c.want.Code || got.BootID != c.want.BootID ||
			got.Reason != c.want.Reason || !slices.Equal(got.Log, c.want.Log) {
			t.Errorf("%s:\nwant %+v\ngot  %+v", name, c.want, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("patchring-job 1\nstate exited\ncode 0\nboot b\nwhy \nlog\nx\ry\n"))
	f.Add([]byte("patchring-job 1\nstate interrupted\nwhy \x1b]52;\nlog\n\xff"))
	f.Fuzz(func(t *testing.T, out []byte) {
		s := Read(remote.Result{Ending: remote.Exited, Out: out})
		if s.State == Exited && !strings.Contains(string(out), "state exited\n") {
			t.Errorf("exited out of nothing: %q", out)
		}
		if s.State == Unknown && s.Reason == "" {
			t.Errorf("unknown without a reason: %q", out)
		}
		if len(s.Log) > logLines {
			t.Errorf("%d lines", len(s.Log))
		}
		for _, text := range append(s.Log, s.Reason, s.BootID) {
			if len(text) > 2*lineBytes || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("not clean: %q", text)
			}
		}
	})
}
