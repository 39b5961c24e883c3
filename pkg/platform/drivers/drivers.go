// Package drivers is the explicit list of everything that patchring can drive.
package drivers

import (
	"io/fs"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/platform/device/workflow"
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

// Servers is the family of hosts with a package manager.
func Servers() platform.Family { return Managers().Family() }

// For finds the driver of a platform with a package manager. There is none for the
// unknown platform, "".
func For(name fact.Platform) (platform.Driver, bool) {
	return find(Managers().Drivers(), name)
}

func find(all []platform.Driver, name fact.Platform) (platform.Driver, bool) {
	at := slices.IndexFunc(all, func(d platform.Driver) bool { return d.Capabilities().Platform == name })
	if at < 0 {
		return nil, false
	}
	return all[at], true
}

// Set is everything that can be driven: what has a package manager, and devices by their
// definitions. The zero Set has no devices.
type Set struct{ Devices device.Library }

// Builtin is the set with the definitions that patchring brings along.
func Builtin() (Set, error) {
	devices, err := device.Embedded()
	return Set{Devices: devices}, err
}

// With adds a user's definitions, or puts them in the place of ours.
func (s Set) With(definitions fs.FS) (Set, error) {
	devices, err := s.Devices.With(definitions)
	return Set{Devices: devices}, err
}

// All drivers, in the order in which they are shown.
func (s Set) All() []platform.Driver {
	all := Managers().Drivers()
	for _, p := range s.Devices.All() {
		all = append(all, workflow.Driver{Platform: p})
	}
	return all
}

// For finds the driver of a platform as detection names it.
func (s Set) For(name fact.Platform) (platform.Driver, bool) {
	if p, ok := s.Devices.Find(name); ok {
		return workflow.Driver{Platform: p}, true
	}
	return For(name)
}
