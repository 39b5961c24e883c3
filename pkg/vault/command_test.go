//go:build linux

package vault

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/secret"
)

// manager writes a fake password manager and gives a reference that runs it.
func manager(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return "exec:" + path
}

func TestManagersThatBehave(t *testing.T) {
	defer goleak.VerifyNone(t)
	wants(t, Options{}, manager(t, "echo "+value+"; echo notes >&2"), value, "")
	wants(t, Options{}, manager(t, "cat; echo "+value), value, "") // standard input is empty
	wants(t, Options{}, manager(t, "(sleep 0; echo "+value+") & wait"), value, "")
}

func TestManagersThatDoNot(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, c := range map[string]struct{ script, wrong string }{
		"prints for ever":          {"while :; do echo " + value + "; done", "more than 64 KiB"},
		"and ignores what it gets": {"trap '' TERM PIPE; while :; do echo " + value + "; done 2>/dev/null", "more than 64 KiB"},
		"fails and tells":          {"echo " + value + "; echo " + value + " >&2; exit 7", "exit status 7"},
		"asks at the terminal":     {"read x </dev/tty && echo " + value, "exit status"},
		"leaves its output open":   {"echo " + value + "; sleep 5 &", "holds its output open"},
		"is killed":                {"kill -9 $$", "signal: killed"},
	} {
		t.Run(name, func(t *testing.T) { wants(t, Options{}, manager(t, c.script), "", c.wrong) })
	}
}

// A manager that hangs is ended with all that it has started, whatever it ignores.
func TestManagersThatHang(t *testing.T) {
	defer goleak.VerifyNone(t)
	pids := filepath.Join(t.TempDir(), "pids")
	script := "trap '' TERM HUP INT\nsh -c 'trap \"\" TERM HUP INT; echo $$ >>" + pids + "; sleep 600' &\necho $$ >>" + pids + "; sleep 600; sleep 600"
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := New(Options{}).Resolve(ctx, ref(t, manager(t, script)), "x")
		ended <- err
	}()
	until(t, "both have begun", func() bool { return len(pidsIn(t, pids)) == 2 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for _, pid := range pidsIn(t, pids) {
		until(t, "process "+pid+" has ended", func() bool { return isOver(pid) })
	}
}

func pidsIn(t *testing.T, path string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Fields(string(raw))
}

// isOver tells whether a process is gone, or only waits to be counted.
func isOver(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return err != nil || bytes.HasPrefix(state, []byte("Z"))
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("it never came that %s", what)
		case <-tick.C:
		}
	}
}

// What we were given for ourselves goes to no other program: not what the inventory names,
// nor what is known by now, whatever variable it is in.
func TestManagersGetNoSecretsInTheEnvironment(t *testing.T) {
	t.Setenv("VAULT_NAMED", "named-"+value)
	t.Setenv("VAULT_KNOWN", "user:"+value)
	t.Setenv("VAULT_OTHER", "session-token")
	f := secret.NewFilter()
	f.Add(secret.New(value))
	wants(t, Options{Filter: f, Withhold: []string{"VAULT_NAMED"}}, manager(t, `echo "$VAULT_NAMED$VAULT_KNOWN$VAULT_OTHER"; env | grep -c `+value+` >&2; true`), "session-token", "")
}
