package zypper

import table "github.com/patchring/patchring/pkg/platform"

// shows is what this manager declares for the table of `platforms`, as its tests stand.
func shows() []table.Shown {
	return []table.Shown{
		{Capability: table.CanList, How: table.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: table.CanSecurity, How: table.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: table.CanSeverity, How: table.Recorded, Test: "platform/linux/zypper.TestSecurity"},
		{Capability: table.CanCVEs, How: table.Recorded, Test: "platform/linux/zypper.TestSecurity"},
		{Capability: table.CanHolds, How: table.Simulated, Test: "platform/linux/zypper.TestLabHeld"},
		{Capability: table.CanOrder, How: table.Real, Test: "version.TestRPMLikeZypper"},
		{Capability: table.CanExact, How: table.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: table.CanSimulate, How: table.Real, Test: "platform/linux/zypper.TestRealRefused"},
		{Capability: table.CanStage, How: table.Real, Test: "platform/linux/zypper.TestRealStaged"},
		{Capability: table.CanSupply, How: table.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: table.CanSign, How: table.Real, Test: "lab/real.TestSignedDigests"},
		{Capability: table.CanKeep, How: table.Real, Test: "platform/linux/zypper.TestRealThereAndBack"},
		{Capability: table.CanBack, How: table.Real, Test: "lab/real.TestRollbackToTheFormerSet"},
		{Capability: table.CanRepair, How: table.Not, Note: "what is broken is told: a person repairs it"},
		{Capability: table.CanConffiles, How: table.Real, Test: "lab/real.TestRollbackToTheFormerSet"},
		{Capability: table.CanReboot, How: table.Real, Test: "platform/linux/zypper.TestRealRebootSuggested", Note: "whether it is due; the reboot itself on the simulated fleet"},
	}
}
