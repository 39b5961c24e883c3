package bsd

import "github.com/patchring/patchring/pkg/platform"

// shows is what FreeBSD declares for the table of `platforms`, as its tests stand.
func shows() []platform.Shown {
	return []platform.Shown{
		{Capability: platform.CanList, How: platform.Documented, Test: "platform/linux/bsd.TestPlan"},
		{Capability: platform.CanSecurity, How: platform.Documented, Test: "platform/linux/bsd.TestAudit", Note: "by pkg audit; the base system's always count as such"},
		{Capability: platform.CanSeverity, How: platform.Not, Note: "neither pkg audit nor freebsd-update tells any"},
		{Capability: platform.CanCVEs, How: platform.Documented, Test: "platform/linux/bsd.TestAudit", Note: "of packages; those that the installed version has"},
		{Capability: platform.CanHolds, How: platform.Documented, Test: "platform/linux/bsd.TestSimulatedRefuses", Note: "pkg lock"},
		{Capability: platform.CanOrder, How: platform.Documented, Test: "version.TestFreeBSDLikePkg", Note: "compared with a real pkg where there is one"},
		{Capability: platform.CanExact, How: platform.Documented, Test: "platform/linux/bsd.TestFreeBSDVanished", Note: "what the repositories no longer have comes from files; of the base system only the newest patch level"},
		{Capability: platform.CanSimulate, How: platform.Documented, Test: "platform/linux/bsd.TestFreeBSDRefusesMore"},
		{Capability: platform.CanStage, How: platform.Documented, Test: "platform/linux/bsd.TestFreeBSDThereAndBack"},
		{Capability: platform.CanSupply, How: platform.Documented, Test: "platform/linux/bsd.TestFreeBSDThereAndBack", Note: "packages; not the base system"},
		{Capability: platform.CanSign, How: platform.Not, Note: "pkg's signed catalogue is not read here"},
		{Capability: platform.CanKeep, How: platform.Documented, Test: "platform/linux/bsd.TestFreeBSDKeeps", Note: "as downloaded, else made again of what is installed"},
		{Capability: platform.CanBack, How: platform.Documented, Test: "platform/linux/bsd.TestFreeBSDThereAndBack", Note: "the base system by freebsd-update rollback, the last update alone"},
		{Capability: platform.CanRepair, How: platform.Not, Note: "pkg would take the newest of what is missing: that is for a person"},
		{Capability: platform.CanConffiles, How: platform.Not, Note: "pkg leaves .pkgnew beside; nobody looks for those"},
		{Capability: platform.CanReboot, How: platform.Documented, Test: "platform/linux/bsd.TestFreeBSDRebootDue", Note: "from FreeBSD 13 on, which names its boots"},
		{Capability: platform.CanServices, How: platform.Not, Note: "services of rc are not looked at"},
		{Capability: platform.CanAside, How: platform.Not, Note: "it has no such timers"},
		{Capability: platform.CanOneShot, How: platform.Not, Note: "no GRUB; bectl and nextboot are for a person"},
	}
}
