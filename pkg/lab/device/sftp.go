package device

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

// fileServer is a device's storage over SFTP: files are written from the beginning to
// the end, read where their content is kept, listed, removed.
type fileServer struct{ d *Device }

func (d *Device) handlers() sftp.Handlers {
	s := fileServer{d}
	return sftp.Handlers{FileGet: s, FilePut: s, FileCmd: s, FileList: s}
}

// Fileread gives a small file's content.
func (s fileServer) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	s.d.sys.mu.Lock()
	defer s.d.sys.mu.Unlock()
	file := s.d.find(s.d.me(), r.Filepath)
	if file == nil {
		return nil, sftp.ErrSSHFxNoSuchFile
	}
	return bytes.NewReader(file.Content), nil
}

// Filewrite takes a file in.
func (s fileServer) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	s.d.sys.mu.Lock()
	defer s.d.sys.mu.Unlock()
	at, err := s.d.resolve(s.d.me(), r.Filepath)
	if err != nil {
		return nil, sftp.ErrSSHFxNoSuchFile
	}
	return &upload{d: s.d, at: at, path: r.Filepath, in: newIntake(), ahead: map[int64][]byte{}}, nil
}

// upload puts pieces in order: a client sends several at once.
type upload struct {
	d    *Device
	at   place
	path string

	mu     sync.Mutex
	in     *intake
	offset int64
	ahead  map[int64][]byte
}

var errUpload = errors.New("too many pieces out of order")

// WriteAt takes a piece.
func (u *upload) WriteAt(data []byte, offset int64) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.ahead) > 4096 {
		return 0, errUpload
	}
	u.ahead[offset] = bytes.Clone(data)
	for piece, ok := u.ahead[u.offset]; ok; piece, ok = u.ahead[u.offset] {
		delete(u.ahead, u.offset)
		_, _ = u.in.Write(piece) // never fails
		u.offset += int64(len(piece))
	}
	u.d.sys.mu.Lock()
	room := u.at.volume.Free
	u.d.sys.mu.Unlock()
	if u.offset > room {
		return 0, errNoSpace
	}
	return len(data), nil
}

// Close stores the file.
func (u *upload) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	fault := u.d.transfer(u.offset)
	u.d.sys.mu.Lock()
	stored := u.in.stored(u.at.name, u.d.sys.clock.now())
	if fault != nil && fault.Do == "hash_mismatch" {
		stored = seed(u.at.name, u.offset, stored.Time)
	}
	err := u.at.volume.put(u.at.name, stored)
	keep(&u.d.done.Received, u.path)
	u.d.sys.mu.Unlock()
	if fault != nil && fault.Do == "drop" {
		u.d.Cut()
	}
	return err
}

// Filecmd removes and renames.
func (s fileServer) Filecmd(r *sftp.Request) error {
	s.d.sys.mu.Lock()
	defer s.d.sys.mu.Unlock()
	at, err := s.d.resolve(s.d.me(), r.Filepath)
	if err != nil {
		return sftp.ErrSSHFxNoSuchFile
	}
	file := at.volume.Files[at.name]
	switch r.Method {
	case "Setstat", "Mkdir":
		return nil // nothing here looks at them
	case "Remove", "Rename":
		if file == nil {
			return sftp.ErrSSHFxNoSuchFile
		}
		at.volume.remove(at.name)
	default:
		return sftp.ErrSSHFxOpUnsupported
	}
	if r.Method == "Remove" {
		return nil
	}
	to, err := s.d.resolve(s.d.me(), r.Target)
	if err != nil {
		return sftp.ErrSSHFxNoSuchFile
	}
	file.Name = to.name
	return to.volume.put(to.name, file)
}

// Filelist describes files.
func (s fileServer) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	s.d.sys.mu.Lock()
	defer s.d.sys.mu.Unlock()
	at, err := s.d.resolve(s.d.me(), r.Filepath)
	if err != nil {
		return nil, sftp.ErrSSHFxNoSuchFile
	}
	if r.Method == "List" {
		var all infos
		for _, name := range sortedKeys(at.volume.Files) {
			all = append(all, infoOf(at.volume.Files[name]))
		}
		return all, nil
	}
	if file := at.volume.Files[at.name]; file != nil {
		return infos{infoOf(file)}, nil
	}
	if at.name == "" {
		return infos{info{name: "/", dir: true}}, nil
	}
	return nil, sftp.ErrSSHFxNoSuchFile
}

type infos []fs.FileInfo

// ListAt copies from an offset on.
func (l infos) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[offset:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

// info is a file as SFTP tells it.
type info struct {
	name string
	size int64
	time time.Time
	dir  bool
}

func infoOf(s *Stored) info { return info{name: s.Name, size: s.Size, time: s.Time} }

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return i.time }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }

// Mode is that of a plain file or a folder.
func (i info) Mode() fs.FileMode {
	if i.dir {
		return os.ModeDir | 0o755
	}
	return 0o644
}
