package connect

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// ways are the three ways a file can go.
func ways(t *testing.T) map[string]func(*testing.T) remote.Files {
	t.Helper()
	over := func(how inventory.Become, change func(*server)) func(*testing.T) remote.Files {
		return func(t *testing.T) remote.Files {
			t.Helper()
			r := newRig(t, Options{})
			s := sudoServer(t, r, fakeSudo)
			change(s)
			return sudoLease(t, r, s, how, "right").Session().Files
		}
	}
	return map[string]func(*testing.T) remote.Files{
		"sftp":        over(inventory.BecomeNone, func(*server) {}),
		"no sftp":     over(inventory.BecomeNone, func(s *server) { s.noSFTP = true }),
		"sudo":        over(inventory.BecomeSudo, func(*server) {}),
		"no exec sum": over(inventory.BecomeNone, func(s *server) { s.path += "/none"; s.noExec = true }),
	}
}

func TestPutAndGet(t *testing.T) {
	for name, way := range ways(t) {
		t.Run(name, func(t *testing.T) {
			files, dir := way(t), t.TempDir()
			path := filepath.Join(dir, "it's a $file")
			for _, content := range [][]byte{nil, []byte("short"), bytes.Repeat([]byte("0123456789abcdef"), 1<<17)} {
				if err := files.Put(t.Context(), path, bytes.NewReader(content), patch.DigestOf(content)); err != nil {
					t.Fatal(err, fault.HintOf(err))
				}
				got, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(got, content) {
					t.Fatalf("%d bytes arrived of %d, %v", len(got), len(content), err)
				}
				info, _ := os.Stat(path)
				if info.Mode().Perm() != 0o600 {
					t.Errorf("mode %o", info.Mode().Perm())
				}
				read(t, files, path, content)
			}
			onlyOne(t, dir)
		})
	}
}

func read(t *testing.T, files remote.Files, path string, content []byte) {
	t.Helper()
	for _, limit := range []int64{3, int64(len(content)), 4 << 20} {
		r, err := files.Get(t.Context(), path, limit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, content[:min(int(limit), len(content))]) {
			t.Errorf("limit %d: %d bytes, %v", limit, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func onlyOne(t *testing.T, dir string) {
	t.Helper()
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestPutOfWrongContentReplacesNothing(t *testing.T) {
	for name, way := range ways(t) {
		t.Run(name, func(t *testing.T) {
			files, dir := way(t), t.TempDir()
			path := filepath.Join(dir, "f")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := files.Put(t.Context(), path, strings.NewReader("other"), patch.DigestOf([]byte("wanted")))
			wantFault(t, err, fault.HostFailed, "digest", "nothing was replaced")
			if got, _ := os.ReadFile(path); string(got) != "old" {
				t.Errorf("%q", got)
			}
			onlyOne(t, dir)
		})
	}
}

func TestPutWhereNothingMayBeWritten(t *testing.T) {
	for name, way := range ways(t) {
		t.Run(name, func(t *testing.T) {
			err := way(t).Put(t.Context(), "/nonexistent/dir/f", strings.NewReader("x"), patch.DigestOf([]byte("x")))
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Code != fault.HostFailed || e.Host == "" {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestGetMissingFile(t *testing.T) {
	for name, way := range ways(t) {
		if name == "no exec sum" {
			continue // reads by SFTP, as "sftp" does
		}
		t.Run(name, func(t *testing.T) {
			_, err := way(t).Get(t.Context(), "/nonexistent/f", 10)
			if !errors.Is(err, fs.ErrNotExist) || fault.CodeOf(err) != fault.HostFailed {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestPutRefusesNonsense(t *testing.T) {
	files := ways(t)["sftp"](t)
	for path, want := range map[string]patch.Digest{"relative": patch.DigestOf(nil), "/a/../b": patch.DigestOf(nil), "/": patch.DigestOf(nil), "/x": ""} {
		if err := files.Put(t.Context(), path, strings.NewReader(""), want); fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The scripts run on every shell that a host may have.
func TestScripts(t *testing.T) {
	shells := [][]string{{"dash"}, {"bash"}, {"busybox", "ash"}}
	for _, shell := range shells {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skip("needs " + shell[0] + ": " + err.Error())
			}
			dir := t.TempDir()
			u := upload{path: filepath.Join(dir, "new\\line\nend"), temp: filepath.Join(dir, "t\\e\nmp"), want: patch.DigestOf([]byte("content"))}
			argv := append(append([]string{}, shell...), u.argv(sumScript + receiveScript + acceptScript)[1:]...)
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.Stdin = strings.NewReader("content")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got, err := os.ReadFile(u.path); err != nil || string(got) != "content" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
