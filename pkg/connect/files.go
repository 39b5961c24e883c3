package connect

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// files moves whole files over a lease: by SFTP as the login user, or through cat
// where the file must be root's or the host has no SFTP.
type files struct{ lease *Lease }

// Put writes content to a new file beside path, compares what arrived with want, and
// only then moves it into place (mode 0600). A file that does not match is removed.
func (f files) Put(ctx context.Context, target string, content io.Reader, want patch.Digest) error {
	if err := checkPut(target, want); err != nil {
		return f.on(err)
	}
	ctx, p := moving(ctx)
	defer p.done()
	u := upload{path: target, temp: tempName(target), want: want, content: p.reader(content), sum: newSum(), progress: p}
	if needsRoot(f.lease.become, f.lease.user) {
		return f.on(f.putCat(ctx, u))
	}
	err := f.putSFTP(ctx, u)
	if errors.Is(err, errNoSFTP) {
		err = f.putCat(ctx, u)
	}
	return f.on(err)
}

// Get opens the file for reading, at most limit bytes of it. A missing file is
// fs.ErrNotExist.
func (f files) Get(ctx context.Context, name string, limit int64) (io.ReadCloser, error) {
	if needsRoot(f.lease.become, f.lease.user) {
		content, err := f.getCat(ctx, name, limit)
		return content, f.on(err)
	}
	content, err := f.getSFTP(ctx, name, limit)
	if errors.Is(err, errNoSFTP) {
		content, err = f.getCat(ctx, name, limit)
	}
	return content, f.on(err)
}

func (f files) on(err error) error {
	if err == nil {
		return nil
	}
	if errors.As(err, new(*fault.Error)) {
		return fault.On(err, f.lease.id.String(), "file")
	}
	return &fault.Error{Kind: fault.GiveUp, Code: fault.HostFailed, Host: f.lease.id.String(), Step: "file", Err: err}
}

// upload is one file on its way. Every byte that is read of content goes into sum.
type upload struct {
	path, temp string
	want       patch.Digest
	content    io.Reader
	sum        hash.Hash
	progress   *progress // of the content
}

func newSum() hash.Hash { return sha256.New() }

func (u upload) reader() io.Reader { return io.TeeReader(u.content, u.sum) }

// sent is the digest of what was read so far.
func (u upload) sent() patch.Digest {
	return patch.Digest("sha256:" + hex.EncodeToString(u.sum.Sum(nil)))
}

// checkSent catches content that is not what it should be on this side already.
func (u upload) checkSent() error {
	if u.sent() != u.want {
		return mismatch(u.path, "the local content", u.sent(), u.want)
	}
	return nil
}

func mismatch(name, where string, got, want patch.Digest) error {
	return &fault.Error{
		Kind: fault.Retry, Code: fault.HostFailed,
		What: fmt.Sprintf("%s: %s has digest %s, not %s; nothing was replaced", name, where, got.Short(), want.Short()),
		Hint: "run the same command again; if it stays so, check the disk and the network",
	}
}

func checkPut(target string, want patch.Digest) error {
	if !path.IsAbs(target) || path.Clean(target) != target || target == "/" {
		return internalFault(fmt.Sprintf("not an absolute, clean path: %q", target))
	}
	if _, err := patch.ParseDigest(string(want)); err != nil {
		return internalFault("an upload without a digest")
	}
	return nil
}

func internalFault(what string) error {
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, What: what, Hint: "this is a mistake in patchring; please report it"}
}

// tempName is a name beside path that nobody can guess.
func tempName(target string) string {
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return path.Join(path.Dir(target), "."+path.Base(target)+".patchring-"+hex.EncodeToString(raw))
}

// shellFault is the fault of one of our own small scripts.
func shellFault(what string, r remote.Result) error {
	said := remote.CleanLines(string(r.Err), 3, peerText)
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, What: fmt.Sprintf("%s: exit status %d: %q", what, r.Code, said),
		Hint: "is there space, and may this user write there? On the host: df -h; ls -ld " + remote.Quote([]string{path.Dir(what)}),
	}
}
