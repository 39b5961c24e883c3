package apply

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
	"testing/synctest"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote/remotetest"
	"github.com/patchring/patchring/pkg/store"
)

// stocked is a host with a store beside it.
type stocked struct {
	*remotetest.Host
	content map[patch.Digest]string
	err     error
}

func (s stocked) Open(digest patch.Digest) (io.ReadCloser, error) {
	text, found := s.content[digest]
	if !found {
		return nil, s.err
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

const packageFile = "the bytes of a package"

func puts(s *platform.Step) {
	s.Do = []platform.Operation{{Put: &platform.File{Path: "/var/lib/x/a.deb", Store: patch.DigestOf([]byte(packageFile))}}}
}

// asked is the question whether the host has the file already.
func asked(status int) *remotetest.Stub {
	hexes := strings.TrimPrefix(string(patch.DigestOf([]byte(packageFile))), "sha256:")
	return remotetest.On("sh", "-s", "--", hexes, "/var/lib/x/a.deb").Exits(status, "")
}

func TestPut(t *testing.T) {
	have := map[patch.Digest]string{patch.DigestOf([]byte(packageFile)): packageFile}
	other := map[patch.Digest]string{patch.DigestOf([]byte(packageFile)): "something else"}
	for name, c := range map[string]struct {
		stubs   []*remotetest.Stub
		content map[patch.Digest]string
		err     error
		want    platform.State
		reason  string
	}{
		"sent":           {append(looks("absent", "done"), asked(1), remotetest.OnPut("/var/lib/x/a.deb").Stdin(packageFile)), have, nil, platform.Done, ""},
		"there already":  {append(looks("absent", "done"), asked(0)), have, nil, platform.Done, ""},
		"there, no copy": {append(looks("absent", "done"), asked(0)), nil, fs.ErrNotExist, platform.Done, ""},
		"not in the store": {
			append(looks("absent", "absent"), asked(1)), nil, store.ErrNotFound, platform.Failed,
			"a.deb can't be sent: " + string(patch.DigestOf([]byte(packageFile))) + " is not in the store",
		},
		"no such file":     {append(looks("absent", "absent"), asked(1)), nil, fs.ErrNotExist, platform.Failed, "is not in the store"},
		"unreadable store": {append(looks("absent", "absent"), asked(1)), nil, errors.New("disk on fire"), platform.Failed, "disk on fire"},
		"a rotten store":   {[]*remotetest.Stub{remotetest.On("look").Prints("absent").Always(), asked(1).Times(2)}, other, nil, platform.Unknown, "content is not"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := Perform(t.Context(), stocked{remotetest.New(t, c.stubs...), c.content, c.err}, step(puts), nil)
				if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, ";"), c.reason) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// TestPutWithoutStore: sessions that can't give content refuse before anything is sent.
func TestPutWithoutStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := remotetest.New(t, append(looks("absent", "absent"), asked(1))...)
		got := Perform(t.Context(), host, step(puts), nil)
		if got.State != platform.Failed || !strings.Contains(got.Reasons[0], "nothing here has the content of a.deb") {
			t.Errorf("got %+v", got)
		}
	})
}

// TestThere runs the script under this machine's shells.
func TestThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.deb")
	if err := os.WriteFile(file, []byte(packageFile), 0o600); err != nil {
		t.Fatal(err)
	}
	right := strings.TrimPrefix(string(patch.DigestOf([]byte(packageFile))), "sha256:")
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "ash"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			t.Logf("skipped %s: it is not here", shell[0])
			continue
		}
		for _, c := range []struct {
			digest, path string
			want         bool
		}{{right, file, true}, {strings.Repeat("0", 64), file, false}, {right, file + "x", false}, {"", file + "x", false}} {
			cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], "-s", "--", c.digest, c.path)...)
			cmd.Stdin = bytes.NewReader([]byte(thereScript))
			if err := cmd.Run(); (err == nil) != c.want {
				t.Errorf("%s: %s %s: %v", shell[0], c.digest, c.path, err)
			}
		}
	}
}
