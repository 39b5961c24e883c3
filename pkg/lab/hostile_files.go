package lab

import (
	"io"
	"io/fs"
	"time"

	"github.com/pkg/sftp"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

// lure prepares a host's own files.
func (h *Host) lure() {
	if h.spec.is("symlink_job_dir") {
		files := h.machine.FS
		_ = files.MkdirAll(memfs.Root, "/home/patch/stolen", 0o777)
		_ = files.RemoveAll(memfs.Root, "/var/lib/patchring")
		_ = files.Symlink(memfs.Root, "/home/patch/stolen", "/var/lib/patchring")
	}
}

// tricked changes what is seen over SFTP.
func (h *Host) tricked(honest sftp.Handlers) sftp.Handlers {
	if h.spec.is("endless_files") {
		honest.FileGet = endlessFiles{}
	}
	if h.spec.is("sftp_names") {
		honest.FileList = strayNames{}
	}
	return honest
}

// endlessFiles are files of zeros, of any name.
type endlessFiles struct{}

// Fileread opens one.
func (endlessFiles) Fileread(*sftp.Request) (io.ReaderAt, error) { return zeros{}, nil }

type zeros struct{}

// ReadAt never comes to an end.
func (zeros) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

// strayNames lists the same in each folder.
type strayNames struct{}

// Filelist gives names that lead elsewhere, whatever was asked for.
func (strayNames) Filelist(*sftp.Request) (sftp.ListerAt, error) {
	var out strays
	for _, name := range []string{
		"../../../../../../tmp/" + Canary, "/tmp/" + Canary, ".", "..", "", "a/../../" + Canary, `..\..\` + Canary, "-oX", "a\nb", "\x1b]52;c;eA==\x07", "CON", "a\x00b",
	} {
		out = append(out, stray(name))
	}
	return out, nil
}

type strays []fs.FileInfo

// ListAt copies from an offset on.
func (l strays) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[offset:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

// stray is a file by its name alone, which says that it is huge.
type stray string

// Name is what the host says.
func (s stray) Name() string { return string(s) }

// Size is the largest there is.
func (stray) Size() int64 { return 1<<63 - 1 }

// Mode is a link's that anybody may write.
func (stray) Mode() fs.FileMode { return fs.ModeSymlink | 0o777 }

// ModTime is long ago.
func (stray) ModTime() time.Time { return time.Unix(0, 0) }

// IsDir is never true.
func (stray) IsDir() bool { return false }

// Sys has nothing more.
func (stray) Sys() any { return nil }
