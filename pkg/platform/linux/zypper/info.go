package zypper

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// readUpdates reads list-updates: of packages alone.
func readUpdates(text string) (updates []patch.Update, odd []string, err error) {
	current := -1
	err = readTags(text, func(t tag) {
		switch {
		case t.name == "update":
			current = -1
			if t.attr["kind"] != "package" {
				return
			}
			u := patch.Update{
				Name: t.attr["name"], Arch: t.attr["arch"], From: linux.NoEpochZero(t.attr["edition-old"]),
				To: linux.NoEpochZero(t.attr["edition"]), Severity: patch.SeverityUnknown,
			}
			if !linux.WellFormed(u) || u.Arch == "" {
				odd = append(odd, remote.Clean(u.Key()+" "+u.To, 200))
				return
			}
			updates, current = append(updates, u), len(updates)
		case t.name == "source" && current >= 0:
			updates[current].Origin = remote.Clean(t.attr["alias"], 100)
		}
	})
	return updates, odd, err
}

// fix is a patch: what SUSE calls an advisory. It is needed, or it would not be listed.
type fix struct {
	name     string
	origin   string // the repository's alias
	security bool
	severity patch.Severity
	optional bool
	cves     []string
	replaces []bound // what it wants gone; nil: not known
}

// bound is a package that a patch wants to be newer.
type bound struct {
	name, arch string // arch "": any
	below      string
}

// readPatches reads list-patches. Those that wait for a patch of zypper itself stand in a
// list of their own, and count all the same.
func readPatches(text string) (fixes []fix, err error) {
	current := -1
	err = readTags(text, func(t tag) {
		switch {
		case t.name == "update":
			current = -1
			if t.attr["kind"] != "patch" || !isPatchName(t.attr["name"]) {
				return
			}
			fixes, current = append(fixes, fix{
				name: t.attr["name"], security: t.attr["category"] == "security", severity: severity(t.attr["severity"]),
				optional: t.attr["status"] != "needed",
			}), len(fixes)
		case t.name == "source" && current >= 0:
			fixes[current].origin = remote.Clean(t.attr["alias"], 100)
		case t.name == "issue" && current >= 0 && t.attr["type"] == "cve" && linux.IsCVE(t.attr["id"]):
			fixes[current].cves = append(fixes[current].cves, t.attr["id"])
		}
	})
	return fixes, err
}

// isPatchName: as the shell picks them out; there may be a colon in one.
func isPatchName(s string) bool { return linux.IsName(strings.ReplaceAll(s, ":", "_")) }

func severity(word string) patch.Severity {
	for _, s := range patch.Severities() {
		if string(s) == word {
			return s
		}
	}
	return patch.SeverityUnknown
}

// readBounds reads `zypper info -t patch`: by patch, what it wants newer. A key stands at
// the beginning of its line; what belongs to it is indented below, a single one beside it.
func readBounds(text string) map[string][]bound {
	bounds := map[string][]bound{}
	name, key := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \r\n")
		if !strings.HasPrefix(line, " ") {
			var before string
			before, line, _ = strings.Cut(line, ":")
			key = strings.TrimSpace(before)
			if key == "Name" {
				name = strings.TrimSpace(line)
			}
		}
		if b, ok := readBound(strings.Fields(line)); ok && key == "Conflicts" && isPatchName(name) {
			bounds[name] = append(bounds[name], b)
		}
	}
	return bounds
}

// readBound reads "name.arch < edition" and "name < edition". A source package is none.
func readBound(f []string) (bound, bool) {
	if len(f) != 3 || f[1] != "<" {
		return bound{}, false
	}
	b := bound{name: f[0], below: linux.NoEpochZero(f[2])}
	if dot := strings.LastIndexByte(f[0], '.'); dot > 0 && isRPMArch(f[0][dot+1:]) {
		b.name, b.arch = f[0][:dot], f[0][dot+1:]
	}
	return b, linux.IsName(b.name) && linux.IsVersion(b.below)
}

// isRPMArch: a package's name may have a dot in it, too.
func isRPMArch(word string) bool { return slices.Contains(architectures(), word) }

// architectures are those of SUSE's packages.
func architectures() []string {
	return []string{
		"x86_64", "noarch", "aarch64", "armv6hl", "armv7hl", "i386", "i586", "i686", "ppc", "ppc64", "ppc64le", "riscv64", "s390x", "x86_64_v3",
	}
}
