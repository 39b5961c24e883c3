// Package drivers is the explicit list of everything that patchring can drive.
package drivers

import (
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apk"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/bsd"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
	"github.com/patchring/patchring/pkg/platform/linux/image"
	"github.com/patchring/patchring/pkg/platform/linux/pacman"
	"github.com/patchring/patchring/pkg/platform/linux/zypper"
)

// Managers are the package managers that hosts may be ruled by.
func Managers() linux.Managers {
	return slices.Concat(linux.Managers{
		apt.Manager(),
		dnf.Manager(),
		dnf.Yum(),
		zypper.Manager(),
		pacman.Manager(),
		apk.Manager(),
	}, bsd.Managers(), image.Managers())
}

// Families in the order in which they are asked whether a host may be theirs. Linux
// comes last: it takes whatever did not say that it is something else.
func Families() []platform.Family {
	return []platform.Family{device.Cisco(), Managers().Family()}
}

// All drivers, in the order in which they are shown.
func All() []platform.Driver {
	return append(Managers().Drivers(), device.IOSXE{})
}

// For finds the driver of a platform as detection names it. There is none for the
// unknown platform, "".
func For(name fact.Platform) (platform.Driver, bool) {
	for _, d := range All() {
		if d.Capabilities().Platform == name {
			return d, true
		}
	}
	return nil, false
}
