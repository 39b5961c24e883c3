// Package detect learns what one host is, in one exec: it picks the family by the
// server's identification, runs the family's probe and has it read.
package detect

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/remote"
)

// Host detects one host. Ident is the server's "SSH-2.0-…" line; now is the
// controller's clock. The session may be read-only: Reads, or Refreshes where the
// query asks for it.
//
// What could not be learned is a Problem in the facts, an unknown kind of host
// included: then the platform is "". The error is for a host that could not be
// asked. Where only the right to become root is missing, both come back: the error
// (fault.Privilege), and what an unprivileged look could see, with a Problem that
// says so; the caller decides whether that is enough.
func Host(ctx context.Context, s remote.Session, ident string, host fact.HostID, now time.Time, q platform.Query) (fact.Facts, error) {
	if s.Runner == nil {
		return fact.Facts{}, fault.On(&fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, What: "this host does not run commands",
		}, host.String(), "detect")
	}
	if q.Nonce == "" {
		q.Nonce = nonce()
	}
	family := choose(drivers.Families(), ident)
	results, err := run(ctx, s.Runner, family.Probe(q))
	if fault.CodeOf(err) != fault.Privilege {
		if err != nil {
			return fact.Facts{}, fault.On(err, host.String(), "detect")
		}
		return read(family, results, host, now), nil
	}
	facts, second := unprivileged(ctx, s.Runner, family, q, host, now)
	if second != nil { // what came first is what the user must hear of
		return fact.Facts{}, fault.On(err, host.String(), "detect")
	}
	return facts, fault.On(err, host.String(), "detect")
}

// choose takes the first family that may be it; the last takes everything.
func choose(families []platform.Family, ident string) platform.Family {
	for _, f := range families {
		if f.Match(ident) {
			return f
		}
	}
	return families[len(families)-1]
}

// nonce is 128 bits at random. rand.Read never fails.
func nonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func run(ctx context.Context, r remote.Runner, commands []remote.Command) ([]remote.Result, error) {
	results := make([]remote.Result, 0, len(commands))
	for _, c := range commands {
		res, err := r.Run(ctx, c)
		if err == nil && res.Ending == remote.Lost {
			err = &fault.Error{Kind: fault.Retry, Code: fault.Lost, What: "the connection ended during detection"}
		}
		if err != nil {
			return nil, fmt.Errorf("probe: %w", err)
		}
		results = append(results, res)
	}
	return results, nil
}

// unprivileged asks again without root, once. The lists are not fetched: that needs root.
func unprivileged(ctx context.Context, r remote.Runner, family platform.Family, q platform.Query, host fact.HostID, now time.Time) (fact.Facts, error) {
	q.Refresh = false
	commands := slices.Clone(family.Probe(q))
	for i := range commands {
		commands[i].Become = false
	}
	results, err := run(ctx, r, commands)
	if err != nil {
		return fact.Facts{}, err
	}
	return read(family, results, host, now), nil
}

// read never fails: a host that is not understood is a host of unknown platform.
func read(family platform.Family, results []remote.Result, host fact.HostID, now time.Time) fact.Facts {
	facts, err := family.Read(results)
	if err != nil {
		facts = fact.Facts{Reboot: fact.Reboot{Needed: patch.Unknown}}
		facts.Problems = []fact.Problem{{What: "platform", Detail: remote.Clean(err.Error(), 500)}}
	}
	facts.Host, facts.Seen = host, now
	return facts
}
