// Package drivers is the explicit list of everything that patchring can drive.
package drivers

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/platform/linux"
)

// Families in the order in which they are asked whether a host may be theirs. Linux
// comes last: it takes whatever did not say that it is something else.
func Families() []platform.Family {
	return []platform.Family{device.Cisco(), linux.Family()}
}

// All drivers, in the order in which they are shown.
func All() []platform.Driver {
	return append(linux.Drivers(), device.IOSXE{})
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
