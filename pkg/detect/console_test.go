package detect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

const (
	bare     = "SSH-2.0-OpenSSH_8.7"
	alphaSSH = "SSH-2.0-Alpha-1.0"
	login    = "Welcome\nsw1#"
)

// refuse answers the servers' probe as what is no server.
func refuse(t *testing.T) *remotetest.Stub {
	t.Helper()
	return remotetest.On("sh", "-s", "--", "...").Prints("% Invalid input\n")
}

// both is a session with exec and console.
func both(t *testing.T, h *remotetest.Host) remote.Session {
	t.Helper()
	s, release, err := h.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return remote.ReadOnly(s, remote.Reads)
}

// TestWays: who is asked what, and what it comes to. Each stub must be used, and nothing
// beyond them may be asked.
func TestWays(t *testing.T) {
	invalid := "% Invalid input\nsw1#"
	show := func() *remotetest.Stub { return says("show version", "Alpha OS 7.1\n") }
	inventory := func() *remotetest.Stub { return says("show inventory", "SN: A1000001\n") }
	for name, c := range map[string]struct {
		ident, platform string
		stubs           []*remotetest.Stub
		want            fact.Platform
		says            string // the platform's problem
	}{
		"a server":                 {ident: openSSH, stubs: []*remotetest.Stub{server(t)}, want: apt.Debian},
		"a bare server":            {ident: bare, stubs: []*remotetest.Stub{server(t)}, want: apt.Debian},
		"a server, named a device": {ident: bare, platform: "alpha", stubs: []*remotetest.Stub{says("", "$ "), says("show version", "not found"), server(t)}, want: apt.Debian},
		"a bare device":            {ident: bare, stubs: []*remotetest.Stub{refuse(t), says("", login), show(), show(), inventory()}, want: "alpha"},
		"a telling device":         {ident: alphaSSH, stubs: []*remotetest.Stub{says("", login), show(), show(), inventory()}, want: "alpha"},
		"a named device":           {ident: bare, platform: "alpha", stubs: []*remotetest.Stub{says("", login), show(), show(), inventory()}, want: "alpha"},
		"a device, named another": {ident: "SSH-2.0-x", platform: "beta", want: "beta", stubs: []*remotetest.Stub{
			says("", login), says("show system", invalid), says("get system status", "Beta 3\n"), says("get system status", "Beta 3\n"),
		}},
		"alike, and no more than three": {ident: "SSH-2.0-x", says: "beta or twin", stubs: []*remotetest.Stub{
			refuse(t), says("", login), says("show system", "Model: M1\n"),
		}},
		"nothing known": {ident: "SSH-2.0-x", says: "platforms identify", stubs: []*remotetest.Stub{
			refuse(t), says("", login), says("show system", invalid), says("get system status", invalid),
		}},
		"hostile": {ident: "SSH-2.0-x", says: "no platform answers", stubs: []*remotetest.Stub{
			refuse(t), says("", "\x1b[2J"), says("show system", "\x1b]0;owned\x07\u202e"), says("get system status", strings.Repeat("\xff", 1<<16)),
		}},
		"an answer that comes late": {ident: alphaSSH, says: "no platform answers", stubs: []*remotetest.Stub{
			says("", login), says("show version", ""), says("show system", "Alpha OS 7.1\n").Times(0), says("get system status", "Alpha OS 7.1\n").Times(0),
		}},
		"a question": {ident: alphaSSH, says: "nothing was answered", stubs: []*remotetest.Stub{
			remotetest.OnSend("").Ends(remote.Result{Ending: remote.Asked, Out: []byte("Accept the licence? [y/n]")}),
		}},
		"a boot loader": {ident: alphaSSH, says: "rommon", stubs: []*remotetest.Stub{
			remotetest.OnSend("").Ends(remote.Result{Ending: remote.Stopped, Out: []byte("rommon 1 >")}),
		}},
		"contradicts itself": {ident: alphaSSH, says: "this is not Alpha", stubs: []*remotetest.Stub{
			says("", login), show(), says("show version", "Gamma 1\n"), inventory(),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := remotetest.New(t, c.stubs...)
			q := Query{Library: library(t), Platform: fact.Platform(c.platform)}
			f, err := Host(t.Context(), both(t, h), c.ident, web, now, q)
			if err != nil || f.Platform != c.want || f.Host != web || !f.Seen.Equal(now) {
				t.Fatalf("%v: %+v", err, f)
			}
			if text := fmt.Sprint(f.Problems); strings.ContainsAny(text, "\x1b\x07\u202e") {
				t.Errorf("not cleaned: %q", text)
			}
			at := slices.IndexFunc(f.Problems, func(p fact.Problem) bool { return p.What == "platform" })
			if (at >= 0) != (c.says != "") || at >= 0 && !strings.Contains(f.Problems[at].Detail, c.says) {
				t.Errorf("want %q, got %q", c.says, f.Problems)
			}
			if c.want == "" && f.Reboot.Needed != patch.Unknown {
				t.Error("a reboot is known of what is unknown")
			}
		})
	}
}

