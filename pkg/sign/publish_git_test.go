package sign_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/sign"
)

// repository is a new work tree; nobody's own settings of git reach it.
type repository struct{ dir string }

func newRepository(t *testing.T) repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here to publish to")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	r := repository{t.TempDir()}
	r.git(t, "init", "--quiet")
	r.git(t, "config", "user.name", "Jane")
	r.git(t, "config", "user.email", "jane@hq.example")
	return r
}

func (r repository) git(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"-C", r.dir}, argv...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v: %s", argv, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r repository) publish(ctx context.Context, seq uint64) error {
	return sign.Publisher{Git: r.dir}.Publish(ctx, statement(seq))
}

const first = "checkpoints/2026-11-22-monthly-0a1b2c/00000001.json"

func TestPublishToGit(t *testing.T) {
	r := newRepository(t)
	for _, seq := range []uint64{1, 1, 2, 1} {
		if err := r.publish(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	want := "checkpoint 2026-11-22-monthly-0a1b2c 2: gate production\ncheckpoint 2026-11-22-monthly-0a1b2c 1: gate production"
	if got := r.git(t, "log", "--format=%s"); got != want {
		t.Errorf("log:\n%s", got)
	}
	if got := r.git(t, "status", "--porcelain"); got != "" {
		t.Errorf("left behind:\n%s", got)
	}
	if got := r.git(t, "show", "HEAD:"+first); !strings.Contains(got, `"seq":1,`) {
		t.Errorf("committed %s", got)
	}
}

// What the user has staged, and what lies about, is not ours to commit.
func TestPublishToGitLeavesOthersAlone(t *testing.T) {
	r := newRepository(t)
	write(t, filepath.Join(r.dir, "staged"), []byte("x"))
	write(t, filepath.Join(r.dir, "loose"), []byte("x"))
	r.git(t, "add", "staged")
	if err := r.publish(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got := r.git(t, "show", "--name-only", "--format=", "HEAD"); got != first {
		t.Errorf("committed %q", got)
	}
	if got := r.git(t, "status", "--porcelain"); got != "A  staged\n?? loose" {
		t.Errorf("status:\n%s", got)
	}
}

// Killed between any two steps, it carries on.
func TestPublishToGitAfterACrash(t *testing.T) {
	r := newRepository(t)
	if err := r.publish(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	r.git(t, "update-ref", "-d", "HEAD") // staged, not committed
	for _, undo := range []string{"staged", "written", "half-written"} {
		switch undo {
		case "written":
			r.git(t, "update-ref", "-d", "HEAD")
			r.git(t, "rm", "--quiet", "--cached", first)
		case "half-written":
			r.git(t, "update-ref", "-d", "HEAD")
			r.git(t, "rm", "--quiet", "--force", first)
			if err := os.MkdirAll(filepath.Dir(filepath.Join(r.dir, first)), 0o750); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(r.dir, first+".new"), []byte("{"))
		}
		if err := r.publish(t.Context(), 1); err != nil {
			t.Fatalf("%s: %v", undo, err)
		}
		if got := r.git(t, "log", "--oneline", "--", first); strings.Count(got, "\n") != 0 || got == "" {
			t.Errorf("%s: log %q", undo, got)
		}
		if got := r.git(t, "status", "--porcelain"); got != "" {
			t.Errorf("%s: left behind %q", undo, got)
		}
	}
}

// No program that the repository or the environment names is run, and no other repository
// is written to.
func TestPublishToGitRunsNoHooks(t *testing.T) {
	r := newRepository(t)
	trap := filepath.Join(r.dir, "trapped")
	hook := filepath.Join(r.dir, ".git", "hooks", "pre-commit")
	if err := os.MkdirAll(filepath.Dir(hook), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pre-commit", "commit-msg", "post-commit", "prepare-commit-msg", "post-index-change"} {
		path := filepath.Join(filepath.Dir(hook), name)
		write(t, path, []byte("#!/bin/sh\ntouch "+trap+"\nexit 1\n"))
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r.git(t, "config", "core.fsmonitor", hook)
	r.git(t, "config", "commit.gpgSign", "true")
	r.git(t, "config", "gpg.program", hook)
	if err := os.Remove(trap); err != nil && !os.IsNotExist(err) { // git config itself may have sprung it
		t.Fatal(err)
	}
	t.Setenv("GIT_DIR", filepath.Join(t.TempDir(), "elsewhere"))
	if err := r.publish(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(trap); !os.IsNotExist(err) {
		t.Error("a hook was run")
	}
}

func TestPublishToGitRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil      func(t *testing.T, r repository)
		want, hint string
	}{
		"nobody commits": {func(t *testing.T, r repository) {
			t.Helper()
			r.git(t, "config", "--unset", "user.name")
			r.git(t, "config", "--unset", "user.email")
		}, "user.email", "config user.email ADDRESS"},
		"no repository": {func(t *testing.T, r repository) {
			t.Helper()
			if err := os.RemoveAll(filepath.Join(r.dir, ".git")); err != nil {
				t.Fatal(err)
			}
		}, "not a git repository", "git init"},
		"other content": {func(t *testing.T, r repository) {
			t.Helper()
			if err := os.MkdirAll(filepath.Dir(filepath.Join(r.dir, first)), 0o750); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(r.dir, first), []byte("{}\n"))
		}, "with other content", "compare it with the journal"},
		"a link that leads out": {func(t *testing.T, r repository) {
			t.Helper()
			if err := os.Symlink(t.TempDir(), filepath.Join(r.dir, "checkpoints")); err != nil {
				t.Fatal(err)
			}
		}, "checkpoints", ""},
		"ignored": {func(t *testing.T, r repository) {
			t.Helper()
			write(t, filepath.Join(r.dir, ".gitignore"), []byte("checkpoints\n"))
		}, "ignored by one of your .gitignore files", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			c.spoil(t, r)
			err := r.publish(t.Context(), 1)
			wantError(t, err, c.want)
			if !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("hint %q", fault.HintOf(err))
			}
		})
	}
}

// Sites publish at the same time: git would fail on its own lock.
func TestPublishToGitAtOnce(t *testing.T) {
	r := newRepository(t)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if err := r.publish(context.WithoutCancel(t.Context()), uint64(i%3)+1); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := r.git(t, "rev-list", "--count", "HEAD"); got != "3" {
		t.Errorf("%s commits", got)
	}
}
