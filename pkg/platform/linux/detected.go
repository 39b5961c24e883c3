package linux

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// Detected is any other Linux: looked at, never changed.
type Detected struct{ all Managers }

var _ platform.Driver = Detected{}

const whyDetected = "its package manager is none that this build can drive, or its system is an image"

// Read gives what Read of all managers gives.
func (d Detected) Read(results []remote.Result) (fact.Facts, error) { return d.all.Read(results) }

// Steps refuses.
func (Detected) Steps(f fact.Facts, _ patch.Work) ([]platform.Step, error) {
	why := whyDetected
	for _, p := range f.Problems {
		if p.What == "platform" {
			why = p.Detail
		}
	}
	return nil, Refuse(f, "see: patchring detect "+f.Host.Name, "this host can't be patched: %s", why)
}

// Capabilities of the driver.
func (Detected) Capabilities() platform.Capabilities {
	return platform.Capabilities{Platform: Other, Class: fact.ClassServer, Detects: true, Why: whyDetected}
}
