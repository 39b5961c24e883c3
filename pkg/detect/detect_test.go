package detect

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

const openSSH = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"

var (
	web = fact.HostID{Site: "hq", Name: "web-01"}
	now = time.Date(2026, 11, 21, 22, 48, 30, 0, time.UTC)
)

// recorded is what the probe printed on a real host.
func recorded(t *testing.T, name string) remote.Result {
	t.Helper()
	read := func(ext string) []byte {
		b, err := os.ReadFile("../platform/linux/testdata/" + name + ext)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return remote.Result{Ending: remote.Exited, Out: read(".out"), Err: read(".err")}
}

// probe answers the Linux probe; become says whether root was asked for.
func probe(t *testing.T, become bool, answer func() (remote.Result, error)) *remotetest.Stub {
	t.Helper()
	return remotetest.On("sh", "-s", "--", "...").Does(func(_ context.Context, c remote.Command) (remote.Result, error) {
		if c.Become != become {
			t.Errorf("become is %v, want %v", c.Become, become)
		}
		return answer()
	})
}

func session(t *testing.T, h *remotetest.Host, allowed remote.Effect) remote.Session {
	t.Helper()
	s, release, err := h.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	s.Console = nil // as that of a server; consoles have their own tests
	return remote.ReadOnly(s, allowed)
}

func problem(f fact.Facts, what string) bool {
	return slices.ContainsFunc(f.Problems, func(p fact.Problem) bool { return p.What == what })
}

// TestOneExec: all of it comes from one exec through the read-only guard.
func TestOneExec(t *testing.T) {
	h := remotetest.New(t, probe(t, true, func() (remote.Result, error) { return recorded(t, "probe-debian"), nil }))
	f, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{})
	if err != nil || f.Platform != apt.Debian || f.Host != web || !f.Seen.Equal(now) || len(f.Updates) != 3 {
		t.Errorf("%v: %+v", err, f)
	}
	if len(h.Calls()) != 1 {
		t.Errorf("%q, want one exec", h.Calls())
	}
}

// TestRefreshNeedsMore: a session that only reads refuses to fetch lists.
func TestRefreshNeedsMore(t *testing.T) {
	h := remotetest.New(t)
	if _, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{Query: platform.Query{Refresh: true}}); err == nil {
		t.Error("refreshing went through a session that only reads")
	}
	h = remotetest.New(t, remotetest.On("sh", "-s", "--", "*", "refresh", "", "a", "b").Ends(recorded(t, "probe-debian")))
	q := Query{Query: platform.Query{Refresh: true, Packages: []string{"b", "a", "b", "-o", "x;y"}}}
	if _, err := Host(t.Context(), session(t, h, remote.Refreshes), openSSH, web, now, q); err != nil {
		t.Error(err)
	}
}

// TestNonce: each detection frames its answer anew.
func TestNonce(t *testing.T) {
	seen := map[string]bool{}
	h := remotetest.New(t, remotetest.On("...").Always().Does(func(_ context.Context, c remote.Command) (remote.Result, error) {
		seen[c.Argv[3]] = true
		return recorded(t, "probe-debian"), nil
	}))
	for range 3 {
		if _, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range seen {
		if len(n) != 32 {
			t.Errorf("nonce %q", n)
		}
	}
	if len(seen) != 3 {
		t.Errorf("nonces %v", seen)
	}
}

func TestWithoutRoot(t *testing.T) {
	denied := &fault.Error{Kind: fault.GiveUp, Code: fault.Privilege, What: "patch may not run sudo", Hint: "visudo"}
	user := recorded(t, "probe-debian")
	user.Out = []byte(strings.Replace(string(user.Out), "uid=0", "uid=1000", 1))
	h := remotetest.New(t,
		probe(t, true, func() (remote.Result, error) { return remote.Result{}, denied }),
		probe(t, false, func() (remote.Result, error) { return user, nil }))
	f, err := Host(t.Context(), session(t, h, remote.Refreshes), openSSH, web, now, Query{Query: platform.Query{Refresh: true}})
	if fault.CodeOf(err) != fault.Privilege || fault.HintOf(err) != "visudo" || !strings.HasPrefix(err.Error(), "hq/web-01: ") {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
	if f.Platform != apt.Debian || !problem(f, "privilege") {
		t.Errorf("%+v", f.Problems)
	}
	h = remotetest.New(t, probe(t, true, func() (remote.Result, error) { return remote.Result{}, denied }),
		probe(t, false, func() (remote.Result, error) { return remote.Result{}, remotetest.Lost() }))
	f, err = Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{})
	if fault.CodeOf(err) != fault.Privilege || f.Platform != "" {
		t.Errorf("%v, %+v: what came first is what counts", err, f)
	}
}

// Where the secret for root can't be got, the host is not tried as a device: a person has to
// correct the reference first.
func TestSecretThatCantBeGot(t *testing.T) {
	broken := fault.Usagef("export SUDO_PW", "env:SUDO_PW is not set")
	h := remotetest.New(t, probe(t, true, func() (remote.Result, error) { return remote.Result{}, broken }))
	s := session(t, h, remote.Reads)
	opened := &unopened{}
	s.Console = opened
	_, err := Host(t.Context(), s, openSSH, web, now, Query{Library: library(t)})
	if fault.CodeOf(err) != fault.Usage || fault.HintOf(err) != "export SUDO_PW" || opened.asked {
		t.Errorf("%v (%s), console asked: %v", err, fault.HintOf(err), opened.asked)
	}
}

// unopened is a console that nobody should speak to.
type unopened struct{ asked bool }

func (u *unopened) Exchange(context.Context, remote.Exchange) (remote.Result, error) {
	u.asked = true
	return remote.Result{}, remotetest.Lost()
}

func TestCanNotBeAsked(t *testing.T) {
	h := remotetest.New(t, remotetest.On("...").Cuts())
	if _, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{}); fault.CodeOf(err) != fault.Lost {
		t.Error(err)
	}
	h = remotetest.New(t, remotetest.On("...").Ends(remote.Result{Ending: remote.Lost}))
	if _, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{}); fault.CodeOf(err) != fault.Lost {
		t.Error(err)
	}
	if _, err := Host(t.Context(), remote.Session{}, openSSH, web, now, Query{}); err == nil {
		t.Error("a session that can't run commands was used")
	}
	h = remotetest.New(t)
	s := session(t, h, remote.Reads)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Host(ctx, s, openSSH, web, now, Query{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestUnknownHosts(t *testing.T) {
	for name, out := range map[string]string{
		"nothing":  "",
		"Windows":  "'sh' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
		"Junos":    "error: unknown command: sh\n",
		"escapes":  "\x1b]0;owned\x07\x1b[2J",
		"binary":   strings.Repeat("\x00\xff", 1<<16),
		"begun":    "patchring-report 1 n\n@n begin identity\nuid=0\n",
		"no nonce": "patchring-report 1 \n",
	} {
		t.Run(name, func(t *testing.T) {
			h := remotetest.New(t, remotetest.On("...").Prints(out))
			f, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{})
			if err != nil || len(f.Problems) == 0 || f.Host != web || f.Reboot.Needed != patch.Unknown {
				t.Errorf("%v: %+v", err, f)
			}
			if f.Platform != "" && f.Platform != linux.Other {
				t.Errorf("platform %q", f.Platform)
			}
		})
	}
}
