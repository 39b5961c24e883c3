// Package linux drives Linux and BSD hosts: one probe that learns everything in one go,
// and the steps of a package transaction, the same for every package manager. What
// differs between those is a Manager; each has a package of its own below this one.
// Nothing here runs anything: it builds commands, and reads what they printed.
package linux

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// Other is a host that is only looked at.
const Other fact.Platform = "linux"

// maxReport bounds a script's output: some thousands of updates with their versions.
const maxReport = 8 << 20

// Family is all of Linux and the BSDs; which system it is, the probe tells.
func (all Managers) Family() platform.Family {
	return platform.Family{Name: "linux", Match: matches, Probe: all.Probe, Read: all.Read}
}

// matches is for the last family asked: any server that has not said it is something else.
func matches(ident string) bool { return !strings.HasPrefix(ident, "SSH-2.0-Cisco-") }

// Probe is one command. Without root it still tells most.
func (all Managers) Probe(q platform.Query) []remote.Command {
	effect, mode, offers := remote.Reads, "read", ""
	if q.Refresh {
		effect, mode = remote.Refreshes, "refresh"
	}
	if q.Offers {
		offers = "offers"
	}
	// What is not a name can't be installed; it is then simply not among the answers.
	names := slices.DeleteFunc(slices.Clone(q.Packages), func(n string) bool { return !IsName(n) })
	slices.Sort(names)
	args := append([]string{cmp.Or(q.Nonce, "0"), mode, offers}, slices.Compact(names)...)
	return []remote.Command{look(effect, maxReport, args, all.probeScripts()...)}
}

// probeScripts are the texts of the probe: it does not know yet which manager rules.
func (all Managers) probeScripts() []string {
	scripts, known := []string{frameScript, commonScript, markerScript}, make([]string, 0, len(all))
	for _, m := range all {
		if m.Script == "" { // nothing but a name
			continue
		}
		for _, text := range m.Shared {
			if !slices.Contains(scripts, text) {
				scripts = append(scripts, text)
			}
		}
		scripts, known = append(scripts, m.Script), append(known, m.Name)
	}
	return append(scripts, "known='"+strings.Join(known, " ")+"'\n", marksText(), hiddenScript, all.readsText(), probeScript)
}

// Drivers for everything that these managers rule, in the order in which they are
// shown, and one for what is only looked at.
func (all Managers) Drivers() []platform.Driver {
	var drivers []platform.Driver
	shown := map[fact.Platform]bool{}
	for _, m := range all {
		for _, name := range m.Drives {
			if !shown[name] { // another manager of the same platform is found by its facts
				drivers = append(drivers, Driver{Manager: m, Platform: name, all: all})
			}
			shown[name] = true
		}
	}
	return append(drivers, Detected{all})
}