// TestReadsADevice: the facts of a device come with their definition, and say why it is
// not upgraded. An answer that failed or was cut is no answer.
func TestReadsADevice(t *testing.T) {
	stubs := func(inventory remote.Result) *remotetest.Host {
		return remotetest.New(t, says("", login), says("show version", "Alpha OS 7.1\n").Times(2), remotetest.OnSend("show inventory").Ends(inventory))
	}
	whole := remote.Result{Ending: remote.Done, Out: []byte("SN: A1000001\n")}
	f, err := Host(t.Context(), both(t, stubs(whole)), alphaSSH, web, now, Query{Library: library(t)})
	if err != nil || f.Version != "7.1" || f.Serial != "A1000001" || f.Vendor != "acme" || f.Device == nil || f.Device.Proof != "unchecked" || !problem(f, "updates") {
		t.Errorf("%v: %+v", err, f)
	}
	cut, failed, asked := whole, whole, whole
	cut.Truncated, failed.Ending, asked.Ending = true, remote.Failed, remote.Asked
	for _, r := range []remote.Result{cut, failed, asked} {
		h := stubs(r)
		if r.Ending == remote.Failed { // asked once more with higher rights, which are not to be had
			h.Add(remotetest.OnSend("show inventory").Fails(&fault.Error{Kind: fault.GiveUp, Code: fault.Privilege, What: "no enable password"}))
		}
		f, err := Host(t.Context(), both(t, h), alphaSSH, web, now, Query{Library: library(t)})
		if err != nil || f.Platform != "alpha" || f.Serial != "" || !problem(f, "serial") {
			t.Errorf("%v: %+v", err, f)
		}
		if problem(f, "privilege") != (r.Ending == remote.Failed) || problem(f, "output") != (r.Ending == remote.Asked) {
			t.Errorf("%+v", f.Problems)
		}
	}
}

// TestEnable: what a device refuses without higher rights is read with them.
func TestEnable(t *testing.T) {
	denied := remote.Result{Ending: remote.Failed, Out: []byte("% Invalid input")}
	h := remotetest.New(t, says("", login), says("show version", "Alpha OS 7.1\n").Times(2),
		remotetest.OnSend("show inventory").Ends(denied), says("show inventory", "SN: A1000001\n"))
	f, err := Host(t.Context(), both(t, h), alphaSSH, web, now, Query{Library: library(t)})
	if err != nil || f.Serial != "A1000001" || problem(f, "privilege") {
		t.Errorf("%v: %+v", err, f)
	}
}

// TestNoConsole: without one, or without a library, everything is asked as a server.
func TestNoConsole(t *testing.T) {
	h := remotetest.New(t, refuse(t))
	if f, err := Host(t.Context(), session(t, h, remote.Reads), alphaSSH, web, now, Query{Library: library(t), Platform: "alpha"}); err != nil || f.Platform != "" || !problem(f, "platform") {
		t.Errorf("%v: %+v", err, f)
	}
	h = remotetest.New(t, refuse(t))
	if f, err := Host(t.Context(), both(t, h), alphaSSH, web, now, Query{}); err != nil || f.Platform != "" || !problem(f, "platform") {
		t.Errorf("%v: %+v", err, f)
	}
	h = remotetest.New(t, says("", login), says("show version", "Alpha OS 7.1\n").Times(2), says("show inventory", "SN: A1000001\n"))
	s := both(t, h)
	s.Runner = nil
	if f, err := Host(t.Context(), s, bare, web, now, Query{Library: library(t)}); err != nil || f.Platform != "alpha" {
		t.Errorf("%v: %+v", err, f)
	}
}

