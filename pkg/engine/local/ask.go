package local

import (
	"context"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/probe"
)

// Ask runs checks on one host outside of any rollout, with nothing to compare with.
func Ask(ctx context.Context, c Connector, h inventory.Host, checks []health.Check) []health.Result {
	return probe.Checks(ctx, &sessions{connect: c, host: h.ID}, checks, vars(h), nil)
}

func vars(h inventory.Host) health.Vars {
	address := h.Address
	if address == "" {
		address = h.ID.Name
	}
	return health.Vars{Address: address, Name: h.ID.Name, Site: h.ID.Site}
}
