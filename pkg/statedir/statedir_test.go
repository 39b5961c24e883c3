package statedir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

func day() time.Time { return time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC) }

func fresh(t *testing.T) *Dir {
	t.Helper()
	return reopen(t, filepath.Join(t.TempDir(), "state"))
}

func reopen(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func create(t *testing.T, d *Dir, id, playbook string, at time.Time) *Rollout {
	t.Helper()
	r, err := d.Create(About{ID: id, Playbook: playbook, Site: "hq", Created: at}, []byte("{}\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestLayout(t *testing.T) {
	d := fresh(t)
	r := create(t, d, "2026-11-21-monthly-7f3a", "monthly", day())
	if _, err := r.Lock(Me(day())); err != nil {
		t.Fatal(err)
	}
	var tree []string
	err := filepath.Walk(d.Path(), func(name string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[info.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
		rel, err := filepath.Rel(d.Path(), name)
		tree = append(tree, filepath.ToSlash(rel))
		return err
	})
	want := `. VERSION known_hosts rollouts rollouts/2026-11-21-monthly-7f3a ` +
		`rollouts/2026-11-21-monthly-7f3a/about.json rollouts/2026-11-21-monthly-7f3a/journal.jsonl ` +
		`rollouts/2026-11-21-monthly-7f3a/lock rollouts/2026-11-21-monthly-7f3a/plan.json store`
	if got := strings.Join(tree, " "); err != nil || got != want {
		t.Errorf("the folder is\n%s\nwant\n%s (%v)", got, want, err)
	}
	if plan, err := r.Plan(); err != nil || string(plan) != "{}\n" {
		t.Errorf("the plan is %q, %v", plan, err)
	}
	if root, err := d.Store(); err != nil {
		t.Error(err)
	} else if err := root.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	d := fresh(t)
	if err := os.WriteFile(filepath.Join(d.Path(), "VERSION"), []byte("2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d.Path()); fault.CodeOf(err) != fault.Unsupported || fault.HintOf(err) == "" {
		t.Errorf("a newer layout: %v", err)
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(open); fault.CodeOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "chmod 700") {
		t.Errorf("a folder that anybody may write to: %v", err)
	}
}

func TestKnownHosts(t *testing.T) {
	d := fresh(t)
	if path, err := d.KnownHosts("hq"); err != nil || path != filepath.Join(d.Path(), "known_hosts", "hq") {
		t.Errorf("%s, %v", path, err)
	}
	for _, site := range []string{"", "..", "../../etc", "a/b", `a\b`, ".hidden", "nul\x00"} {
		if path, err := d.KnownHosts(site); err == nil {
			t.Errorf("site %q leads to %s", site, path)
		}
	}
}

func TestNewID(t *testing.T) {
	for playbook, want := range map[string]string{
		"monthly":               "2026-11-21-monthly-7f3a",
		"Web & DB / Überall":    "2026-11-21-web---db----berall-7f3a",
		"../../etc":             "2026-11-21-etc-7f3a",
		"":                      "2026-11-21-rollout-7f3a",
		strings.Repeat("x", 99): "2026-11-21-" + strings.Repeat("x", 32) + "-7f3a",
	} {
		got, err := NewID(day(), playbook, bytes.NewReader([]byte{0x7f, 0x3a}))
		if err != nil || got != want || !validID(got) {
			t.Errorf("%q: %s, %v; want %s", playbook, got, err, want)
		}
	}
	if _, err := NewID(day(), "x", bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestRollouts(t *testing.T) {
	d := fresh(t)
	create(t, d, "b", "monthly", day())
	create(t, d, "a", "monthly", day().Add(time.Hour))
	create(t, d, "c", "weekly", day().Add(-time.Hour))
	if err := os.MkdirAll(filepath.Join(d.Path(), "rollouts", ".new-dead"), 0o700); err != nil {
		t.Fatal(err)
	}
	all, err := d.Rollouts()
	if got := ids(all); err != nil || got != "c b a" {
		t.Errorf("all are %s, %v", got, err)
	}
	of, err := d.Of("monthly", "hq")
	if got := ids(of); err != nil || got != "a b" {
		t.Errorf("of monthly are %s, %v", got, err)
	}
	if of, err := d.Of("monthly", "acme"); err != nil || len(of) != 0 {
		t.Errorf("of another site: %v, %v", of, err)
	}
}

func ids(all []About) string {
	var out []string
	for _, a := range all {
		out = append(out, a.ID)
	}
	return strings.Join(out, " ")
}

func TestRolloutRefuses(t *testing.T) {
	d := fresh(t)
	create(t, d, "a", "monthly", day())
	for _, id := range []string{"", "nosuch", "..", "../rollouts/a", "A", "-a", strings.Repeat("a", 65)} {
		if _, err := d.Rollout(id); fault.CodeOf(err) != fault.Usage {
			t.Errorf("rollout %q: %v", id, err)
		}
	}
	if _, err := d.Create(About{ID: "a"}, nil); err == nil {
		t.Error("a rollout was created over another")
	}
	if _, err := d.Create(About{ID: "../x"}, nil); err == nil {
		t.Error("a rollout was created elsewhere")
	}
	about := filepath.Join(d.Path(), "rollouts", "a", "about.json")
	for _, bad := range []string{`{"rollout":"b"}`, `{`} {
		if err := os.WriteFile(about, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Rollout("a"); err == nil {
			t.Errorf("about.json %s was taken", bad)
		}
		if _, err := d.Rollouts(); err == nil {
			t.Errorf("a rollout that can't be read was passed over in silence")
		}
	}
}

func TestLock(t *testing.T) {
	d := fresh(t)
	r := create(t, d, "a", "monthly", day())
	lock, err := r.Lock(Owner{PID: 42, Host: "desk", User: "jane", Since: day()})
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Rollout("a")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	_, err = again.Lock(Me(day()))
	if fault.CodeOf(err) != fault.Locked || !strings.Contains(err.Error(), "jane@desk, process 42, since 2026-11-21T22:00:00Z") || fault.HintOf(err) == "" {
		t.Errorf("a lock that is held: %v", err)
	}
	whole, err := d.Lock(Me(day()))
	if err != nil {
		t.Errorf("the folder's lock is another one: %v", err)
	}
	if err := errors.Join(lock.Release(), whole.Release()); err != nil {
		t.Fatal(err)
	}
	lock, err = again.Lock(Me(day()))
	if err != nil {
		t.Fatalf("after it was released: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// What stands in the lock file is for people only: rubbish in it changes nothing.
func TestLockFileRubbish(t *testing.T) {
	d := fresh(t)
	lock, err := d.Lock(Me(day()))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release() //nolint:errcheck // the end of the test
	if err := os.WriteFile(filepath.Join(d.Path(), "lock"), []byte(`{"pid":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock(Me(day())); fault.CodeOf(err) != fault.Locked || !strings.Contains(err.Error(), "another process") {
		t.Errorf("%v", err)
	}
}

// A process that is killed leaves its lock file, and no lock.
func TestLockEndsWithItsProcess(t *testing.T) {
	if path := os.Getenv("PATCHRING_TEST_HOLD"); path != "" {
		hold(path)
		return
	}
	d := fresh(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLockEndsWithItsProcess$")
	child.Env = append(os.Environ(), "PATCHRING_TEST_HOLD="+d.Path())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "held\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	if _, err := d.Lock(Me(day())); fault.CodeOf(err) != fault.Locked || !strings.Contains(err.Error(), strconv.Itoa(child.Process.Pid)) {
		t.Errorf("while the child holds it: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	lock, err := d.Lock(Me(day()))
	if err != nil {
		t.Fatalf("after the child was killed: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// hold is the child: it locks, says so, and waits to be killed.
func hold(path string) {
	d, err := Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := d.Lock(Me(time.Now())); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("held")
	select {}
}

// A process that died while creating leaves nothing that counts, and is no obstacle.
func TestCreateAfterACrash(t *testing.T) {
	d := fresh(t)
	left := filepath.Join(d.Path(), "rollouts", ".new-a")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "plan.json"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := create(t, d, "a", "monthly", day())
	if plan, err := r.Plan(); err != nil || string(plan) != "{}\n" {
		t.Errorf("the plan is %q, %v", plan, err)
	}
}