// TestRefusedExec: a device that refuses to run a command is asked on its console; where
// that fails as well, the first reason counts.
func TestRefusedExec(t *testing.T) {
	refused := func(what string) error {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.HostFailed, What: what}
	}
	h := remotetest.New(t, remotetest.On("...").Fails(refused("no exec")), says("", login), says("show version", "Alpha OS 7.1\n").Times(2), says("show inventory", "SN: A1000001\n"))
	if f, err := Host(t.Context(), both(t, h), bare, web, now, Query{Library: library(t)}); err != nil || f.Platform != "alpha" {
		t.Errorf("%v: %+v", err, f)
	}
	h = remotetest.New(t, remotetest.On("...").Fails(refused("no exec")), remotetest.OnSend("").Fails(refused("no terminal")))
	if _, err := Host(t.Context(), both(t, h), bare, web, now, Query{Library: library(t)}); err == nil || !strings.Contains(err.Error(), "no exec") {
		t.Error(err)
	}
	denied := &fault.Error{Kind: fault.GiveUp, Code: fault.Privilege, What: "no sudo"}
	h = remotetest.New(t, remotetest.On("...").Fails(denied), refuse(t), says("", login), says("show version", "Alpha OS 7.1\n").Times(2), says("show inventory", "SN: A1000001\n"))
	if f, err := Host(t.Context(), both(t, h), bare, web, now, Query{Library: library(t)}); err != nil || f.Platform != "alpha" {
		t.Errorf("%v: %+v", err, f)
	}
}

// TestOneCommandPerConnection: what closes its connection after the exec is asked on the
// console first, the next time.
func TestOneCommandPerConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := remotetest.New(t, refuse(t), remotetest.OnSend("").Cuts(),
			says("", login), says("show version", "Alpha OS 7.1\n").Times(2), says("show inventory", "SN: A1000001\n"))
		connect := func(ctx context.Context) (leased, error) {
			s, release, err := h.Session(ctx)
			return leased{h, remote.ReadOnly(s, remote.Reads), release}, err
		}
		f, err := Again(t.Context(), plain(connect), web, time.Now, Query{Library: library(t)}, time.Minute)
		if err != nil || f.Platform != "alpha" || h.Opens() != 2 {
			t.Errorf("%v, %d connections: %+v", err, h.Opens(), f)
		}
	})
}

// anyone is a lease of a host that says no more than OpenSSH.
type anyone struct{ leased }

func (anyone) Ident() string { return bare }

func plain(connect func(context.Context) (leased, error)) func(context.Context) (anyone, error) {
	return func(ctx context.Context) (anyone, error) {
		l, err := connect(ctx)
		return anyone{l}, err
	}
}

// TestSilentShell: a shell without a prompt, or with a question before it, costs one wait
// that is far shorter than a known device's, is not tried again, and says what was seen.
func TestSilentShell(t *testing.T) {
	silent := &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Step: "login", What: "its last line: Loading"}
	asked := &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, Step: "login", What: `the device asks "Who goes there?"`}
	for says, why := range map[string]error{"Loading": silent, "Who goes there?": asked} {
		synctest.Test(t, func(t *testing.T) {
			h := remotetest.New(t, refuse(t))
			connect := func(ctx context.Context) (leased, error) {
				s, release, err := h.Session(ctx)
				s.Console = mute{why}
				return leased{h, s, release}, err
			}
			begun := time.Now()
			f, err := Again(t.Context(), plain(connect), web, time.Now, Query{Library: library(t)}, time.Hour)
			if err != nil || f.Platform != "" || !strings.Contains(fmt.Sprint(f.Problems), says) {
				t.Errorf("%v: %+v", err, f.Problems)
			}
			if took := time.Since(begun); took > 20*time.Second || h.Opens() != 1 {
				t.Errorf("%s, %d connections", took, h.Opens())
			}
		})
	}
}

// mute is a console that shows no prompt.
type mute struct{ why error }

func (m mute) Exchange(_ context.Context, e remote.Exchange) (remote.Result, error) {
	<-time.After(e.Quiet) // in synctest's time
	return remote.Result{}, m.why
}

// recording notes what is sent, and how.
type recording struct {
	remote.Console
	sent []remote.Exchange
}

func (r *recording) Exchange(ctx context.Context, e remote.Exchange) (remote.Result, error) {
	r.sent = append(r.sent, e)
	return r.Console.Exchange(ctx, e)
}

// TestDialects: nobody's dialect until it is known, its own from then on; each exchange is
// bounded, reads, and answers nothing.
func TestDialects(t *testing.T) {
	h := remotetest.New(t, says("", login), says("show version", "Alpha OS 7.1\n").Times(2), says("show inventory", "SN: A1000001\n"))
	s := both(t, h)
	tape := &recording{Console: s.Console}
	s.Console = tape
	if _, err := Host(t.Context(), s, alphaSSH, web, now, Query{Library: library(t)}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range tape.sent {
		names = append(names, e.Dialect.Name)
		if e.Effect != remote.Reads || e.Within <= 0 || e.MaxOut <= 0 || e.Send == "" && e.Quiet > opening || e.Send != "" && e.Quiet < thinking || e.Enable || e.Cancel != "" || len(e.Questions) > 0 {
			t.Errorf("%+v", e)
		}
	}
	if !slices.Equal(names, []string{"generic", "generic", "alpha", "alpha"}) {
		t.Error(names)
	}
}
