package app

import (
	"context"

	"github.com/patchring/patchring/pkg/fault"
)

// checkForce refuses to replace the locks of a rollout that this state folder has: it is to
// be carried on, and may be at work.
func (o RunOptions) checkForce(ctx context.Context) error {
	if o.ForceUnlock == "" || !o.knows(o.ForceUnlock) {
		return nil
	}
	r, err := o.openRollout(ctx, o.ForceUnlock)
	if err != nil {
		return err
	}
	defer r.Close()
	if over(r.state) {
		return nil
	}
	return fault.Usagef("carry it on with: patchring run "+r.Path+", or end it with: patchring abort "+r.ID,
		"rollout %s is open in this state folder, so its locks on hosts are not to be replaced", r.ID)
}
