package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
)

// TestCrashMatrix kills the program at the first and at the last event of every kind, and
// of every step, of a rollout that has a bit of everything: a soak, an approval, drains,
// hooks, a reboot, a host that falls sick and is begun again. Then the same command is
// given again, until the end. What the fleet counted is what it counts without the kill.
func TestCrashMatrix(t *testing.T) {
	whole := newStory(t)
	seen := whole.play(t, moment{})
	want := whole.ending(t)
	for _, problem := range want.problems() {
		t.Error(problem)
	}
	if t.Failed() {
		t.FailNow()
	}
	var all sync.WaitGroup
	room := make(chan struct{}, crashesAtOnce)
	for _, cut := range moments(seen) {
		if cut.nth > 1 && testing.Short() {
			continue
		}
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			t.Run(cut.String(), func(t *testing.T) { crash(t, cut, want) })
		})
	}
	all.Wait()
}

// crashesAtOnce: the plays wait for each other's sleeps more than for a processor.
const crashesAtOnce = 8

func crash(t *testing.T, cut moment, want ending) {
	s := newStory(t)
	s.play(t, cut)
	if !s.killed {
		t.Logf("it came to its end without that event")
	}
	if got := s.ending(t); !reflect.DeepEqual(got, want) {
		t.Errorf("ended otherwise\ngot  %+v\nwant %+v", got, want)
	}
}

// moment is the nth event of a kind. The zero moment never comes.
type moment struct {
	kind string
	nth  int
}

func (m moment) String() string { return fmt.Sprintf("%s#%d", m.kind, m.nth) }

// moments are the first and the last of every kind.
func moments(seen map[string]int) []moment {
	var all []moment
	for _, kind := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, moment{kind, 1})
		if seen[kind] > 1 && kind != "sampled" { // how many samples there are is the clock's
			all = append(all, moment{kind, seen[kind]})
		}
	}
	return all
}

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
	for began := time.Now(); time.Since(began) < time.Minute; {
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
const soaks = 300 * time.Millisecond

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
	shot := false
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		if kind := kindOf(lines.Bytes()); kind != "" && !shot {
			s.seen[kind]++
			if !s.killed && (cut == moment{kind, s.seen[kind]}) {
				s.killed, shot = true, true
				_ = cmd.Process.Kill() // it may have ended by itself
			}
		}
	}
	_ = cmd.Wait() // its exit code is looked at
	if shot {
		return -1, ""
	}
	return cmd.ProcessState.ExitCode(), errs.String()
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

// ending is what is left in the end: what patchring says, and what was really done.
type ending struct {
	Phase string
	Hosts []standing
	Calls map[string]int // of lab-count, on the load balancer and the hosts themselves
	Quiet []string       // hosts whose alerts are still silenced
}

type standing struct {
	Host, State  string
	Drained      bool
	Transactions []string
	Reboots      int
	Locked       bool
}

func (s *story) ending(t *testing.T) ending {
	t.Helper()
	var doc struct {
		Phase string
		Hosts []struct {
			Host, State string
			Drained     bool
		}
	}
	if err := json.Unmarshal(s.say(t, "status", s.id(t), "--json"), &doc); err != nil {
		t.Fatal(err)
	}
	end := ending{Phase: doc.Phase, Calls: map[string]int{}, Quiet: s.alerts.left()}
	for _, h := range doc.Hosts {
		host := s.fleet.Host(strings.TrimPrefix(h.Host, "default/"))
		effects := host.Effects()
		got := standing{Host: h.Host, State: h.State, Drained: h.Drained, Reboots: effects.Reboots}
		for _, done := range effects.Transactions {
			got.Transactions = append(got.Transactions, done.Package+" "+done.To)
		}
		got.Locked = host.Exec(t.Context(), io.Discard, io.Discard, "/usr/bin/test", "-e", "/var/lib/patchring/lock") == 0
		end.Hosts = append(end.Hosts, got)
	}
	slices.SortFunc(end.Hosts, func(a, b standing) int { return cmp.Compare(a.Host, b.Host) })
	for _, name := range s.fleet.Names() {
		for call, n := range s.fleet.Host(name).Effects().Counts {
			end.Calls[name+": "+call] = n
		}
	}
	return end
}

// problems are what is wrong with an ending by itself, whatever it is compared with.
func (e ending) problems() []string {
	var all []string
	for _, h := range e.Hosts {
		slices.Sort(h.Transactions)
		switch {
		case h.State != "healthy", h.Drained, h.Locked:
			all = append(all, fmt.Sprintf("%s was not brought to its end: %+v", h.Host, h))
		case len(slices.Compact(h.Transactions)) != len(h.Transactions), h.Reboots > 1:
			all = append(all, fmt.Sprintf("%s was patched twice: %+v", h.Host, h))
		}
	}
	if len(e.Quiet) > 0 {
		all = append(all, fmt.Sprintf("alerts are still quiet: %v", e.Quiet))
	}
	if len(e.Hosts) != 4 || len(e.Calls) == 0 {
		all = append(all, fmt.Sprintf("that was not the story: %+v", e))
	}
	for call, n := range e.Calls {
		// The host that fell sick was begun twice, and put back once.
		twice := strings.HasSuffix(call, "drain p2") || strings.HasSuffix(call, "backup p2")
		if n != 1 && !(n == 2 && twice) {
			all = append(all, fmt.Sprintf("%s: %d times", call, n))
		}
	}
	slices.Sort(all)
	return all
}
