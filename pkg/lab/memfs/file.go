package memfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// File is an open file. It stays usable after the file was removed or replaced, as
// an inode does.
type File struct {
	fs     *FS
	node   *node
	path   string
	data   []byte // of a generated file: the content at opening
	offset int64
	flag   int
}

// Open opens an absolute path with the flags of package os. perm is for a file
// that O_CREATE makes.
func (f *FS) Open(uid int, name string, flag int, perm fs.FileMode) (*File, error) {
	file, err := f.open(uid, name, flag, perm)
	if err != nil {
		return nil, fail("open", name, err)
	}
	// Outside the lock: whoever makes the content may use this file system.
	if file.node.generate != nil {
		file.data = file.node.generate()
	}
	return file, nil
}

func (f *FS) open(uid int, name string, flag int, perm fs.FileMode) (*File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.walk(uid, name, true)
	if err == nil && at.node == nil {
		err = f.create(uid, &at, flag, perm)
	} else if err == nil {
		err = openable(at.node, uid, flag)
	}
	if err != nil {
		return nil, err
	}
	if flag&os.O_TRUNC != 0 && at.node.mode.IsRegular() {
		at.node.data, at.node.mtime = nil, f.now()
	}
	return &File{fs: f, node: at.node, path: at.path, flag: flag}, nil
}

func (f *FS) create(uid int, at *found, flag int, perm fs.FileMode) error {
	switch {
	case flag&os.O_CREATE == 0:
		return syscall.ENOENT
	case !allowed(at.parent, uid, 2):
		return syscall.EACCES
	case !f.fits(at.path, 0):
		return syscall.ENOSPC
	}
	at.node = f.number(&node{mode: perm.Perm(), uid: uid, mtime: f.now()})
	at.parent.children[at.name] = at.node
	return nil
}

func openable(n *node, uid, flag int) error {
	writes := flag&(os.O_WRONLY|os.O_RDWR) != 0
	switch {
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return syscall.EEXIST
	case n.mode.IsDir() && writes:
		return syscall.EISDIR
	case writes && (n.generate != nil || n.tool != ""):
		return syscall.EACCES
	case writes && !allowed(n, uid, 2):
		return syscall.EACCES
	case flag&os.O_WRONLY == 0 && !allowed(n, uid, 4):
		return syscall.EACCES
	}
	return nil
}

// Read reads from the file's own position.
func (h *File) Read(p []byte) (int, error) {
	n, err := h.ReadAt(p, h.offset)
	h.offset += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// ReadAt reads at an offset.
func (h *File) ReadAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.node.mode.IsDir() {
		return 0, fail("read", h.path, syscall.EISDIR)
	}
	data := h.node.data
	if h.node.generate != nil {
		data = h.data
	}
	if off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(p, data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write writes at the file's own position, or at its end with O_APPEND.
func (h *File) Write(p []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.flag&os.O_APPEND != 0 {
		h.offset = int64(len(h.node.data))
	}
	n, err := h.writeAt(p, h.offset)
	h.offset += int64(n)
	return n, err
}

// WriteAt writes at an offset.
func (h *File) WriteAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	return h.writeAt(p, off)
}

func (h *File) writeAt(p []byte, off int64) (int, error) {
	if h.node.mode&fs.ModeDevice != 0 {
		return len(p), nil
	}
	end := off + int64(len(p))
	if grow := end - int64(len(h.node.data)); grow > 0 {
		if !h.fs.fits(h.path, grow) {
			return 0, fail("write", h.path, syscall.ENOSPC)
		}
		h.node.data = append(h.node.data, make([]byte, grow)...)
	}
	copy(h.node.data[off:end], p)
	h.node.mtime = h.fs.now()
	return len(p), nil
}

// Close has nothing to give back.
func (h *File) Close() error { return nil }

// ReadFile gives a copy of a file's content.
func (f *FS) ReadFile(uid int, name string) ([]byte, error) {
	h, err := f.Open(uid, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(h)
}

// WriteFile puts a file there as uid, with its directories, replacing what it held.
func (f *FS) WriteFile(uid int, name string, perm fs.FileMode, content []byte) error {
	if err := f.MkdirAll(uid, path.Dir(name), 0o755); err != nil {
		return err
	}
	h, err := f.Open(uid, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = h.Write(content)
	return err
}
