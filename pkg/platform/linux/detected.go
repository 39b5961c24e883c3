package linux

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// Detected is any other Linux: looked at, never changed.
type Detected struct{}

var _ platform.Driver = Detected{}

const whyDetected = "only hosts with apt or dnf can be patched in this build, and no image-based ones"

// Read gives what Read of this package gives.
func (Detected) Read(results []remote.Result) (fact.Facts, error) { return Read(results) }

// Steps refuses.
func (Detected) Steps(f fact.Facts, _ patch.Work) ([]platform.Step, error) {
	why := whyDetected
	for _, p := range f.Problems {
		if p.What == "platform" {
			why = p.Detail
		}
	}
	return nil, refuse(f, "see: patchring detect "+f.Host.Name, "this host can't be patched: %s", why)
}

// Capabilities of the driver.
func (Detected) Capabilities() platform.Capabilities {
	return platform.Capabilities{Platform: Other, Class: fact.ClassServer, Detects: true, Why: whyDetected}
}

// Drivers of this package, in the order in which they are shown.
func Drivers() []platform.Driver {
	return []platform.Driver{Apt{Debian}, Apt{Ubuntu}, Dnf{}, Detected{}}
}
