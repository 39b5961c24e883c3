package connect

import (
	"bufio"
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// The scripts take paths and digests as arguments; nothing is spliced into them.
// receive and accept build on the functions of sum.
var (
	//go:embed scripts/sum.sh
	sumScript string
	//go:embed scripts/receive.sh
	receiveScript string
	//go:embed scripts/accept.sh
	acceptScript string
	//go:embed scripts/get.sh
	getScript string
)

// exit statuses of the scripts
const (
	exitNoTool   = 41
	exitMismatch = 43
	exitMissing  = 44
)

func (u upload) argv(script string) []string {
	return []string{"sh", "-c", script, "sh", u.temp, strings.TrimPrefix(string(u.want), "sha256:"), u.path}
}

// putCat streams the file through one command, which checks it on arrival.
func (f files) putCat(ctx context.Context, u upload) error {
	opened := false
	stdin := func() io.Reader {
		if opened { // content can be read once only: an empty repeat fails its digest
			return strings.NewReader("")
		}
		opened = true
		return u.reader()
	}
	r, err := f.lease.exec(ctx, task{argv: u.argv(sumScript + receiveScript + acceptScript), become: true, stdin: stdin, maxOut: 4096})
	if err != nil {
		return err
	}
	if r.Ending == remote.Exited && r.Code == exitNoTool {
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, What: "the host has nothing to compute a SHA-256 with",
			Hint: "install coreutils (sha256sum), perl (shasum) or openssl there",
		}
	}
	return u.accepted(r)
}

// accepted reads what accept.sh said.
func (u upload) accepted(r remote.Result) error {
	if r.OK() {
		return nil
	}
	if r.Ending != remote.Exited || r.Code != exitMismatch {
		return shellFault(u.path, r)
	}
	if err := u.checkSent(); err != nil {
		return err
	}
	return mismatch(u.path, "what arrived", patch.Digest(remote.Clean(string(r.Out), 80)), u.want)
}

// getCat passes the file on while it comes: callers allow for gigabytes, and a host says
// what it likes. What follows the first byte and is wrong is an error of the reader.
func (f files) getCat(ctx context.Context, path string, limit int64) (io.ReadCloser, error) {
	ctx, p := moving(ctx)
	r, w := io.Pipe()
	t := task{argv: []string{"sh", "-c", getScript, "sh", path, strconv.FormatInt(limit, 10)}, become: true, maxOut: 4096, to: w}
	run := func() {
		result, err := f.lease.exec(ctx, t)
		_ = w.CloseWithError(catted(path, result, err))
	}
	if !f.lease.fleet.spawn(run) {
		p.done()
		return nil, closedFault()
	}
	content := &stream{Reader: bufio.NewReader(io.LimitReader(p.reader(r), limit)), pipe: r, p: p}
	if _, err := content.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		_ = content.Close()
		return nil, err //nolint:wrapcheck // it is the command's
	}
	return content, nil
}

// stream is a file on its way.
type stream struct {
	*bufio.Reader
	pipe *io.PipeReader
	p    *progress
}

// Close ends the command, if it still runs.
func (s *stream) Close() error {
	_ = s.pipe.Close()
	s.p.done()
	return nil
}

// catted is what the end of the command means; nil: all of the file came.
func catted(path string, r remote.Result, err error) error {
	switch {
	case err != nil:
		return err
	case r.Ending == remote.Exited && r.Code == 0:
		return nil
	case r.Ending == remote.Exited && r.Code == exitMissing:
		return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return shellFault(path, r)
}
