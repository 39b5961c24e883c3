package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
)

// story is one rollout against a fleet of its own.
type story struct {
	dir     string
	fleet   *lab.Fleet
	alerts  *alertmanager
	manager string // its URL
	seen    map[string]int
	killed  bool
}

func newStory(t *testing.T) *story {
	t.Helper()
	fleetFile, err := os.ReadFile(filepath.Join("testdata", "crash", "fleet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := lab.Load(fleetFile)
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := lab.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	dir := t.TempDir()
	alerts := &alertmanager{log: filepath.Join(dir, "alerts.log"), host: map[string]string{}}
	server := alerts.serve()
	t.Cleanup(server.Close)
	s := &story{dir: dir, fleet: fleet, alerts: alerts, manager: server.URL, seen: map[string]int{}}
	if err := fleet.Write(s.dir); err != nil {
		t.Fatal(err)
	}
	s.add(t, "site.yaml", "inventory.yaml")
	s.add(t, "monthly.yaml", "monthly.yaml")
	return s
}

// add puts a file of testdata at the end of one of the story's.
func (s *story) add(t *testing.T, from, to string) {
	t.Helper()
	more, err := os.ReadFile(filepath.Join("testdata", "crash", from))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(s.dir, to), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(strings.ReplaceAll(string(more), "$AM", s.manager)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// play carries the rollout to its end as its people would, and tells how many events of
// each kind there were.
func (s *story) play(t *testing.T, cut moment) map[string]int {
	t.Helper()
	approved, retried := false, false
	for range 100 { // a slow machine takes more rounds to soak, and none of them is wrong
		code, out := s.run(t, cut)
		switch {
		case code < 0: // killed
		case code == 8: // it soaks
			<-time.After(soaks)
		case code == 0:
			return s.seen
		case code == 7 && !approved:
			approved = true
			s.say(t, "approve", s.id(t), "--ring", "production")
		case code == 4 && !retried:
			retried = true
			s.fleet.Host("p2").Exec(t.Context(), io.Discard, io.Discard, "/usr/bin/lab-mend")
			s.say(t, "retry", s.id(t), "--reason", "repaired")
		default:
			t.Fatalf("exit code %d\n%s", code, out)
		}
	}
	t.Fatal("it does not come to its end")
	return nil
}

// soaks is how long somebody who is told to wait does before trying again.
const soaks = 700 * time.Millisecond

// run gives the command once, and kills it when the moment has come. Its own exit code,
// or -1 when it was killed.
func (s *story) run(t *testing.T, cut moment) (code int, said string) {
	t.Helper()
	cmd := s.command(t, "ann@desk", "run", "monthly.yaml", "--yes", "--json", "--detailed-exitcode")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var killing sync.WaitGroup
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		kind := kindOf(lines.Bytes())
		s.seen[kind]++
		if !s.killed && kind == cut.kind && s.seen[kind] == cut.nth {
			s.killed = true
			before := s.effects()
			killing.Go(func() { s.kill(t.Context(), cmd, cut, before) })
		}
	}
	killing.Wait()
	_ = cmd.Wait() // its exit code is looked at
	return cmd.ProcessState.ExitCode(), errs.String()
}

// kill ends the process at once, or as soon as the fleet shows an effect of what it does.
func (s *story) kill(ctx context.Context, cmd *exec.Cmd, cut moment, before string) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(atWork)
	defer limit.Stop()
	for waiting := cut.during && s.effects() == before; waiting; {
		select {
		case <-tick.C:
			waiting = s.effects() == before
		case <-limit.C:
			waiting = false // that one had none
		case <-ctx.Done():
			waiting = false
		}
	}
	_ = cmd.Process.Kill() // it may have ended by itself
}

// atWork is how long a step's effect is waited for; the story's steps have theirs at once.
const atWork = 2 * time.Second

// effects is all that was done to the fleet.
func (s *story) effects() string {
	all := map[string]any{"quiet": s.alerts.left()}
	for _, name := range s.fleet.Names() {
		e := s.fleet.Host(name).Effects()
		all[name] = []any{e.Transactions, e.Work, e.Counts}
	}
	return fmt.Sprint(all)
}

// kindOf is the kind of an event, and of a step's the step.
func kindOf(line []byte) string {
	var m struct{ Type, Event, Host, Step string }
	if err := json.Unmarshal(line, &m); err != nil || m.Type != "event" {
		return ""
	}
	if m.Host == "" {
		return m.Event
	}
	return m.Event + "_" + m.Step
}

// command is the program as a process of its own. It is killed with the test.
func (s *story) command(t *testing.T, actor string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0] = "patchring"
	cmd.Dir = s.dir
	cmd.Env = []string{"HOME=" + s.dir, "PATH=/usr/bin:/bin", "CI=true", "PATCHRING_SSH_CONFIG=none", testActor + "=" + actor}
	return cmd
}

// say gives a command that must succeed, in the name of an approver.
func (s *story) say(t *testing.T, args ...string) []byte {
	t.Helper()
	var errs strings.Builder
	cmd := s.command(t, "jane@hq.example", args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", args[0], err, errs.String())
	}
	return out
}

func (s *story) id(t *testing.T) string {
	t.Helper()
	ids, err := os.ReadDir(filepath.Join(s.dir, ".patchring", "rollouts"))
	if err != nil || len(ids) != 1 {
		t.Fatalf("rollouts: %v, %v", ids, err)
	}
	return ids[0].Name()
}
