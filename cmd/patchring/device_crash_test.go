package main

import (
	"bufio"
	"crypto/sha512"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/device"
)

// TestDeviceCrashes kills the program at the moments that matter in a switch's upgrade, and
// gives the same command again. Whatever the moment, the switch ends up on the new image,
// committed, and each thing was done to it once.
func TestDeviceCrashes(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for _, cut := range deviceMoments() {
		if testing.Short() && !cut.short {
			continue
		}
		all.Go(func() {
			t.Run(cut.String(), func(t *testing.T) { newDeviceStory(t).crash(t, cut) })
		})
	}
	all.Wait()
}

// deviceMoment is the first event of a kind; or, after it, when the switch shows something.
type deviceMoment struct {
	kind  string
	shows string // an effect of the simulator's; down: nobody can log in
	short bool
}

func (m deviceMoment) String() string { return strings.TrimSuffix(m.kind+"+"+m.shows, "+") }

func deviceMoments() []deviceMoment {
	return []deviceMoment{
		{kind: "step_started_stage"},
		{kind: "step_started_stage", shows: "received"},
		{kind: "step_started_add"},
		{kind: "step_started_add", shows: "added"},
		{kind: "step_started_install"},
		{kind: "step_started_install", shows: "activated"},
		{kind: "step_started_install", shows: "down", short: true},
		{kind: "step_ended_check"},
		{kind: "step_started_commit", short: true},
		{kind: "step_started_commit", shows: "committed"},
		{kind: "step_ended_commit"},
		{kind: "step_started_done"},
	}
}

// deviceStory is one rollout on one switch of its own.
type deviceStory struct {
	story
	device *device.Device
}

func newDeviceStory(t *testing.T) *deviceStory {
	t.Helper()
	spec, err := lab.Load([]byte("version: 1\nenable: s3cret\nhosts: [{name: sw, device: cisco-iosxe}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := lab.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	s := &deviceStory{story{dir: t.TempDir(), fleet: fleet, seen: map[string]int{}}, fleet.Host("sw").Device()}
	if err := fleet.Write(s.dir); err != nil {
		t.Fatal(err)
	}
	image := []byte("new image\n")
	s.write(t, "cat9k_iosxe.17.12.04.SPA.bin", image)
	s.write(t, "net.yaml", fmt.Appendf(nil, `version: 1
name: net
patches:
  - hosts: sw
    image: {version: "17.12.4", file: cat9k_iosxe.17.12.04.SPA.bin, models: ["C9300*"], outage: whole, sha512: %x}
rings: [{name: test, hosts: sw}]
checks: [{hosts: "*", default_diff: true, within: 2s}]
`, sha512.Sum512(image)))
	return s
}

func (s *deviceStory) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *deviceStory) crash(t *testing.T, cut deviceMoment) {
	t.Helper()
	for tries := 0; ; tries++ {
		code, said := s.carryOn(t, cut)
		if code == 0 {
			break
		}
		if code > 0 || tries > 1 {
			t.Fatalf("exit code %d\n%s", code, said)
		}
	}
	if !s.killed {
		t.Errorf("it was never killed")
	}
	s.holds(t)
}

// holds: what was done to the switch is what one run without a kill does.
func (s *deviceStory) holds(t *testing.T) {
	t.Helper()
	done, truth := s.device.Done(), s.device.Truth()
	for effect, want := range map[string]int{"added": 1, "activated": 1, "reload": 1, "committed": 1, "expired": 0, "aborted": 0, "interrupted": 0, "surprised": 0} {
		if got := done.Count(effect); got != want {
			t.Errorf("%s: %d times, want %d", effect, got, want)
		}
	}
	m := truth.Member("1").Values
	if m["version"] != "17.12.04" || m["c"] != "17.12.04" || m["u"] != "" || len(truth.Armed) > 0 {
		t.Errorf("it was left as %v, armed %v", m, truth.Armed)
	}
	if broken := done.Broken; len(broken) > 0 {
		t.Errorf("the simulation is broken: %v", broken)
	}
	for _, a := range done.Answers {
		if !a.Accepted {
			t.Errorf("%q was answered with %q", a.Question, a.Given)
		}
	}
}

// carryOn gives the command once, and kills it when the moment has come: then -1.
func (s *deviceStory) carryOn(t *testing.T, cut deviceMoment) (code int, said string) {
	t.Helper()
	cmd := s.command(t, "ann@desk", "run", "net.yaml", "--accept-no-lock", "--yes", "--json")
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
		if !s.killed && kindOf(lines.Bytes()) == cut.kind {
			s.killed = true
			killing.Go(func() { s.killWhen(t, cmd, cut.shows) })
		}
	}
	killing.Wait()
	_ = cmd.Wait() // its exit code is looked at
	return cmd.ProcessState.ExitCode(), errs.String()
}

// killWhen ends the process as soon as the switch shows it.
func (s *deviceStory) killWhen(t *testing.T, cmd *exec.Cmd, shows string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !s.shown(shows) {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Errorf("it never showed: %s", shows)
			_ = cmd.Process.Kill()
			return
		}
	}
	_ = cmd.Process.Kill() // it may have ended by itself
}

func (s *deviceStory) shown(what string) bool {
	switch what {
	case "":
		return true
	case "down":
		return s.device.Truth().Down
	case "received":
		return slices.ContainsFunc(s.device.Done().Received, func(f string) bool { return strings.HasSuffix(f, ".bin") })
	}
	return s.device.Done().Count(what) > 0
}
