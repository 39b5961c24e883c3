package memfs

import (
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// Mkdir makes one directory; it fails with EEXIST when anything has that name, and
// of several at once exactly one succeeds.
func (f *FS) Mkdir(uid int, name string, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.vacant(uid, name)
	if err == nil && !f.fits(at.path, 4096) {
		err = syscall.ENOSPC
	}
	if err == nil {
		at.parent.children[at.name] = f.newDir(perm, uid)
		at.parent.mtime = f.now()
	}
	return fail("mkdir", name, err)
}

// MkdirAll makes a directory and those above it; perm is for the last one only.
func (f *FS) MkdirAll(uid int, name string, perm fs.FileMode) error {
	parts := split(name)
	for i := range parts {
		dir := "/" + path.Join(parts[:i+1]...)
		if i, err := f.Stat(uid, dir, true); err == nil && i.IsDir() {
			continue
		}
		mode := fs.FileMode(0o755)
		if i == len(parts)-1 {
			mode = perm
		}
		if err := f.Mkdir(uid, dir, mode); err != nil {
			return err
		}
	}
	return nil
}

// Remove unlinks a file or an empty directory. dirs says which of the two is asked
// for: unlink(2) or rmdir(2).
func (f *FS) Remove(uid int, name string, dir bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.existing(uid, name, false)
	switch {
	case err != nil:
	case at.node == f.root:
		err = syscall.EBUSY
	case !removable(at, uid):
		err = syscall.EACCES
	case dir && !at.node.mode.IsDir():
		err = syscall.ENOTDIR
	case !dir && at.node.mode.IsDir():
		err = syscall.EISDIR
	case len(at.node.children) > 0:
		err = syscall.ENOTEMPTY
	default:
		delete(at.parent.children, at.name)
		at.parent.mtime = f.now()
	}
	return fail("remove", name, err)
}

// removable: write permission on the directory, and in a sticky one the ownership.
func removable(at found, uid int) bool {
	if !allowed(at.parent, uid, 2) {
		return false
	}
	return uid == Root || at.parent.mode&fs.ModeSticky == 0 || at.node.uid == uid || at.parent.uid == uid
}

// RemoveAll removes a tree; one that doesn't exist is no error.
func (f *FS) RemoveAll(uid int, name string) error {
	at, err := f.Stat(uid, name, false)
	if err != nil {
		return nil //nolint:nilerr // what can't be seen is not there, as with rm -rf
	}
	if at.IsDir() {
		list, err := f.ReadDir(uid, name)
		if err != nil {
			return err
		}
		for _, child := range list {
			if err := f.RemoveAll(uid, path.Join(name, child.name)); err != nil {
				return err
			}
		}
	}
	return f.Remove(uid, name, at.IsDir())
}

// Rename moves a file over another in one step, as rename(2).
func (f *FS) Rename(uid int, from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	source, err := f.existing(uid, from, false)
	if err != nil {
		return fail("rename", from, err)
	}
	target, err := f.walk(uid, to, false)
	switch {
	case err != nil:
	case !removable(source, uid), !allowed(target.parent, uid, 2):
		err = syscall.EACCES
	case source.node.mode.IsDir() && strings.HasPrefix(target.path+"/", source.path+"/"):
		err = syscall.EINVAL
	case target.node != nil:
		err = replaceable(source.node, target, uid)
	}
	if err != nil {
		return fail("rename", to, err)
	}
	delete(source.parent.children, source.name)
	target.parent.children[target.name] = source.node
	return nil
}

func replaceable(source *node, target found, uid int) error {
	switch {
	case !removable(target, uid):
		return syscall.EACCES
	case target.node.mode.IsDir() && !source.mode.IsDir():
		return syscall.EISDIR
	case !target.node.mode.IsDir() && source.mode.IsDir():
		return syscall.ENOTDIR
	case len(target.node.children) > 0:
		return syscall.ENOTEMPTY
	}
	return nil
}

// Chmod sets the permission bits; only the owner and root may.
func (f *FS) Chmod(uid int, name string, perm fs.FileMode) error {
	return f.own(uid, "chmod", name, func(n *node) {
		const kept = fs.ModePerm | fs.ModeSticky
		n.mode = n.mode&^kept | perm&kept
	})
}

// Chown gives the file to another user; only root may.
func (f *FS) Chown(uid int, name string, to int) error {
	if uid != Root {
		return fail("chown", name, syscall.EPERM)
	}
	return f.own(uid, "chown", name, func(n *node) { n.uid = to })
}

// Touch sets the modification time to now.
func (f *FS) Touch(uid int, name string) error {
	return f.own(uid, "touch", name, func(n *node) { n.mtime = f.now() })
}

func (f *FS) own(uid int, op, name string, change func(*node)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.existing(uid, name, true)
	if err == nil && uid != Root && at.node.uid != uid {
		err = syscall.EPERM
	}
	if err != nil {
		return fail(op, name, err)
	}
	change(at.node)
	return nil
}

// Symlink makes name point to target.
func (f *FS) Symlink(uid int, target, name string) error {
	return f.add(uid, "symlink", name, &node{mode: fs.ModeSymlink | 0o777, uid: uid, mtime: f.now(), link: target})
}

// Tool makes an executable file that is the program of that name.
func (f *FS) Tool(name, tool string) error {
	return f.add(Root, "install", name, &node{mode: 0o755, mtime: f.now(), tool: tool})
}

// Generate makes a read-only file whose content is made at each opening.
func (f *FS) Generate(name string, content func() []byte) error {
	return f.add(Root, "generate", name, &node{mode: 0o444, mtime: f.now(), generate: content})
}

// Device makes a character device that swallows what is written and reads empty.
func (f *FS) Device(name string) error {
	return f.add(Root, "mknod", name, &node{mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, mtime: f.now()})
}

func (f *FS) add(uid int, op, name string, n *node) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.vacant(uid, name)
	if err == nil {
		at.parent.children[at.name] = f.number(n)
	}
	return fail(op, name, err)
}

func (f *FS) fits(name string, grow int64) bool { return f.room == nil || f.room(name, grow) }
