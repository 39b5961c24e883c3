package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/app"
	"github.com/patchring/patchring/pkg/secret"
)

// vaulted is the program as a process of its own, set up as an operator would.
func (s *story) vaulted(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := s.command(t, "ann@desk", args...)
	cmd.Env = append(cmd.Env, "TMPDIR="+filepath.Join(s.dir, "tmp"), "HOME="+filepath.Join(s.dir, "home"), "GOTRACEBACK=all",
		"PATCHRING_AGE_IDENTITY="+filepath.Join(s.dir, "secrets", "age.txt"), "PATCHRING_VAULT_PASSWORD=file:secrets/vault-password",
		sudoVariable+"="+plantedSecrets()[loginSecret])
	return cmd
}

// sudoVariable is named by the inventory; the program itself has it, and nobody else may.
const sudoVariable = "T1_SUDO"

func (s *story) tool(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.dir
	return cmd
}

func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// TestNoSecretLeaves runs a whole rollout in which every secret is used, against hosts that
// repeat them in many forms, and looks for traces in whatever is left of it.
func TestNoSecretLeaves(t *testing.T) {
	s := newVaultedStory(t)
	s.quiet(t, 0, "detect")
	s.quiet(t, 0, "plan", "monthly.yaml")
	s.quiet(t, 0, "run", "monthly.yaml", "--yes", "--junit", "junit.xml")
	s.quiet(t, 0, "run", "monthly.yaml", "--yes", "--json")
	s.quiet(t, 0, "status")
	for _, format := range []string{"table", "json", "markdown", "csv", "junit"} {
		s.quiet(t, 0, "report", "--format", format)
	}
	s.quiet(t, 0, "check", "monthly.yaml", "--json")
	s.quiet(t, 0, "config", "explain", "p1")
	if n := s.search(t); n < 10 {
		t.Errorf("only %d files were looked through", n)
	}
	if !strings.Contains(s.journal(t), secret.Hidden) {
		t.Error("nothing was hidden in the journal: the hosts have repeated nothing")
	}
}

// quiet runs a command that must show no trace.
func (s *story) quiet(t *testing.T, code int, args ...string) string {
	t.Helper()
	out, err := s.vaulted(t, args...).CombinedOutput()
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	}
	if got != code {
		t.Errorf("%q: exit code %d, want %d\n%s", args, got, code, out)
	}
	for _, leak := range leaksIn(out) {
		t.Errorf("%q shows the %s", args, leak)
	}
	return string(out)
}

func (s *story) journal(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, ".patchring", "rollouts", s.id(t), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Errors show none either: wrong passwords, wrong keys, and all stacks of a process that
// was made to tell them.
func TestNoSecretInErrors(t *testing.T) {
	s := newVaultedStory(t)
	for name, wrong := range map[string]string{"vault-password": plantedSecrets()["enable (file:)"], "age.txt": plantedSecrets()["token (exec:)"]} {
		kept := filepath.Join(s.dir, "secrets", name)
		before, err := os.ReadFile(kept)
		if err != nil {
			t.Fatal(err)
		}
		s.put(t, filepath.Join("secrets", name), wrong, 0o600)
		cmd := s.vaulted(t, "detect", "--connect-timeout", "2s")
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() == 0 || len(leaksIn(out)) > 0 {
			t.Errorf("%s: exit code %d, %q\n%s", name, cmd.ProcessState.ExitCode(), leaksIn(out), out)
		}
		s.put(t, filepath.Join("secrets", name), string(before), 0o600)
	}
	cmd := s.vaulted(t, "run", "monthly.yaml", "--yes")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.whenInstalling(t, func() { _ = cmd.Process.Signal(syscall.SIGQUIT) })
	_ = cmd.Wait() // it was made to die
	if !strings.Contains(errs.String(), "goroutine ") || len(leaksIn(errs.Bytes())) > 0 {
		t.Errorf("%q\n%s", leaksIn(errs.Bytes()), errs.String())
	}
	s.search(t)
}

// whenInstalling does something once the journal has come to the first installation.
func (s *story) whenInstalling(t *testing.T, do func()) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			t.Fatal("nothing was installed")
		case <-tick.C:
		}
		files, _ := filepath.Glob(filepath.Join(s.dir, ".patchring", "rollouts", "*", "journal.jsonl"))
		if len(files) == 0 {
			continue
		}
		if raw, err := os.ReadFile(files[0]); err == nil && bytes.Contains(raw, []byte(`"step":"install"`)) {
			do()
			return
		}
	}
}

