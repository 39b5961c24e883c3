package linux

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// ReadInstalled reads "name<tab>arch<tab>version<tab>status" lines, of dpkg or rpm.
// Packages that are known but not installed are left out.
func ReadInstalled(lines []string) (installed []fact.Package, odd int) {
	for _, line := range lines {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			if !strings.HasPrefix(line, "package ") { // rpm: "package x is not installed"
				odd++
			}
			continue
		}
		if f[3] == "not-installed" || f[3] == "config-files" {
			continue
		}
		if !IsName(f[0]) || !IsVersion(f[2]) || !IsArch(strings.Trim(f[1], "()")) {
			odd++
			continue
		}
		installed = append(installed, fact.Package{Name: f[0], Arch: f[1], Version: NoEpochZero(f[2]), Status: remote.Clean(f[3], 40)})
	}
	return installed, odd
}

// readHolders reads "file pid command" lines: who holds a package manager's lock.
func readHolders(lines []string) []string {
	var holders []string
	seen := map[string]bool{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 2 || seen[f[1]] {
			continue
		}
		seen[f[1]] = true
		holder := "process " + remote.Clean(f[1], 20)
		if len(f) > 2 {
			holder += " (" + remote.Clean(strings.Join(f[2:], " "), 40) + ")"
		}
		holders = append(holders, holder)
	}
	return holders
}

// NoEpochZero gives a version without its epoch 0: rpm writes no epoch and epoch 0 in turn; here it is always none.
func NoEpochZero(evr string) string { return strings.TrimPrefix(evr, "0:") }
