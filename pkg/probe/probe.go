// Package probe asks hosts how they are: it runs what package health builds, again
// and again until a check passes or its time is over, and takes the snapshots that
// a diff compares. Nothing here changes a host: the sessions are read-only, and a
// command check reads by the word of the playbook's author.
package probe

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/remote"
)

// Sessions gives sessions to one host, connecting again where the connection is
// gone; release gives the session back. Drop closes the connection after a loss.
type Sessions interface {
	Session(ctx context.Context) (s remote.Session, release func(), err error)
	Drop()
}

// Snapshot takes the state of a host, in one exec. The error is for a host that
// could not be asked; what could not be read of its state is said in the sections.
func Snapshot(ctx context.Context, s remote.Session, now time.Time) (fact.Snapshot, error) {
	round := health.Round{Nonce: rand.Text(), Snapshot: true}
	answers, err := ask(ctx, s, round, now)
	return answers.Snapshot, err
}

// ask runs one round in one exec.
func ask(ctx context.Context, s remote.Session, round health.Round, now time.Time) (health.Answers, error) {
	if s.Runner == nil {
		return health.Answers{}, &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, Step: "health",
			What: "this host does not run commands",
			Hint: "let the controller ask (from: controller)",
		}
	}
	ctx, cancel := context.WithTimeout(ctx, round.Longest())
	defer cancel()
	result, err := remote.ReadOnly(s, remote.Reads).Runner.Run(ctx, round.Command())
	if err != nil {
		return health.Answers{}, err //nolint:wrapcheck // already a *fault.Error that says what happened
	}
	if result.Ending == remote.Lost {
		return health.Answers{}, &fault.Error{Kind: fault.Retry, Code: fault.Lost, Step: "health", What: "the connection ended before the answer"}
	}
	return round.Read(result, now), nil
}
