package connect

import (
	"io"
	"io/fs"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// oddSFTP is an SFTP server that lies.
type oddSFTP struct{ endless bool }

func (o oddSFTP) session(ch ssh.Channel, reqs <-chan *ssh.Request, _ <-chan struct{}) {
	for req := range reqs {
		ok := req.Type == "subsystem"
		_ = req.Reply(ok, nil)
		if !ok {
			continue
		}
		go ssh.DiscardRequests(reqs)
		h := sftp.InMemHandler()
		h.FileList = o
		if o.endless {
			h.FileGet = o
		}
		server := sftp.NewRequestServer(ch, h)
		_ = server.Serve()
		_ = ch.Close()
		return
	}
}

// Fileread opens a file without end.
func (oddSFTP) Fileread(*sftp.Request) (io.ReaderAt, error) { return zeros{}, nil }

type zeros struct{}

// ReadAt always has more.
func (zeros) ReadAt(p []byte, _ int64) (int, error) { return len(p), nil }

// Filelist names files elsewhere, and says that everything is a link of the largest size.
func (oddSFTP) Filelist(*sftp.Request) (sftp.ListerAt, error) { return stray{}, nil }

type stray struct{}

// ListAt gives one name.
func (stray) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset > 0 || len(to) == 0 {
		return 0, io.EOF
	}
	to[0] = strayInfo{}
	return 1, io.EOF
}

type strayInfo struct{}

// Name leads out of any folder.
func (strayInfo) Name() string { return "../../../../CANARY\x1b[2J" }

// Size is the largest there is.
func (strayInfo) Size() int64 { return 1<<63 - 1 }

// Mode is a link's.
func (strayInfo) Mode() fs.FileMode { return fs.ModeSymlink | 0o777 }

// ModTime is the beginning.
func (strayInfo) ModTime() time.Time { return time.Time{} }

// IsDir is never true.
func (strayInfo) IsDir() bool { return false }

// Sys has nothing.
func (strayInfo) Sys() any { return nil }
