package linux

import (
	"slices"

	"github.com/patchring/patchring/pkg/platform"
)

// Shared is what every manager shows that the base does for it, in the same way on all of
// their systems. What a manager shows itself holds instead.
func Shared() []platform.Shown {
	return []platform.Shown{
		{Capability: platform.CanLock, How: platform.Real, Test: "platform/linux.TestLockForReal"},
		{Capability: platform.CanAside, How: platform.Simulated, Test: "platform/linux.TestAside", Note: "the scripts in real shells, systemctl simulated"},
		{Capability: platform.CanReboot, How: platform.Simulated, Test: "platform/linux.TestLabReboots"},
		{Capability: platform.CanServices, How: platform.Simulated, Test: "platform/linux.TestLabServices"},
		{Capability: platform.CanOneShot, How: platform.Simulated, Test: "platform/linux.TestLabOneShot", Note: "GRUB with GRUB_DEFAULT=saved"},
	}
}

// Systems are the managers as columns of the table of `platforms`.
func (all Managers) Systems() []platform.System {
	out := make([]platform.System, 0, len(all))
	for _, m := range all {
		s := platform.System{Name: m.Name, Platforms: m.Drives, Detects: true, Upgrades: m.Refused == "", Why: m.Refused}
		if len(m.Shows) > 0 { // one that declares nothing shows nothing
			s.Shows = slices.Concat(m.Shows, Shared())
		}
		out = append(out, s)
	}
	return out
}
