package lab

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/pkg/sftp"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

// fileServer is a host's file system as the user who logged in sees it over SFTP.
type fileServer struct {
	fs  *memfs.FS
	uid int
}

func sftpHandlers(files *memfs.FS, uid int) sftp.Handlers {
	s := fileServer{files, uid}
	return sftp.Handlers{FileGet: s, FilePut: s, FileCmd: s, FileList: s}
}

func status(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return sftp.ErrSSHFxPermissionDenied
	}
	return sftp.ErrSSHFxFailure // all that OpenSSH's server says of the rest
}

// Fileread opens a file for reading.
func (s fileServer) Fileread(r *sftp.Request) (io.ReaderAt, error) { return s.open(r) }

// Filewrite opens a file for writing.
func (s fileServer) Filewrite(r *sftp.Request) (io.WriterAt, error) { return s.open(r) }

// OpenFile opens a file for both.
func (s fileServer) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) { return s.open(r) }

func (s fileServer) open(r *sftp.Request) (*memfs.File, error) {
	asked := r.Pflags()
	flag := os.O_RDONLY
	switch {
	case asked.Read && asked.Write:
		flag = os.O_RDWR
	case asked.Write:
		flag = os.O_WRONLY
	}
	for bit, on := range map[int]bool{os.O_CREATE: asked.Creat, os.O_EXCL: asked.Excl, os.O_TRUNC: asked.Trunc, os.O_APPEND: asked.Append} {
		if on {
			flag |= bit
		}
	}
	perm := fs.FileMode(0o644)
	if r.AttrFlags().Permissions {
		perm = r.Attributes().FileMode().Perm()
	}
	file, err := s.fs.Open(s.uid, r.Filepath, flag, perm)
	return file, status(err)
}

// Filecmd is everything that changes the tree.
func (s fileServer) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Setstat":
		if !r.AttrFlags().Permissions {
			return nil // times and owners: nothing here looks at them
		}
		return status(s.fs.Chmod(s.uid, r.Filepath, r.Attributes().FileMode()))
	case "Rename":
		if _, err := s.fs.Stat(s.uid, r.Target, false); err == nil {
			return sftp.ErrSSHFxFailure // plain rename does not replace
		}
		return status(s.fs.Rename(s.uid, r.Filepath, r.Target))
	case "Rmdir":
		return status(s.fs.Remove(s.uid, r.Filepath, true))
	case "Remove":
		return status(s.fs.Remove(s.uid, r.Filepath, false))
	case "Mkdir":
		return status(s.fs.Mkdir(s.uid, r.Filepath, 0o755))
	case "Symlink":
		return status(s.fs.Symlink(s.uid, r.Filepath, r.Target))
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename replaces the target in one step.
func (s fileServer) PosixRename(r *sftp.Request) error {
	return status(s.fs.Rename(s.uid, r.Filepath, r.Target))
}

// Filelist lists and describes.
func (s fileServer) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch r.Method {
	case "List":
		list, err := s.fs.ReadDir(s.uid, r.Filepath)
		return infos(list), status(err)
	case "Stat":
		return s.describe(r.Filepath, true)
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

// Lstat describes a file without following a symbolic link.
func (s fileServer) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	return s.describe(r.Filepath, false)
}

// Readlink gives a symbolic link's target.
func (s fileServer) Readlink(name string) (string, error) {
	info, err := s.fs.Stat(s.uid, path.Clean(name), false)
	if err != nil {
		return "", status(err)
	}
	if info.Link == "" {
		return "", sftp.ErrSSHFxFailure
	}
	return info.Link, nil
}

func (s fileServer) describe(name string, follow bool) (sftp.ListerAt, error) {
	info, err := s.fs.Stat(s.uid, name, follow)
	if err != nil {
		return nil, status(err)
	}
	return infos{info}, nil
}

type infos []*memfs.Info

// ListAt copies from an offset on.
func (l infos) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := 0
	for _, info := range l[offset:] {
		if n == len(to) {
			return n, nil
		}
		to[n] = info
		n++
	}
	return n, io.EOF
}
