package job

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// host runs the scripts on this machine, in a private folder, under one shell.
type host struct {
	t      *testing.T
	folder string // of all jobs
	path   string // a folder where "sh" is the shell under test
	uid    uint32
	tools  string // PATH after that folder; empty: this machine's
	place  *Place // nil: In(folder)
}

// at is where the jobs of the host live.
func (h host) at() Place {
	if h.place != nil {
		return *h.place
	}
	return In(h.folder)
}

// eachShell runs the test under every shell that is here.
func eachShell(t *testing.T, test func(host)) {
	t.Helper()
	t.Parallel() // these wait far more than they work
	for _, shell := range []string{"dash", "bash", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			test(newHost(t, shell))
		})
	}
}

func newHost(t *testing.T, shell string) host {
	t.Helper()
	program, err := exec.LookPath(shell)
	if err != nil {
		t.Skipf("needs %s: %v", shell, err)
	}
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(root, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(bin, "sh")); err != nil {
		t.Fatal(err)
	}
	return host{t: t, folder: filepath.Join(root, "patchring", "jobs"), path: bin}
}

func (h host) run(c remote.Command) remote.Result {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(h.path, "sh"), c.Argv[1:]...)
	cmd.Env = []string{"PATH=" + h.path + ":" + cmp.Or(h.tools, os.Getenv("PATH")), "http_proxy=http://proxy.example:3128", "HOME=" + h.home()}
	cmd.Stdin = bytes.NewReader(c.Stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(h.uid)}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		h.t.Fatalf("%v: %v", exit, err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

// home is the home folder of who logs in.
func (h host) home() string { return filepath.Join(filepath.Dir(h.path), "home") }

func credential(uid uint32) *syscall.Credential {
	if uid == 0 {
		return nil
	}
	return &syscall.Credential{Uid: uid, Gid: uid}
}

func (h host) start(s Spec) remote.Result {
	h.t.Helper()
	c, err := h.at().Start(s)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.run(c)
}

// started fails the test unless the start succeeded with this word.
func (h host) started(s Spec, want string) {
	h.t.Helper()
	if r := h.start(s); !r.OK() || strings.TrimSpace(string(r.Out)) != want {
		h.t.Fatalf("start: want %q, got %d %q %q", want, r.Code, r.Out, r.Err)
	}
}

// refused fails the test unless the start failed with this status.
func (h host) refused(s Spec, code int, words string) {
	h.t.Helper()
	if r := h.start(s); r.Code != code || !strings.Contains(string(r.Err), words) {
		h.t.Fatalf("start: want %d with %q, got %d %q %q", code, words, r.Code, r.Out, r.Err)
	}
}

func (h host) look(id string, wait time.Duration) Status {
	h.t.Helper()
	return Read(h.run(h.at().Look(id, wait)))
}

// stands fails the test unless the job is found in this state.
func (h host) stands(id string, wait time.Duration, want State) Status {
	h.t.Helper()
	s := h.look(id, wait)
	if s.State != want {
		h.t.Fatalf("look: want %s, got %+v", want, s)
	}
	return s
}

func (h host) file(parts ...string) string {
	return filepath.Join(append([]string{h.folder}, parts...)...)
}

func (h host) write(text string, parts ...string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.file(parts...)), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.file(parts...), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h host) read(parts ...string) string {
	h.t.Helper()
	text, err := os.ReadFile(h.file(parts...))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// counting is a job whose effect can be counted: one line in a file.
func (h host) counting(id string) (spec Spec, count func() int) {
	file := filepath.Join(h.path, "effect-"+id)
	spec = Spec{ID: id, Argv: []string{"sh", "-c", `echo ran >>"$1"`, "x", file}}
	return spec, func() int {
		text, _ := os.ReadFile(file) // absent: it never ran
		return strings.Count(string(text), "ran\n")
	}
}

// kill sends a signal to the job's run.sh.
func (h host) kill(id string, signal syscall.Signal) {
	h.t.Helper()
	number, _, _ := strings.Cut(h.read(id, "started", "pid"), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		h.t.Fatal(err)
	}
}
