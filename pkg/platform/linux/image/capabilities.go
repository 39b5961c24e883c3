package image

import "github.com/patchring/patchring/pkg/platform"

// shows is what rpm-ostree declares for the table of `platforms`, as its tests stand.
func shows() []platform.Shown {
	return []platform.Shown{
		{Capability: platform.CanList, How: platform.Simulated, Test: "platform/linux/image.TestDetect", Note: "the image as one thing, named by its commit"},
		{Capability: platform.CanSecurity, How: platform.Simulated, Test: "platform/linux/image.TestDetect", Note: "where its stream has advisories"},
		{Capability: platform.CanSeverity, How: platform.Simulated, Test: "platform/linux/image.TestDetect"},
		{Capability: platform.CanCVEs, How: platform.Simulated, Test: "platform/linux/image.TestDetect"},
		{Capability: platform.CanHolds, How: platform.Documented, Test: "platform/linux/image.TestObstacles", Note: "layered or overridden packages, registries and other updaters"},
		{Capability: platform.CanOrder, How: platform.Documented, Test: "platform/linux/image.TestOrder", Note: "by the time of the commit"},
		{Capability: platform.CanExact, How: platform.Simulated, Test: "platform/linux/image.TestThereAndBack"},
		{Capability: platform.CanSimulate, How: platform.Simulated, Test: "platform/linux/image.TestVanished"},
		{Capability: platform.CanStage, How: platform.Simulated, Test: "platform/linux/image.TestThereAndBack"},
		{Capability: platform.CanSupply, How: platform.Not, Note: "an image has no file: the repository must have its commit"},
		{Capability: platform.CanSign, How: platform.Not, Note: "the commit is the digest, and rpm-ostree checks its signature"},
		{Capability: platform.CanKeep, How: platform.Simulated, Test: "platform/linux/image.TestThereAndBack", Note: "rpm-ostree keeps the former image by itself"},
		{Capability: platform.CanBack, How: platform.Simulated, Test: "platform/linux/image.TestThereAndBack"},
		{Capability: platform.CanRepair, How: platform.Not, Note: "a transaction that was cut leaves nothing behind"},
		{Capability: platform.CanConffiles, How: platform.Not, Note: "ostree merges /etc, and tells of nothing"},
		{Capability: platform.CanReboot, How: platform.Simulated, Test: "platform/linux/image.TestFallsBack"},
		{Capability: platform.CanServices, How: platform.Not, Note: "all of it takes a reboot"},
		{Capability: platform.CanAside, How: platform.Documented, Test: "platform/linux.TestAside"},
		{Capability: platform.CanOneShot, How: platform.Not, Note: "the boot loader falls back by itself, where it is set up so"},
	}
}
