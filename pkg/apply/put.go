package apply

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/store"
)

// Content gives what a step puts on a host, by its digest: the controller's store. What
// it does not have is store.ErrNotFound or fs.ErrNotExist. Sessions that are a Content too
// can perform steps with files; others refuse those.
type Content interface {
	Open(digest patch.Digest) (io.ReadCloser, error)
}

//go:embed there.sh
var thereScript string

// put sends a file, unless the host has it already. A host with a command line can tell;
// what can't be told is sent. That it arrived whole, Files checks.
func (p *performer) put(ctx context.Context, s remote.Session, file platform.File) error {
	if there(ctx, s, file) {
		return nil
	}
	source, ok := p.on.(Content)
	if !ok {
		return giveUp("nothing here has the content of " + path.Base(file.Path))
	}
	content, err := source.Open(file.Store)
	if err != nil {
		return lacking(file, err)
	}
	defer func() { _ = content.Close() }() // it was only read
	p.tell("sending " + clean(path.Base(file.Path)))
	if err := s.Files.Put(ctx, file.Path, content, file.Store); err != nil {
		return fmt.Errorf("send %s: %w", clean(path.Base(file.Path)), err)
	}
	return nil
}

// there asks whether the file lies there with the right content.
func there(ctx context.Context, s remote.Session, file platform.File) bool {
	if s.Runner == nil {
		return false
	}
	r, err := s.Runner.Run(ctx, remote.Command{
		Argv:  []string{"sh", "-s", "--", strings.TrimPrefix(string(file.Store), "sha256:"), file.Path},
		Stdin: []byte(thereScript), Become: true, Effect: remote.Reads,
	})
	return err == nil && r.OK()
}

func lacking(file platform.File, err error) error {
	name := clean(path.Base(file.Path))
	if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, What: name + " can't be sent: the store can't be read", Err: err}
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, What: name + " can't be sent: " + clean(string(file.Store)) + " is not in the store",
		Hint: "it is kept when an earlier ring downloads it; without it, name a snapshot archive, or bring the version back to the repository",
	}
}
