package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/lab"
)

// planted is a secret of the inventory that no hostile host may hear.
const planted = "pl4nted-become-Password"

// hostileFleet is a fleet in which one production host is hostile in each way, a folder
// for the program, and all that the program printed.
type hostileFleet struct {
	*lab.Fleet
	base, dir string
	said      map[string][]byte
	rss       int64 // the most memory that a command had, in KiB
}

// harmless are the ways of being hostile that a host can live with: what it does harms
// nobody, or itself alone.
func harmless() []lab.Hostility {
	return []lab.Hostility{"agent_hijack", "banner_flood", "endless_files", "fake_sudo_prompt", "sftp_names", "symlink_job_dir", "lying_versions"}
}

// apart have tests of their own: with them a fleet needs minutes.
func apart() []lab.Hostility { return []lab.Hostility{"dribble"} }

func newHostileFleet(t *testing.T, ways ...lab.Hostility) *hostileFleet {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "hostile", "fleet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := lab.Load(raw)
	if err != nil {
		t.Fatal(err)
	}
	honest := spec.Hosts[len(spec.Hosts)-1]
	for _, way := range ways {
		h := honest
		h.Name, h.Hostile = hostileName(way), []lab.Hostility{way}
		spec.Hosts = append(spec.Hosts, h)
	}
	fleet, err := lab.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	f := &hostileFleet{Fleet: fleet, base: t.TempDir(), said: map[string][]byte{}}
	f.dir = filepath.Join(f.base, "work")
	for _, name := range []string{"work", "home", "tmp"} {
		if err := os.MkdirAll(filepath.Join(f.base, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f.write(t)
	return f
}

func hostileName(way lab.Hostility) string {
	return "h-" + strings.ReplaceAll(string(way), "_", "-")
}

// write puts the files of a user there; the inventory has a password for sudo.
func (f *hostileFleet) write(t *testing.T) {
	t.Helper()
	if err := f.Write(f.dir); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(f.dir, "inventory.yaml")
	inventory, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(string(inventory), "credentials: {key:", "credentials: {become: env:PLANTED, key:", 1)
	if with == string(inventory) {
		t.Fatalf("no credentials in\n%s", inventory)
	}
	book, err := os.ReadFile(filepath.Join("testdata", "hostile", "monthly.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{name: with, filepath.Join(f.dir, "monthly.yaml"): string(book)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// files lists all that there is below the base, but for the state folder.
func (f *hostileFleet) files(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(f.base, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".patchring" {
			return fs.SkipDir
		}
		out = append(out, strings.TrimPrefix(path, f.base))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run gives a command as a process of its own, and keeps what it says.
func (f *hostileFleet) run(t *testing.T, args ...string) []byte {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, append(args, "--connect-timeout", "3s")...)
	cmd.Args[0] = "patchring"
	cmd.Dir = f.dir
	cmd.Env = []string{
		"HOME=" + filepath.Join(f.base, "home"), "TMPDIR=" + filepath.Join(f.base, "tmp"), "PATH=/usr/bin:/bin", "CI=true",
		"PATCHRING_SSH_CONFIG=none", testActor + "=ann@desk", "PLANTED=" + planted,
	}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err = cmd.Start()
	if err == nil {
		f.rss = max(f.rss, peak(cmd))
		err = cmd.Wait()
	}
	t.Logf("%v took %v: exit code %d", args, time.Since(began).Round(time.Millisecond), cmd.ProcessState.ExitCode())
	if ctx.Err() != nil {
		t.Fatalf("%s does not end", args)
	}
	if code := cmd.ProcessState.ExitCode(); code == 2 || code < 0 {
		t.Fatalf("%s: %v\n%.3000s\n%.3000s", args, err, out.String(), errs.String())
	}
	f.said[fmt.Sprint(args, " stdout")] = []byte(out.String())
	f.said[fmt.Sprint(args, " stderr")] = []byte(errs.String())
	return []byte(out.String())
}

// peak is the most memory that a process has until it ends, in KiB; 0 where the system
// does not tell. What wait(2) says is of no use: it counts what the parent had.
func peak(cmd *exec.Cmd) (most int64) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		_, line, found := strings.Cut(string(status), "VmHWM:")
		if err != nil || !found {
			return most
		}
		var now int64
		if _, err := fmt.Sscan(line, &now); err == nil {
			most = max(most, now)
		}
	}
	return most
}

// TestHostileFleet: one hostile host of each kind beside honest ones, through everything
// that looks at hosts, changes them or tells of them.
func TestHostileFleet(t *testing.T) {
	var ways []lab.Hostility
	for _, a := range lab.Hostilities() {
		if !slices.Contains(apart(), a.Name) {
			ways = append(ways, a.Name)
		}
	}
	f := newHostileFleet(t, ways...)
	before := f.files(t)
	f.run(t, "detect")
	f.run(t, "detect", "--json")
	f.run(t, "doctor")
	f.run(t, "plan", "monthly.yaml")
	f.run(t, "run", "monthly.yaml", "--yes")
	id := f.id(t)
	f.run(t, "run", "monthly.yaml", "--yes", "--json")
	f.run(t, "check", "monthly.yaml")
	f.run(t, "status")
	for _, format := range []string{"table", "markdown", "csv", "junit"} {
		f.run(t, "report", id, "--format", format)
	}
	f.judge(t, f.run(t, "report", id, "--format", "json"), ways)
	f.clean(t)
	if after := f.files(t); !slices.Equal(before, after) {
		t.Errorf("files outside of the state folder: %q instead of %q", after, before)
	}
	f.heardNothing(t)
	if most := int64(512 << 10); f.rss > most {
		t.Errorf("a command took %d KiB", f.rss)
	}
	t.Logf("at most %d KiB", f.rss)
}

func (f *hostileFleet) id(t *testing.T) string {
	t.Helper()
	ids, err := os.ReadDir(filepath.Join(f.dir, ".patchring", "rollouts"))
	if err != nil || len(ids) != 1 {
		t.Fatalf("rollouts: %v, %v", ids, err)
	}
	return ids[0].Name()
}

// TestHostileDribble: a command that prints a byte now and then, and never ends, ends by the
// bound that it has.
func TestHostileDribble(t *testing.T) {
	f := newHostileFleet(t, "dribble")
	t.Chdir(f.dir)
	t.Setenv("HOME", filepath.Join(f.base, "home"))
	t.Setenv("PATCHRING_SSH_CONFIG", "none")
	t.Setenv("PLANTED", planted)
	var out strings.Builder
	c := &cli{env: environment(make(chan struct{}))}
	c.env.Out, c.env.Err, c.env.OutTTY, c.env.ErrTTY = &out, &out, false, false
	code := c.execute(connect.WithPatience(t.Context(), 2*time.Second), []string{"detect", "honest-1,h-dribble"})
	if code != 1 || !strings.Contains(out.String(), "has no end") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

// judge: honest hosts are healthy, and no hostile one is that must not be.
func (f *hostileFleet) judge(t *testing.T, document []byte, ways []lab.Hostility) {
	t.Helper()
	var rollout struct {
		Hosts []struct {
			Host, State string
			Reasons     []string
		}
	}
	if err := json.Unmarshal(document, &rollout); err != nil {
		t.Fatal(err)
	}
	state := map[string]string{}
	for _, h := range rollout.Hosts {
		_, name, _ := strings.Cut(h.Host, "/")
		state[name] = h.State
		t.Logf("%-22s %-12s %.200q", name, h.State, h.Reasons)
	}
	for _, name := range []string{"honest-test", "honest-1", "honest-2"} {
		if state[name] != "healthy" || f.Host(name).Effects().Times("nginx") != 1 {
			t.Errorf("%s is %q", name, state[name])
		}
	}
	for _, way := range ways {
		got := state[hostileName(way)]
		well := slices.Contains([]string{"failed", "unknown", "unreachable", "nothing"}, got) || got == "healthy" && slices.Contains(harmless(), way)
		if !well {
			t.Errorf("a host with %s is %q", way, got)
		}
	}
}

// heardNothing: no secret was told to a host that had no right to it.
func (f *hostileFleet) heardNothing(t *testing.T) {
	t.Helper()
	for _, name := range f.Names() {
		heard := string(f.Host(name).Heard())
		if strings.Contains(heard, planted) {
			t.Errorf("%s heard a secret", name)
		}
		if strings.Contains(heard, lab.Hijacked) {
			t.Errorf("%s opened a channel to us", name)
		}
	}
}
