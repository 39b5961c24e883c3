package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is the program as well, so that scripts run it as its users do.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"patchring": program})
}

// The test binary alone hears who types, and what time it is: an approval is never the
// starter's, and windows and soaks last for days.
const (
	testActor = "PATCHRING_TEST_ACTOR"
	testNow   = "PATCHRING_TEST_NOW"   // what time it is when the program starts
	testClock = "PATCHRING_TEST_CLOCK" // since when all clocks run how many times as fast: 1763776800s60
)

// program is main, by whom and when a test says.
func program() {
	ctx, stop, done := interruptible(context.Background(), os.Stderr)
	env := environment(stop)
	if actor := os.Getenv(testActor); actor != "" {
		env.Actor = actor
	}
	if now := clockOf(os.Getenv(testNow), os.Getenv(testClock)); now != nil {
		env.Now = now
	}
	c := &cli{env: env, letGo: func() { signal.Reset(os.Interrupt, syscall.SIGTERM) }}
	code := c.execute(ctx, os.Args[1:])
	done()
	os.Exit(code)
}

// stage is what a script's own commands share.
type stage struct {
	t     *testing.T
	ctx   context.Context
	fleet *lab.Fleet
	root  string // of the repository
	// watcher is of the scripts that watch devices go down.
	watcher *watcher
}

type stageKey struct{}

// TestScripts runs every script of testdata/script: the whole program, against a
// simulated fleet that lives in this process and counts what is done to it.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("CI", "true")
			env.Setenv("SSH_AUTH_SOCK", "")
			env.Setenv("PATCHRING_SSH_CONFIG", "none")
			env.Values[stageKey{}] = &stage{t: t, ctx: t.Context(), root: root}
			return nil
		},
		Cmds: both(deviceCommands(), map[string]func(*testscript.TestScript, bool, []string){
			"fleet":    fleetCommand,
			"exitcode": exitCodeCommand,
			"changed":  changedCommand,
			"rebooted": rebootedCommand,
			"await":    awaitCommand,
			"onhost":   onHostCommand,
			"rollout":  rolloutCommand,
			"clock":    clockCommand,
			"fill":     fillCommand,
			"counted":  countedCommand,
			"apart":    apartCommand,
			"after":    afterCommand,
			"port":     portCommand,
			"alerts":   alertsCommand,
			"auditor":  auditorCommand,
		}),
	})
}

// both are the commands of two tables.
func both(a, b map[string]func(*testscript.TestScript, bool, []string)) map[string]func(*testscript.TestScript, bool, []string) {
	maps.Copy(a, b)
	return a
}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value(stageKey{}).(*stage) }

// fleetCommand: `fleet DIR [FILE [MORE]]` brings a fleet up (the demo's without FILE) and
// writes inventory.yaml, known_hosts and a key into DIR. MORE is put at the inventory's end.
func fleetCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 3 {
		ts.Fatalf("usage: fleet DIR [FILE [MORE]]")
	}
	spec := lab.Demo()
	if len(args) >= 2 {
		loaded, err := lab.Load([]byte(ts.ReadFile(args[1])))
		ts.Check(err)
		spec = loaded
		spec.Files = os.DirFS(filepath.Dir(ts.MkAbs(args[1])))
	}
	s := stageOf(ts)
	fleet, err := lab.Start(s.ctx, spec)
	ts.Check(err)
	ts.Defer(func() { closeFleet(s, ts.Name(), fleet) })
	s.fleet = fleet
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(fleet.Write(dir))
	if len(args) == 3 {
		name := filepath.Join(dir, "inventory.yaml")
		ts.Check(os.WriteFile(name, []byte(ts.ReadFile(name)+ts.ReadFile(args[2])), 0o600))
	}
}

// closeFleet ends a fleet. What a script asked for that is not simulated must not
// have looked like a success.
func closeFleet(s *stage, script string, fleet *lab.Fleet) {
	for _, name := range fleet.Names() {
		for _, complaint := range fleet.Host(name).Complaints() {
			s.t.Errorf("%s: %s: %s", script, name, complaint)
		}
	}
	for _, broken := range brokenDevices(fleet) {
		s.t.Errorf("%s: %s", script, broken)
	}
	fleet.Close()
}

// exitCodeCommand: `exitcode N COMMAND…` runs a command that must exit with N.
func exitCodeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// changedCommand: `changed HOST PACKAGE N` asks the fleet how often a package was
// changed on a host; with * for all packages of the host.
func changedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: changed HOST PACKAGE|* N")
	}
	effects := hostOf(ts, args[0]).Effects()
	got := len(effects.Transactions)
	if args[1] != "*" {
		got = effects.Times(args[1])
	}
	count(ts, got, args[2])
}

// rebootedCommand: `rebooted HOST N` asks the fleet how often a host was restarted.
func rebootedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rebooted HOST N")
	}
	count(ts, hostOf(ts, args[0]).Effects().Reboots, args[1])
}

func hostOf(ts *testscript.TestScript, name string) *lab.Host {
	s := stageOf(ts)
	if s.fleet == nil {
		ts.Fatalf("no fleet is up")
	}
	host := s.fleet.Host(name)
	if host == nil {
		ts.Fatalf("no host %s in the fleet", name)
	}
	return host
}

func count(ts *testscript.TestScript, got int, want string) {
	n, err := strconv.Atoi(want)
	ts.Check(err)
	if got != n {
		ts.Fatalf("the fleet counted %d, want %d", got, n)
	}
}

// onHostCommand: `onhost HOST COMMAND…` runs a command as root on a host's console.
func onHostCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: onhost HOST COMMAND ARG…")
	}
	var out bytes.Buffer
	if code := hostOf(ts, args[0]).Exec(stageOf(ts).ctx, &out, &out, args[1:]...); code != 0 {
		ts.Fatalf("exit status %d: %s", code, out.String())
	}
}

// awaitCommand: `await GLOB REGEXP` waits until a file that matches holds a match.
func awaitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await GLOB REGEXP")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(stageOf(ts).ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds(ts, args[0], pattern) {
		select {
		case <-ctx.Done():
			ts.Fatalf("no file %s came to hold %s", args[0], pattern)
		case <-tick.C:
		}
	}
}

func holds(ts *testscript.TestScript, glob string, pattern *regexp.Regexp) bool {
	files, err := filepath.Glob(ts.MkAbs(glob))
	ts.Check(err)
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && pattern.Match(text) {
			return true
		}
	}
	return false
}
