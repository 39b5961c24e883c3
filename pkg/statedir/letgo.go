package statedir

import (
	"context"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
)

// Holds are the hosts that others see this rollout keep out.
func (r *Rollout) Holds() ([]fact.HostID, error) {
	out, err := readOut(r.state, r.ID)
	return out.Hosts, err
}

// LetGo takes hosts off what this rollout keeps out: another one has brought them back, or
// a person has.
func (r *Rollout) LetGo(ctx context.Context, gone []fact.HostID) error {
	return r.Reserve(ctx, func(map[fact.HostID]string) ([]fact.HostID, func() error, error) {
		holds, err := r.Holds()
		left := slices.DeleteFunc(holds, func(h fact.HostID) bool { return slices.Contains(gone, h) })
		return left, nil, err
	})
}
