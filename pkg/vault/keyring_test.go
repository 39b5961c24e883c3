package vault

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/zalando/go-keyring"

	"github.com/patchring/patchring/pkg/fault"
)

func TestKeyring(t *testing.T) {
	for name, c := range map[string]struct {
		ref, want, wrong, hint string
		ring                   tray
	}{
		"found":        {ref: "keyring:patchring/web", ring: tray{value: value}, want: value},
		"slashes":      {ref: "keyring:https://x/y/web", ring: tray{value: value}, want: value},
		"no account":   {ref: "keyring:patchring", wrong: "no service and account", hint: "keyring:SERVICE/ACCOUNT"},
		"nothing":      {ref: "keyring:a b/c", ring: tray{err: keyring.ErrNotFound}, wrong: "nothing is kept there", hint: "'a b'"},
		"no bus":       {ref: "keyring:a/b", ring: tray{err: errNoRing}, wrong: "no keyring is reachable", hint: "exec:"},
		"unsupported":  {ref: "keyring:a/b", ring: tray{err: keyring.ErrUnsupportedPlatform}, wrong: "no keyring is reachable", hint: "env:"},
		"locked":       {ref: "keyring:a/b", ring: tray{err: errors.New("failed to unlock correct collection '/x'")}, wrong: "the keyring is locked", hint: "unlock"},
		"what it says": {ref: "keyring:a/b", ring: tray{err: errors.New("oh\x1b[31m")}, wrong: `the keyring fails: oh\x1b[31m`, hint: "search"},
		"empty":        {ref: "keyring:a/b", ring: tray{value: ""}, wrong: "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := withRing(c.ring, Options{}).Resolve(t.Context(), ref(t, c.ref), "x")
			if c.wrong == "" {
				if err != nil || got.Reveal() != c.want {
					t.Fatal(got.Reveal(), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.wrong) || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("%v, hint %q", err, fault.HintOf(err))
			}
		})
	}
}

func TestKeyringThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		_, err := withRing(tray{hold: hold}, Options{}).Resolve(t.Context(), ref(t, "keyring:a/b"), "x")
		close(hold)
		if err == nil || !strings.Contains(err.Error(), "no answer within a minute") || fault.HintOf(err) != "unlock the keyring, then run it again" {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := withRing(tray{hold: hold}, Options{}).Resolve(ctx, ref(t, "keyring:a/b"), "x"); err == nil {
			t.Error("no error")
		}
	})
}

// The library's own mock stands for platforms that are not here.
func TestKeyringMock(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	keyring.MockInit()
	if err := keyring.Set("patchring", "web", value); err != nil {
		t.Fatal(err)
	}
	wants(t, Options{}, "keyring:patchring/web", value, "")
	wants(t, Options{}, "keyring:patchring/other", "", "nothing is kept there")
}

func TestKeyringWithoutASession(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	wants(t, Options{}, "keyring:patchring/web", "", "no keyring is reachable")
}

// inSession tells the test binary that it runs within a session with a real keyring.
const inSession = "PATCHRING_TEST_KEYRING"

// A real Secret Service, on a bus of its own: gnome-keyring, unlocked, then locked.
func TestKeyringOfGNOME(t *testing.T) {
	if os.Getenv(inSession) != "" {
		t.Skip("within the session: see TestWithinSession")
	}
	daemon, session := tool(t, "gnome-keyring-daemon"), tool(t, "dbus-run-session")
	home := t.TempDir()
	script := `printf hunter | "$1" --unlock --components=secrets >/dev/null && exec "$2" -test.run='^TestWithinSession$' -test.v`
	cmd := exec.CommandContext(t.Context(), session, "--", "sh", "-c", script, "sh", daemon, os.Args[0])
	cmd.Env = append(os.Environ(), inSession+"=1", "HOME="+home, "XDG_RUNTIME_DIR="+home, "XDG_DATA_HOME="+filepath.Join(home, "data"), "DISPLAY=", "WAYLAND_DISPLAY=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestWithinSession") {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestWithinSession(t *testing.T) {
	if os.Getenv(inSession) == "" {
		t.Skip("not in a session of TestKeyringOfGNOME")
	}
	if err := keyring.Set("patchring", "web", value); err != nil {
		t.Fatal(err)
	}
	wants(t, Options{}, "keyring:patchring/web", value, "")
	wants(t, Options{}, "keyring:patchring/other", "", "nothing is kept there")
}
