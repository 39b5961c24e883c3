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

// Watched are Sessions of a device: its state is read in its own way. What Watch gives
// is nil for a host that runs scripts.
type Watched interface{ Watch() *health.Watch }

// watchOf is how the state of these sessions' host is read; nil: by the common script.
func watchOf(on Sessions) *health.Watch {
	if watched, is := on.(Watched); is {
		return watched.Watch()
	}
	return nil
}

// watch reads the state of a device, one exchange after the other.
func watch(ctx context.Context, s remote.Session, w *health.Watch, now time.Time) (fact.Snapshot, error) {
	console := remote.ReadOnly(s, remote.Reads).Console
	if console == nil {
		return fact.Snapshot{}, &fault.Error{Kind: fault.GiveUp, Code: fault.HostFailed, Step: "health", What: "this host has no console"}
	}
	ctx, cancel := context.WithTimeout(ctx, watchWithin)
	defer cancel()
	results := make([]remote.Result, 0, len(w.Ask))
	for _, exchange := range w.Ask {
		r, err := console.Exchange(ctx, exchange)
		if err == nil && r.Ending == remote.Lost {
			err = &fault.Error{Kind: fault.Retry, Code: fault.Lost, Step: "health", What: "the connection ended before the answer"}
		}
		if err != nil {
			return fact.Snapshot{}, err //nolint:wrapcheck // already a *fault.Error that says what happened
		}
		results = append(results, r)
	}
	return fact.Snapshot{Seen: now, Sections: w.Read(results)}, nil
}

// watchWithin bounds all exchanges of one look at a device.
const watchWithin = 5 * time.Minute

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
