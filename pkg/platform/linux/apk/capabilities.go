package apk

import "github.com/patchring/patchring/pkg/platform"

// shows is what this manager declares for the table of `platforms`, as its tests stand.
func shows() []platform.Shown {
	return []platform.Shown{
		{Capability: platform.CanList, How: platform.Documented, Test: "platform/linux/apk.TestUpdates"},
		{Capability: platform.CanSecurity, How: platform.Not, Note: "Alpine tells none: it counts as unknown, and as in"},
		{Capability: platform.CanSeverity, How: platform.Not, Note: "Alpine tells none"},
		{Capability: platform.CanCVEs, How: platform.Not, Note: "Alpine tells none"},
		{Capability: platform.CanHolds, How: platform.Documented, Test: "platform/linux/apk.TestUpdates"},
		{Capability: platform.CanOrder, How: platform.Documented, Test: "version.TestApkLikeApk", Note: "compared with a real apk where there is one"},
		{Capability: platform.CanExact, How: platform.Simulated, Test: "platform/linux/apk.TestLabUpgrades"},
		{Capability: platform.CanSimulate, How: platform.Simulated, Test: "platform/linux/apk.TestLabUpgrades"},
		{Capability: platform.CanStage, How: platform.Simulated, Test: "platform/linux/apk.TestLabUpgrades"},
		{Capability: platform.CanSupply, How: platform.Simulated, Test: "platform/linux/apk.TestLabBack"},
		{Capability: platform.CanSign, How: platform.Not, Note: "its index has no SHA-256 of the files"},
		{Capability: platform.CanKeep, How: platform.Simulated, Test: "platform/linux/apk.TestLabBack"},
		{Capability: platform.CanBack, How: platform.Simulated, Test: "platform/linux/apk.TestLabBack"},
		{Capability: platform.CanRepair, How: platform.Simulated, Test: "platform/linux/apk.TestLabRepair"},
		{Capability: platform.CanConffiles, How: platform.Simulated, Test: "platform/linux.TestLeftBeside"},
		{Capability: platform.CanReboot, How: platform.Documented, Test: "platform/linux/apk.TestDue"},
		{Capability: platform.CanServices, How: platform.Not, Note: "services of OpenRC are not looked at"},
		{Capability: platform.CanAside, How: platform.Not, Note: "Alpine has no such timers"},
		{Capability: platform.CanOneShot, How: platform.Not, Note: "no GRUB with GRUB_DEFAULT=saved"},
	}
}
