// Package memfs is the file system of a simulated host: a small tree in memory
// with owners, permission bits, symbolic links, generated files (as in /proc) and
// mounts that can be full. Its errors are *fs.PathError with the errno that a real
// kernel would give, because shells and tools turn exactly these into their texts.
package memfs

import (
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Root is the uid that no permission bit stops.
const Root = 0

// maxLinks is how many symbolic links one path may pass, as in Linux.
const maxLinks = 40

// FS is one host's files. It is safe for concurrent use.
type FS struct {
	mu   sync.Mutex
	root *node
	last uint64 // the last inode number given
	now  func() time.Time
	// room says whether a file at this path may grow by so many bytes.
	room func(path string, grow int64) bool
}

type node struct {
	inode    uint64
	mode     fs.FileMode
	uid      int
	mtime    time.Time
	data     []byte
	link     string
	tool     string // the program that this file is; see Tool
	generate func() []byte
	children map[string]*node
}

// New makes an empty file system. now stamps changes; room, which may be nil, is
// asked under the file system's lock and so must not use the file system.
func New(now func() time.Time, room func(path string, grow int64) bool) *FS {
	f := &FS{now: now, room: room}
	f.root = f.newDir(0o755, Root)
	return f
}

func (f *FS) newDir(perm fs.FileMode, uid int) *node {
	return f.number(&node{mode: fs.ModeDir | perm.Perm() | perm&fs.ModeSticky, uid: uid, mtime: f.now(), children: map[string]*node{}})
}

func (f *FS) number(n *node) *node {
	f.last++
	n.inode = f.last
	return n
}

// found is where a walk ended: the parent directory and the last name always, the
// node only if it exists.
type found struct {
	parent *node
	name   string
	node   *node
	path   string // absolute, without symbolic links in its directories
}

// walk resolves an absolute path as uid. With follow the last element's symbolic
// link is followed too.
func (f *FS) walk(uid int, name string, follow bool) (found, error) {
	return f.walkFrom(uid, name, follow, 0)
}

func (f *FS) walkFrom(uid int, name string, follow bool, links int) (found, error) {
	if links > maxLinks {
		return found{}, syscall.ELOOP
	}
	at := found{parent: f.root, name: "/", node: f.root, path: "/"}
	parts := split(name)
	for i, part := range parts {
		if at.node == nil {
			return found{}, syscall.ENOENT
		}
		if !at.node.mode.IsDir() {
			return found{}, syscall.ENOTDIR
		}
		if !allowed(at.node, uid, 1) {
			return found{}, syscall.EACCES
		}
		at = found{parent: at.node, name: part, node: at.node.children[part], path: path.Join(at.path, part)}
		last := i == len(parts)-1
		if at.node == nil || at.node.mode&fs.ModeSymlink == 0 || last && !follow {
			continue
		}
		target := at.node.link
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(at.path), target)
		}
		return f.walkFrom(uid, path.Join(append([]string{target}, parts[i+1:]...)...), follow, links+1)
	}
	return at, nil
}

func split(name string) []string {
	clean := path.Clean("/" + name)
	if clean == "/" {
		return nil
	}
	return strings.Split(clean[1:], "/")
}

// allowed tells whether uid has want (4 read, 2 write, 1 execute) on n. There are
// no groups: whoever isn't the owner is "other".
func allowed(n *node, uid int, want fs.FileMode) bool {
	if uid == Root {
		return want != 1 || n.mode.IsDir() || n.mode.Perm()&0o111 != 0
	}
	bits := n.mode.Perm()
	if n.uid == uid {
		bits >>= 6
	}
	return bits&want == want
}

func fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// existing is walk for operations that need the file to be there.
func (f *FS) existing(uid int, name string, follow bool) (found, error) {
	at, err := f.walk(uid, name, follow)
	if err == nil && at.node == nil {
		err = syscall.ENOENT
	}
	return at, err
}

// vacant is walk for operations that make a new entry.
func (f *FS) vacant(uid int, name string) (found, error) {
	at, err := f.walk(uid, name, false)
	switch {
	case err != nil:
		return at, err
	case at.node != nil:
		return at, syscall.EEXIST
	case !allowed(at.parent, uid, 2):
		return at, syscall.EACCES
	}
	return at, nil
}

// Info describes one file. It is an fs.FileInfo; Sys gives the *Info itself.
type Info struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
	UID   int
	Tool  string // the name of the program that this file is, or ""
	Link  string // target of a symbolic link
	Inode uint64
}

// Name is the last element of the path.
func (i *Info) Name() string { return i.name }

// Size is the length of a regular file; 0 for a generated one, as in /proc.
func (i *Info) Size() int64 { return i.size }

// Mode holds type and permission bits.
func (i *Info) Mode() fs.FileMode { return i.mode }

// ModTime is the last change of the content.
func (i *Info) ModTime() time.Time { return i.mtime }

// IsDir tells whether it is a directory.
func (i *Info) IsDir() bool { return i.mode.IsDir() }

// Sys is the *Info.
func (i *Info) Sys() any { return i }

func info(name string, n *node) *Info {
	return &Info{name: name, size: int64(len(n.data)), mode: n.mode, mtime: n.mtime, UID: n.uid, Tool: n.tool, Link: n.link, Inode: n.inode}
}

// Stat describes the file at an absolute path.
func (f *FS) Stat(uid int, name string, follow bool) (*Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.existing(uid, name, follow)
	if err != nil {
		return nil, fail("stat", name, err)
	}
	return info(path.Base(path.Clean("/"+name)), at.node), nil
}

// Real is a path without symbolic links in it.
func (f *FS) Real(uid int, name string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.existing(uid, name, true)
	if err != nil {
		return "", fail("realpath", name, err)
	}
	return at.path, nil
}

// Access tells whether uid may read (4), write (2) or execute (1) the file.
func (f *FS) Access(uid int, name string, want fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.existing(uid, name, true)
	if err == nil && !allowed(at.node, uid, want) {
		err = syscall.EACCES
	}
	return fail("access", name, err)
}

// ReadDir lists a directory, sorted by name.
func (f *FS) ReadDir(uid int, name string) ([]*Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.existing(uid, name, true)
	switch {
	case err != nil:
	case !at.node.mode.IsDir():
		err = syscall.ENOTDIR
	case !allowed(at.node, uid, 4):
		err = syscall.EACCES
	}
	if err != nil {
		return nil, fail("open", name, err)
	}
	list := make([]*Info, 0, len(at.node.children))
	for child, n := range at.node.children {
		list = append(list, info(child, n))
	}
	slices.SortFunc(list, func(a, b *Info) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// Names lists the entries of a directory as root; none when it doesn't exist.
func (f *FS) Names(name string) []string {
	list, err := f.ReadDir(Root, name)
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(list))
	for _, i := range list {
		names = append(names, i.name)
	}
	sort.Strings(names)
	return names
}
