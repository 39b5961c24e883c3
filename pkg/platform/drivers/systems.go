package drivers

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
)

// Systems are the columns of the table of `platforms`: each package manager, then what is
// only detected.
func Systems() []platform.System {
	out := Managers().Systems()
	for _, d := range []platform.Driver{linux.Detected{}} {
		c := d.Capabilities()
		out = append(out, platform.System{
			Name: string(c.Platform), Platforms: []fact.Platform{c.Platform}, Detects: c.Detects, Upgrades: c.Upgrades, Why: c.Why,
		})
	}
	return out
}
