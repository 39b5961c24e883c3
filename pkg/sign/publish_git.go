package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/statedir"
)

const gitWait = 2 * time.Minute

// errOther: the work tree has something else under the checkpoint's name.
var errOther = errors.New("it is there already, with other content")

// publishGit writes checkpoints/ROLLOUT/SEQ.json and commits that file alone: what else is
// staged stays staged. It pushes nothing.
func publishGit(ctx context.Context, dir string, s Statement, line []byte) error {
	ctx, cancel := context.WithTimeout(ctx, gitWait)
	defer cancel()
	name := fmt.Sprintf("checkpoints/%s/%08d.json", s.Rollout, s.Seq)
	message := fmt.Sprintf("checkpoint %s %d: %s", s.Rollout, s.Seq, remote.Clean(s.Why, 100))
	err := alone(dir, func() error {
		if err := writeOnce(dir, s.Rollout, name, line); err != nil {
			return err
		}
		return commit(ctx, dir, name, message)
	})
	if err != nil {
		return unpublished(dir, fault.Retry, fmt.Errorf("%s: %w", name, err), gitHint(dir, err))
	}
	return nil
}

// alone lets no other patchring work in the folder meanwhile: git itself does not wait for
// another git, but fails.
func alone(dir string, fn func() error) error {
	f, err := os.Open(dir) //nolint:gosec // the user's own work tree
	if err != nil {
		return err
	}
	defer f.Close()
	release, err := statedir.Flock(f, true)
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // the close that follows releases it as well
	return fn()
}

func gitHint(dir string, err error) string {
	said := ""
	if failed, ok := errors.AsType[*runError](err); ok {
		said = failed.said
	}
	switch {
	case errors.Is(err, errOther):
		return "somebody wrote that file, or the journal was replaced: compare it with the journal"
	case strings.Contains(said, "user.email"), strings.Contains(said, "empty ident"):
		return "say who commits: git -C " + dir + " config user.name NAME; git -C " + dir + " config user.email ADDRESS"
	case strings.Contains(said, "not a git repository"):
		return "make it one: git init " + dir
	}
	return ""
}

// writeOnce writes the file within dir, and leaves it alone where it is there already.
func writeOnce(dir, rollout, name string, text []byte) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing was written through it itself
	there, err := readWithin(root, name, len(text))
	switch {
	case err == nil && !bytes.Equal(there, text):
		return errOther
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := root.MkdirAll("checkpoints/"+rollout, 0o755); err != nil {
		return err
	}
	// Under another name first, so that a crash leaves no half of it under its own.
	temporary := name + ".new"
	if err := root.WriteFile(temporary, text, 0o644); err != nil {
		return err
	}
	return root.Rename(temporary, name)
}

func readWithin(root *os.Root, name string, most int) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(most)+1))
}

// commit commits the file unless it is. Its hooks are not run, and no commit is signed: both
// could wait for somebody, and neither is what was asked for.
func commit(ctx context.Context, dir, name, message string) error {
	if _, err := git(ctx, dir, "add", "--", name); err != nil {
		return err
	}
	_, err := git(ctx, dir, "diff", "--cached", "--quiet", "--no-ext-diff", "--", name)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		return err // nil: it is committed already
	}
	_, err = git(ctx, dir, "commit", "--quiet", "--no-verify", "--only", "-m", message, "--", name)
	return err
}

func git(ctx context.Context, dir string, argv ...string) ([]byte, error) {
	all := []string{
		"git", "-C", dir, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "commit.gpgSign=false",
		"-c", "user.useConfigOnly=true", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
	}
	return run(ctx, nil, gitVariables(), append(all, argv...)...)
}

// gitVariables leave out GIT_DIR and its like: they would lead to another repository.
func gitVariables() []string {
	return append(commonVariables(), "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
		"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_CEILING_DIRECTORIES")
}
