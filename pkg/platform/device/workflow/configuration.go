package workflow

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// changed is the part of a configuration that new software may word in another way.
const changed = 0.02

// configuration makes the section of what the definition's save.show has printed. A line is
// kept as a digest: the snapshot lies in the state folder, and differences go into reports.
func (d Driver) configuration(r remote.Result) fact.Section {
	section := fact.Section{Rule: fact.RuleMost, Tolerance: changed, Why: "the answer was cut off"}
	if !whole(r) {
		if r.Ending == remote.Failed {
			section.Why = "the device refused to show it"
		}
		return section
	}
	section.Known, section.Why = true, ""
	for line := range strings.Lines(strings.ReplaceAll(string(r.Out), "\r", "")) {
		if line = strings.TrimSpace(line); line != "" && !d.drops(line) {
			sum := sha256.Sum256([]byte(line))
			section.Items = append(section.Items, hex.EncodeToString(sum[:8]))
		}
	}
	slices.Sort(section.Items)
	section.Items = slices.Compact(section.Items)
	return section
}

// drops tells of a line that differs each time: a time, a counter, a key that is hashed anew.
func (d Driver) drops(line string) bool {
	for _, save := range d.Platform.Definition.Save {
		for _, pattern := range save.Drop {
			if d.Platform.Re(pattern).MatchString(line) {
				return true
			}
		}
	}
	return false
}

// showing is the command that prints the configuration; empty: none is known.
func (d Driver) showing() string {
	for _, save := range d.Platform.Definition.Save {
		if save.Show != "" {
			return save.Show
		}
	}
	return ""
}
