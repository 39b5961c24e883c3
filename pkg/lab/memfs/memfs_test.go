package memfs_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

const user = 1000

func tree(t *testing.T) *memfs.FS {
	t.Helper()
	f := memfs.New(time.Now, func(path string, _ int64) bool { return !strings.HasPrefix(path, "/full") })
	for _, err := range []error{
		f.MkdirAll(memfs.Root, "/var/lib", 0o755), f.Mkdir(memfs.Root, "/private", 0o700), f.Mkdir(memfs.Root, "/tmp", 0o777|fs.ModeSticky),
		f.WriteFile(memfs.Root, "/var/lib/f", 0o644, []byte("content")), f.WriteFile(memfs.Root, "/private/s", 0o600, []byte("secret")),
		f.Symlink(memfs.Root, "lib", "/var/link"), f.Symlink(memfs.Root, "/loop", "/loop"), f.Symlink(memfs.Root, "/gone", "/dangling"),
		f.Device("/null"), f.Generate("/now", func() []byte { return []byte("made") }), f.WriteFile(memfs.Root, "/tmp/roots", 0o644, nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func TestErrno(t *testing.T) {
	open := func(uid int, name string, flag int) func(*memfs.FS) error {
		return func(f *memfs.FS) error { _, err := f.Open(uid, name, flag, 0o644); return err }
	}
	for name, c := range map[string]struct {
		do   func(*memfs.FS) error
		want error
	}{
		"read":                  {open(user, "/var/lib/f", os.O_RDONLY), nil},
		"through a link":        {open(user, "/var/link/f", os.O_RDONLY), nil},
		"generated":             {open(user, "/now", os.O_RDONLY), nil},
		"device":                {open(user, "/null", os.O_WRONLY), nil},
		"absent":                {open(user, "/var/x", os.O_RDONLY), syscall.ENOENT},
		"dangling":              {open(user, "/dangling", os.O_RDONLY), syscall.ENOENT},
		"loop":                  {open(user, "/loop", os.O_RDONLY), syscall.ELOOP},
		"below a file":          {open(user, "/var/lib/f/x", os.O_RDONLY), syscall.ENOTDIR},
		"another's folder":      {open(user, "/private/s", os.O_RDONLY), syscall.EACCES},
		"another's file":        {open(user, "/var/lib/f", os.O_WRONLY), syscall.EACCES},
		"new in another's":      {open(user, "/var/lib/new", os.O_WRONLY|os.O_CREATE), syscall.EACCES},
		"exclusive":             {open(memfs.Root, "/var/lib/f", os.O_WRONLY|os.O_CREATE|os.O_EXCL), syscall.EEXIST},
		"write a folder":        {open(memfs.Root, "/var", os.O_WRONLY), syscall.EISDIR},
		"write what's made up":  {open(memfs.Root, "/now", os.O_WRONLY), syscall.EACCES},
		"make twice":            {func(f *memfs.FS) error { return f.Mkdir(memfs.Root, "/var", 0o755) }, syscall.EEXIST},
		"make in nothing":       {func(f *memfs.FS) error { return f.Mkdir(memfs.Root, "/no/dir", 0o755) }, syscall.ENOENT},
		"make all":              {func(f *memfs.FS) error { return f.MkdirAll(memfs.Root, "/a/b/c", 0o700) }, nil},
		"remove a full folder":  {func(f *memfs.FS) error { return f.Remove(memfs.Root, "/var", true) }, syscall.ENOTEMPTY},
		"unlink a folder":       {func(f *memfs.FS) error { return f.Remove(memfs.Root, "/var", false) }, syscall.EISDIR},
		"rmdir a file":          {func(f *memfs.FS) error { return f.Remove(memfs.Root, "/var/lib/f", true) }, syscall.ENOTDIR},
		"remove the root":       {func(f *memfs.FS) error { return f.Remove(memfs.Root, "/", true) }, syscall.EBUSY},
		"sticky":                {func(f *memfs.FS) error { return f.Remove(user, "/tmp/roots", false) }, syscall.EACCES},
		"chmod another's":       {func(f *memfs.FS) error { return f.Chmod(user, "/var/lib/f", 0o777) }, syscall.EPERM},
		"chown as user":         {func(f *memfs.FS) error { return f.Chown(user, "/var/lib/f", user) }, syscall.EPERM},
		"rename into itself":    {func(f *memfs.FS) error { return f.Rename(memfs.Root, "/var", "/var/lib/x") }, syscall.EINVAL},
		"rename over a folder":  {func(f *memfs.FS) error { return f.Rename(memfs.Root, "/var/lib/f", "/tmp") }, syscall.EISDIR},
		"rename folder on file": {func(f *memfs.FS) error { return f.Rename(memfs.Root, "/private", "/var/lib/f") }, syscall.ENOTDIR},
		"no room":               {func(f *memfs.FS) error { return f.WriteFile(memfs.Root, "/full", 0o644, []byte("x")) }, syscall.ENOSPC},
		"list a file":           {func(f *memfs.FS) error { _, err := f.ReadDir(user, "/var/lib/f"); return err }, syscall.ENOTDIR},
		"list another's":        {func(f *memfs.FS) error { _, err := f.ReadDir(user, "/private"); return err }, syscall.EACCES},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.do(tree(t)); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestInode: an open file is the same file after its name went.
func TestInode(t *testing.T) {
	f := tree(t)
	h, err := f.Open(memfs.Root, "/var/lib/f", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.WriteFile(memfs.Root, "/var/lib/new", 0o600, []byte("other")); err != nil {
		t.Fatal(err)
	}
	if err := f.Rename(memfs.Root, "/var/lib/new", "/var/lib/f"); err != nil {
		t.Fatal(err)
	}
	var got [7]byte
	if n, err := h.Read(got[:]); n != 7 || err != nil || string(got[:]) != "content" {
		t.Errorf("read %q, %v", got[:n], err)
	}
	now, err := f.ReadFile(memfs.Root, "/var/lib/f")
	if err != nil || string(now) != "other" {
		t.Errorf("the name holds %q, %v", now, err)
	}
	i, err := f.Stat(memfs.Root, "/var/lib/f", true)
	if err != nil || i.Mode().Perm() != 0o600 || i.Size() != 5 || i.Name() != "f" {
		t.Errorf("stat %+v, %v", i, err)
	}
}

func TestAppend(t *testing.T) {
	f := tree(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			h, err := f.Open(memfs.Root, "/log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
			if err == nil {
				_, err = h.Write([]byte("line\n"))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := f.ReadFile(memfs.Root, "/log")
	if err != nil || strings.Count(string(got), "line\n") != 50 || len(got) != 250 {
		t.Errorf("%d bytes, %v: appending at once lost lines", len(got), err)
	}
}

func TestRemoveAll(t *testing.T) {
	f := tree(t)
	for _, name := range []string{"/var", "/var", "/nothing"} {
		if err := f.RemoveAll(memfs.Root, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if names := strings.Join(f.Names("/"), " "); strings.Contains(names, "var") {
		t.Errorf("left: %s", names)
	}
	if err := f.RemoveAll(user, "/private"); err == nil {
		t.Error("a user removed root's folder")
	}
}
