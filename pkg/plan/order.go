package plan

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/version"
)

// ordering gives the order of the host's own package manager: whether a is newer than
// b, and whether that is known at all. Where it is not, only equality can be told.
func ordering(f fact.Facts) func(a, b string) (newer, known bool) {
	compare := scheme(f)
	return func(a, b string) (bool, bool) {
		if compare == nil {
			return false, false
		}
		return compare(a, b) > 0, true
	}
}

func scheme(f fact.Facts) func(a, b string) int {
	for _, m := range drivers.Managers() {
		if m.Name == f.Manager.Name && m.Order != nil { // it knows what no version scheme does: releases, images
			return m.Order
		}
	}
	switch {
	case f.Device != nil:
		return deviceScheme(f.Device.Order)
	case f.Platform == "debian", f.Manager.Name == "apt":
		return version.Dpkg
	case f.Platform == "rhel", f.Platform == "suse":
		return version.RPM
	case f.Platform == "arch":
		return version.Pacman
	case f.Platform == "alpine":
		return version.Apk
	case f.Platform == "freebsd":
		return version.FreeBSD
	case f.Platform == "openbsd":
		return version.OpenBSD
	}
	return nil
}
