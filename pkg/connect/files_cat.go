package connect

import (
	"bytes"
	"context"
	_ "embed" // the scripts
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

// getCat holds the file in memory: as root there is no other way, and callers bound it.
func (f files) getCat(ctx context.Context, path string, limit int64) (io.ReadCloser, error) {
	argv := []string{"sh", "-c", getScript, "sh", path, strconv.FormatInt(limit, 10)}
	r, err := f.lease.exec(ctx, task{argv: argv, become: true, maxOut: limit})
	if err != nil {
		return nil, err
	}
	if r.Ending == remote.Exited && r.Code == exitMissing {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	if r.Ending != remote.Exited || r.Code != 0 {
		return nil, shellFault(path, r)
	}
	return io.NopCloser(bytes.NewReader(r.Out)), nil
}
