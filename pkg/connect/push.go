package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// pusher sends files to devices without a shell over a lease. It needs nothing but the lease.
type pusher struct{ lease *Lease }

// pushPath is what a path on a device may look like: flash:image.bin, /var/tmp/image.tgz.
// Devices know no quoting, and behind the server of others there is a shell after all.
var pushPath = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9/:._+-]{0,254}$`)

// Push sends the file. What is there by that name is overwritten; with SFTP only when all
// has arrived, where the server can rename. An error with Code Lost means that nobody
// knows how much is there.
func (u pusher) Push(ctx context.Context, how remote.Protocol, path string, content io.Reader, size int64) error {
	f := files(u)
	if !pushPath.MatchString(path) || size < 0 {
		return f.on(internalFault(fmt.Sprintf("not a file to be pushed: %q, %d bytes", path, size)))
	}
	ctx, p := moving(ctx)
	defer p.done()
	whole := &exact{from: p.reader(content), left: size}
	switch how {
	case remote.SCP:
		return f.on(u.scp(ctx, path, whole, size))
	case remote.SFTP:
		return f.on(u.sftp(ctx, path, whole))
	}
	return f.on(internalFault(fmt.Sprintf("no way to push a file: %q", how)))
}

// exact passes on content that has the size that was promised; anything else is an error.
// It reads to the end, where the store says whether it gave the right bytes.
type exact struct {
	from io.Reader
	left int64
	err  error // why from can't be used; never io.EOF
}

func (e *exact) Read(p []byte) (int, error) {
	n, err := e.from.Read(p)
	e.left -= int64(n)
	switch {
	case e.left < 0, errors.Is(err, io.EOF) && e.left != 0:
		err = internalFault("a file to be pushed has not the size that was promised")
	case err == nil, errors.Is(err, io.EOF):
		return n, err //nolint:wrapcheck // io.EOF must stay what it is
	}
	e.err = err
	return 0, err
}

// sftp writes to a temporary name and renames it where the server can replace a file in
// that way. Else it writes to the name itself, and removes what is not whole.
func (u pusher) sftp(ctx context.Context, target string, content *exact) error {
	s, err := u.lease.openSFTP(ctx)
	if errors.Is(err, errNoSFTP) {
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, What: "the device has no SFTP",
			Hint: "switch it on there, or let the device's definition push by scp or pull",
		}
	}
	if err != nil {
		return err
	}
	defer s.free()
	name := target
	if _, ok := s.HasExtension("posix-rename@openssh.com"); ok && path.IsAbs(target) {
		name = tempName(target)
	}
	opened, err := s.write(name, content)
	if err == nil && name != target {
		err = s.PosixRename(name, target)
	}
	if err != nil && opened { // what could not be opened is somebody else's
		_ = s.Remove(name)
	}
	if content.err != nil {
		return content.err
	}
	return s.explain(ctx, target, err)
}

func (s *transfer) write(name string, content io.Reader) (opened bool, err error) {
	file, err := s.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return false, err
	}
	_, err = file.ReadFromWithConcurrency(content, writesAhead)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return true, err
}
