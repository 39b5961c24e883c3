package apt

import "github.com/patchring/patchring/pkg/platform"

// shows is what this manager declares for the table of `platforms`, as its tests stand.
func shows() []platform.Shown {
	return []platform.Shown{
		{Capability: platform.CanList, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSecurity, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSeverity, How: platform.Not, Note: "apt's repositories tell none: it counts as unknown, and as in"},
		{Capability: platform.CanCVEs, How: platform.Not, Note: "apt's repositories tell none: use --package"},
		{Capability: platform.CanHolds, How: platform.Real, Test: "platform/linux/apt.TestRealRefusals"},
		{Capability: platform.CanOrder, How: platform.Real, Test: "version.TestDpkgLikeDpkg"},
		{Capability: platform.CanExact, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSimulate, How: platform.Real, Test: "platform/linux/apt.TestRealRefusals"},
		{Capability: platform.CanStage, How: platform.Real, Test: "platform/linux/apt.TestRealThereAndBack"},
		{Capability: platform.CanSupply, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSign, How: platform.Real, Test: "lab/real.TestSignedDigests"},
		{Capability: platform.CanKeep, How: platform.Real, Test: "platform/linux/apt.TestRealThereAndBack"},
		{Capability: platform.CanBack, How: platform.Real, Test: "lab/real.TestRollbackToTheFormerSet"},
		{Capability: platform.CanRepair, How: platform.Real, Test: "platform/linux/apt.TestRealRepair"},
		{Capability: platform.CanConffiles, How: platform.Real, Test: "lab/real.TestAdminsConffileStays"},
		{Capability: platform.CanReboot, How: platform.Real, Test: "lab/real.TestRebootIsRealAndOnlyWhereNeeded"},
	}
}
