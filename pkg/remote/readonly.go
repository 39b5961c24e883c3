package remote

import (
	"context"
	"fmt"
	"io"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// ReadOnly wraps a whole Session so that only what is marked as at least as
// harmless as allowed gets through: Reads, or Refreshes (which lets Reads through
// too). Uploads never do. Detect, plan and check hold nothing but this.
func ReadOnly(s Session, allowed Effect) Session {
	guarded := Session{}
	if s.Runner != nil {
		guarded.Runner = readOnlyRunner{s.Runner, allowed}
	}
	if s.Console != nil {
		guarded.Console = readOnlyConsole{s.Console, allowed}
	}
	if s.Files != nil {
		guarded.Files = readOnlyFiles{s.Files}
	}
	if s.Pusher != nil {
		guarded.Pusher = readOnlyPusher{}
	}
	return guarded
}

type readOnlyRunner struct {
	inner   Runner
	allowed Effect
}

func (r readOnlyRunner) Run(ctx context.Context, c Command) (Result, error) {
	if err := permit(c.Effect, r.allowed, c.Argv); err != nil {
		return Result{}, err
	}
	return r.inner.Run(ctx, c)
}

type readOnlyConsole struct {
	inner   Console
	allowed Effect
}

func (r readOnlyConsole) Exchange(ctx context.Context, e Exchange) (Result, error) {
	if err := permit(e.Effect, r.allowed, e.Send); err != nil {
		return Result{}, err
	}
	return r.inner.Exchange(ctx, e)
}

type readOnlyFiles struct{ inner Files }

func (readOnlyFiles) Put(_ context.Context, path string, _ io.Reader, _ patch.Digest) error {
	return permit(Changes, Reads, path)
}

func (r readOnlyFiles) Get(ctx context.Context, path string, limit int64) (io.ReadCloser, error) {
	return r.inner.Get(ctx, path, limit)
}

// readOnlyPusher refuses everything.
type readOnlyPusher struct{}

func (readOnlyPusher) Push(_ context.Context, _ Protocol, path string, _ io.Reader, _ int64) error {
	return permit(Changes, Reads, path)
}

func permit(effect, allowed Effect, what any) error {
	if effect >= allowed && effect > Changes {
		return nil
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Internal, Step: "read-only guard",
		What: fmt.Sprintf("refused to run %q: this command of patchring only reads", what),
		Hint: "this is a mistake in patchring; please report it",
	}
}
