package pacman

import "github.com/patchring/patchring/pkg/platform"

// shows is what this manager declares for the table of `platforms`, as its tests stand.
func shows() []platform.Shown {
	return []platform.Shown{
		{Capability: platform.CanList, How: platform.Real, Test: "platform/linux/pacman.TestRealDetect"},
		{Capability: platform.CanSecurity, How: platform.Not, Note: "Arch tells none: it counts as unknown, and as in"},
		{Capability: platform.CanSeverity, How: platform.Not, Note: "Arch tells none"},
		{Capability: platform.CanCVEs, How: platform.Not, Note: "Arch tells none"},
		{Capability: platform.CanHolds, How: platform.Real, Test: "platform/linux/pacman.TestRealDetect", Note: "IgnorePkg"},
		{Capability: platform.CanOrder, How: platform.Real, Test: "version.TestPacmanLikeVercmp"},
		{Capability: platform.CanExact, How: platform.Real, Test: "platform/linux/pacman.TestRealThereAndBack"},
		{Capability: platform.CanSimulate, How: platform.Real, Test: "platform/linux/pacman.TestRealMore"},
		{Capability: platform.CanStage, How: platform.Real, Test: "platform/linux/pacman.TestRealThereAndBack"},
		{Capability: platform.CanSupply, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSign, How: platform.Real, Test: "lab/real.TestSignedDigests"},
		{Capability: platform.CanKeep, How: platform.Real, Test: "platform/linux/pacman.TestRealThereAndBack"},
		{Capability: platform.CanBack, How: platform.Real, Test: "lab/real.TestRollbackToTheFormerSet"},
		{Capability: platform.CanRepair, How: platform.Not, Note: "a lock file that nobody holds is told: a person removes it"},
		{Capability: platform.CanConffiles, How: platform.Real, Test: "lab/real.TestRollbackToTheFormerSet"},
		{Capability: platform.CanReboot, How: platform.Simulated, Test: "platform/linux/pacman.TestLabUpgrades"},
	}
}
