package dnf

import "github.com/patchring/patchring/pkg/platform"

// shows is what this manager declares for the table of `platforms`, as its tests stand.
func shows() []platform.Shown {
	return []platform.Shown{
		{Capability: platform.CanList, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSecurity, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSeverity, How: platform.Recorded, Test: "platform/linux/dnf.TestReadAdvisories"},
		{Capability: platform.CanCVEs, How: platform.Real, Test: "platform/linux/dnf.TestRealDnfTellsCVEs"},
		{Capability: platform.CanHolds, How: platform.Recorded, Test: "platform/linux/dnf.TestKeptBack"},
		{Capability: platform.CanOrder, How: platform.Real, Test: "version.TestRPMLikeRPM"},
		{Capability: platform.CanExact, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSimulate, How: platform.Real, Test: "platform/linux/dnf.TestRealMoreThanPlanned"},
		{Capability: platform.CanStage, How: platform.Real, Test: "platform/linux/dnf.TestRealStageThenVanish"},
		{Capability: platform.CanSupply, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
		{Capability: platform.CanSign, How: platform.Real, Test: "lab/real.TestSignedDigests", Note: "only of repositories with repo_gpgcheck=1, where dnf keeps the signature"},
		{Capability: platform.CanKeep, How: platform.Real, Test: "platform/linux/dnf.TestRealStageThenVanish"},
		{Capability: platform.CanBack, How: platform.Real, Test: "lab/real.TestRollbackToTheFormerSet"},
		{Capability: platform.CanRepair, How: platform.Real, Test: "platform/linux/dnf.TestRealCutTransaction"},
		{Capability: platform.CanConffiles, How: platform.Real, Test: "lab/real.TestRollbackToTheFormerSet"},
		{Capability: platform.CanReboot, How: platform.Simulated, Test: "platform/linux.TestLabUpgrades"},
	}
}

// yumShows is that of yum, which no real one was asked for.
func yumShows() []platform.Shown {
	return []platform.Shown{
		{Capability: platform.CanList, How: platform.Documented, Test: "platform/linux/dnf.TestYumPlan"},
		{Capability: platform.CanSecurity, How: platform.Documented, Test: "platform/linux/dnf.TestYumPlan"},
		{Capability: platform.CanSeverity, How: platform.Documented, Test: "platform/linux/dnf.TestYumPlan"},
		{Capability: platform.CanCVEs, How: platform.Not, Note: "not read of yum"},
		{Capability: platform.CanHolds, How: platform.Documented, Test: "platform/linux/dnf.TestKeptBack"},
		{Capability: platform.CanOrder, How: platform.Real, Test: "version.TestRPMLikeRPM"},
		{Capability: platform.CanExact, How: platform.Documented, Test: "platform/linux/dnf.TestScripts"},
		{Capability: platform.CanSimulate, How: platform.Documented, Test: "platform/linux/dnf.TestYumPlan"},
		{Capability: platform.CanStage, How: platform.Documented, Test: "platform/linux/dnf.TestScripts"},
		{Capability: platform.CanSupply, How: platform.Documented, Test: "platform/linux/dnf.TestScripts"},
		{Capability: platform.CanSign, How: platform.Not, Note: "yum keeps no signature of an index"},
		{Capability: platform.CanKeep, How: platform.Documented, Test: "platform/linux/dnf.TestScripts"},
		{Capability: platform.CanBack, How: platform.Documented, Test: "platform/linux/dnf.TestScripts"},
		{Capability: platform.CanRepair, How: platform.Documented, Test: "platform/linux/dnf.TestScripts"},
		{Capability: platform.CanConffiles, How: platform.Documented, Test: "platform/linux.TestLeftBeside"},
		{Capability: platform.CanAside, How: platform.Documented, Test: "platform/linux.TestAside"},
		{Capability: platform.CanReboot, How: platform.Documented, Test: "platform/linux.TestLabReboots"},
		{Capability: platform.CanServices, How: platform.Documented, Test: "platform/linux.TestLabServices"},
		{Capability: platform.CanOneShot, How: platform.Documented, Test: "platform/linux.TestLabOneShot"},
	}
}
