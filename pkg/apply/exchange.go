package apply

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// What Sessions may be besides, for steps of devices. A step that needs what they are not
// is refused before anything is sent.

// Sizer tells how many bytes a Content has.
type Sizer interface {
	Size(digest patch.Digest) (int64, error)
}

// Server serves a file for as long as one exchange lasts, at an address that the device can
// reach; the URL holds no credentials.
type Server interface {
	Serve(ctx context.Context, file platform.File) (url string, stop func(), err error)
}

// Keeper keeps what an operation printed, by the name that the step gives it.
type Keeper interface {
	Keep(ctx context.Context, name string, content []byte) error
}

// push sends a file to a device. Nothing tells whether it is there already but the look.
func (p *performer) push(ctx context.Context, s remote.Session, file platform.File) error {
	name := clean(path.Base(file.Path))
	source, ok := p.on.(Content)
	sizer, sized := p.on.(Sizer)
	if !ok || !sized {
		return giveUp("nothing here has the content of " + name)
	}
	size, err := sizer.Size(file.Store)
	if err != nil {
		return lacking(file, err)
	}
	content, err := source.Open(file.Store)
	if err != nil {
		return lacking(file, err)
	}
	defer func() { _ = content.Close() }() // it was only read
	p.tell("sending " + name)
	if err := s.Pusher.Push(ctx, file.How, file.Path, content, size); err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	return nil
}

// served is what may be put into a line that a device gets.
var served = regexp.MustCompile(`^https?://[A-Za-z0-9._:\[\]-]+/[A-Za-z0-9/._+-]+$`)

// exchange has one dialogue, and serves the file that it asks for meanwhile.
func (p *performer) exchange(ctx context.Context, c remote.Console, op platform.Operation) (remote.Result, error) {
	if op.Serve == nil {
		return c.Exchange(ctx, *op.Exchange)
	}
	server, ok := p.on.(Server)
	if !ok {
		return remote.Result{}, giveUp("nothing here can serve " + clean(path.Base(op.Serve.Path)))
	}
	url, stop, err := server.Serve(ctx, *op.Serve)
	if err != nil {
		return remote.Result{}, err
	}
	defer stop()
	if !served.MatchString(url) {
		return remote.Result{}, giveUp("not an address that can be typed on a device: " + clean(url))
	}
	return c.Exchange(ctx, withURL(*op.Exchange, url))
}

// withURL is the exchange with the address where {url} stands. The step stays as it is.
func withURL(e remote.Exchange, url string) remote.Exchange {
	e.Send = strings.ReplaceAll(e.Send, "{url}", url)
	e.Questions = slices.Clone(e.Questions)
	for i := range e.Questions {
		e.Questions[i].Answer = strings.ReplaceAll(e.Questions[i].Answer, "{url}", url)
	}
	return e
}

// typed tells whether a device may have got a line that changes it, or a file that does: one
// that is pushed to where it is installed from at once. A file that is only laid down may come
// again.
func typed(step platform.Step, op platform.Operation, err error) bool {
	line := op.Exchange != nil && op.Exchange.Effect == remote.Changes
	file := op.Put != nil && op.Put.How != "" && (step.Changes || op.MayDrop)
	if !line && !file {
		return false
	}
	return err == nil || !final(err) && fault.CodeOf(err) != fault.Unreachable
}

// keeper finds who keeps what the operation prints; nil where nothing is to be kept.
func (p *performer) keeper(op platform.Operation) (Keeper, error) {
	if op.Save == "" {
		return nil, nil
	}
	keep, ok := p.on.(Keeper)
	if !ok {
		return nil, giveUp("nothing here keeps " + clean(op.Save))
	}
	return keep, nil
}

// save keeps all of it or nothing: half a configuration looks like one.
func save(ctx context.Context, keep Keeper, name string, r remote.Result) error {
	if r.Truncated {
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, What: clean(name) + " was not kept: the host printed more than is taken",
			Hint: "nothing was changed after it",
		}
	}
	if err := keep.Keep(ctx, name, r.Out); err != nil {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, What: clean(name) + " could not be kept", Err: err}
	}
	return nil
}
