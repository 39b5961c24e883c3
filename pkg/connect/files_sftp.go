package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pkg/sftp"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// putSFTP uploads, has the host check and rename, or does both itself where the user
// may use SFTP only.
func (f files) putSFTP(ctx context.Context, u upload) error {
	if err := f.send(ctx, u); err != nil {
		return err
	}
	r, err := f.lease.exec(ctx, task{argv: u.argv(sumScript + acceptScript), maxOut: 4096})
	switch {
	case err == nil && (r.OK() || (r.Ending == remote.Exited && r.Code == exitMismatch)):
		return u.accepted(r)
	case fault.CodeOf(err) == fault.Lost:
		return err
	}
	return f.acceptSFTP(ctx, u)
}

// send writes the temporary file, many writes at a time; after a failure, which may
// leave holes in it, it is removed.
func (f files) send(ctx context.Context, u upload) error {
	s, err := f.lease.openSFTP(ctx)
	if err != nil {
		return err
	}
	defer s.free()
	file, err := s.OpenFile(u.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return fmt.Errorf("%s: %w", u.path, err)
	}
	err = file.Chmod(0o600)
	if err == nil {
		_, err = file.ReadFromWithConcurrency(u.reader(), writesAhead)
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = u.checkSent()
	}
	if err != nil {
		_ = s.Remove(u.temp)
	}
	return s.explain(ctx, u.path, err)
}

// acceptSFTP reads the file back, and moves it into place if it is what was sent.
func (f files) acceptSFTP(ctx context.Context, u upload) error {
	s, err := f.lease.openSFTP(ctx)
	if err != nil {
		return err
	}
	defer s.free()
	got, err := s.digest(u.temp, u.progress.size())
	if err == nil && got != u.want {
		err = mismatch(u.path, "what arrived", got, u.want)
	}
	if err == nil {
		err = s.PosixRename(u.temp, u.path)
	}
	if err != nil {
		_ = s.Remove(u.temp)
	}
	return s.explain(ctx, u.path, err)
}

func (f files) getSFTP(ctx context.Context, path string, limit int64) (io.ReadCloser, error) {
	ctx, p := moving(ctx)
	s, err := f.lease.openSFTP(ctx)
	if err != nil {
		p.done()
		return nil, err
	}
	file, err := s.Open(path)
	if err != nil {
		err = s.explain(ctx, path, err) // by what the context was until here
		s.free()
		p.done()
		return nil, err
	}
	return &download{Reader: p.reader(io.LimitReader(file, limit)), s: s, p: p}, nil
}

// download frees its session when it is closed.
type download struct {
	io.Reader
	s *transfer
	p *progress
}

func (d *download) Close() error {
	d.s.free()
	d.p.done()
	return nil
}

// transfer is one SFTP session. It ends with its context, within grace.
type transfer struct {
	*sftp.Client
	conn *conn
	free func()
}

// digest reads no more than was sent: a file of the host may have no end.
func (s *transfer) digest(path string, size int64) (patch.Digest, error) {
	file, err := s.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	u := upload{content: io.LimitReader(file, size+1), sum: newSum()}
	_, err = io.Copy(io.Discard, u.reader())
	return u.sent(), err
}

// explain tells a lost connection from a refusal of the host.
func (s *transfer) explain(ctx context.Context, path string, err error) error {
	switch {
	case err == nil || errors.As(err, new(*fault.Error)):
		return err
	case ctx.Err() != nil:
		return lostFile(context.Cause(ctx))
	case s.conn.closing(), errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, io.EOF):
		return lostFile(err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func lostFile(err error) error {
	return &fault.Error{
		Kind: fault.Unknown, Code: fault.Lost, Step: "file", What: "the connection ended while a file was moved", Err: err,
		Hint: "run the same command again: a file is replaced only when all of it arrived",
	}
}

// graceOf closes the connection unless finished is closed in time.
func graceOf(c *conn, finished <-chan struct{}) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-finished:
	case <-timer.C:
		c.close()
	}
}