// TestNoSecretInProcesses looks at the arguments and the environment of every process that
// a run starts, while it runs.
func TestNoSecretInProcesses(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("there is no /proc here")
	}
	s := newVaultedStory(t)
	cmd := s.vaulted(t, "run", "monthly.yaml", "--yes")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	looks, children := 0, map[int]bool{}
	for {
		select {
		case err := <-ended:
			if err != nil || looks == 0 || len(children) == 0 {
				t.Errorf("%v; %d looks, %d child processes: nothing was seen", err, looks, len(children))
			}
			return
		case <-tick.C:
			looks++
			lookAtProcesses(t, cmd.Process.Pid, children)
		}
	}
}

func lookAtProcesses(t *testing.T, root int, children map[int]bool) {
	t.Helper()
	for _, pid := range descendants(root) {
		if pid != root {
			children[pid] = true
		}
		for _, what := range []string{"cmdline", "environ"} {
			if what == "environ" && executable(pid) == executable(root) {
				continue // its own, with what it was given, or a child's that has executed nothing yet
			}
			raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), what))
			if err != nil {
				continue // it has ended
			}
			for _, leak := range leaksIn(raw) {
				t.Errorf("the %s of a process holds the %s", what, leak)
			}
		}
	}
}

// executable is the file that a process has executed; "" where it has ended.
func executable(pid int) string {
	path, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	return path
}

// descendants are a process and all that it has started.
func descendants(root int) []int {
	all := []int{root}
	tasks, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(root), "task", "*", "children"))
	for _, task := range tasks {
		raw, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(raw)) {
			if pid, err := strconv.Atoi(field); err == nil {
				all = append(all, descendants(pid)...)
			}
		}
	}
	return all
}

// TestNoSecretIsExecuted has the kernel's own word for it: every program that is executed,
// with all arguments and the whole environment.
func TestNoSecretIsExecuted(t *testing.T) {
	strace := installed(t, "strace")
	s := newVaultedStory(t)
	inner := s.vaulted(t, "run", "monthly.yaml", "--yes")
	trace := filepath.Join(t.TempDir(), "trace")
	self := filepath.Join(t.TempDir(), "patchring") // by this name the test binary is the program
	if err := os.Symlink(inner.Path, self); err != nil {
		t.Fatal(err)
	}
	cmd := s.tool(t, strace, append([]string{"-f", "-v", "-s", "4096", "-e", "trace=execve,execveat", "-o", trace, self}, inner.Args[1:]...)...)
	cmd.Env = inner.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		if bytes.Contains(out, []byte("ptrace")) {
			t.Skipf("strace can't be used here: %s", out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(raw, []byte("execve(")); n < 2 || !bytes.Contains(raw, []byte("secrets/op")) {
		t.Errorf("%d programs were executed, and the password manager is not among them\n%s", n, raw)
	}
	_, others, _ := bytes.Cut(raw, []byte("\n")) // the first is the program itself, with what it was given
	for _, leak := range leaksIn(others) {
		t.Errorf("something is executed with the %s", leak)
	}
}

// The mutant: without the filter, hosts that repeat secrets have them shown and journaled.
// So the tests above would see it.
func TestWithoutTheFilterSecretsLeave(t *testing.T) {
	for name, filter := range map[string]*secret.Filter{"with": secret.NewFilter(), "without": nil} {
		t.Run(name, func(t *testing.T) {
			s := newVaultedStory(t)
			t.Chdir(s.dir)
			t.Setenv(sudoVariable, plantedSecrets()[loginSecret])
			out := s.within(t, filter)
			all := append([]byte(s.journal(t)), out...)
			if leaks := leaksIn(all); (len(leaks) == 0) != (filter != nil) {
				t.Errorf("%q", leaks)
			}
			for _, leak := range leaksIn([]byte(s.journal(t))) {
				t.Log("journal:", leak)
			}
		})
	}
}

// within runs the rollout in this process, so that it can be changed.
func (s *story) within(t *testing.T, filter *secret.Filter) []byte {
	t.Helper()
	var out bytes.Buffer
	w := filter.Writer(&out)
	c := &cli{env: app.Env{
		In: strings.NewReader(""), Out: w, Err: w, Secrets: app.Secrets{Filter: filter}, Home: s.dir, Actor: "ann@desk", Plain: true,
		Now: time.Now, Random: rand.Reader, Stop: make(chan struct{}), Version: "test",
	}}
	code := c.execute(t.Context(), []string{
		"run", "monthly.yaml", "--yes", "--ssh-config", "none", "--age-identity", "secrets/age.txt", "--vault-password", "file:secrets/vault-password",
	})
	if err := w.Flush(); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s", code, err, out.Bytes())
	}
	return out.Bytes()
}
