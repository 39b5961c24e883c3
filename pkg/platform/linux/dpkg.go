package linux

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// readInstalled reads "name<tab>arch<tab>version<tab>status" lines, of dpkg or rpm.
// Packages that are known but not installed are left out.
func readInstalled(lines []string) (installed []fact.Package, odd int) {
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
		if !isName(f[0]) || !isVersion(f[2]) || !isArch(strings.Trim(f[1], "()")) {
			odd++
			continue
		}
		installed = append(installed, fact.Package{Name: f[0], Arch: f[1], Version: noEpochZero(f[2]), Status: remote.Clean(f[3], 40)})
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

// dpkgState judges dpkg --audit and the journal that a cut run leaves behind.
func dpkgState(audit, journal section) (fact.ManagerState, string) {
	for _, file := range journal.lines() {
		if strings.Trim(file, "0123456789") == "" {
			return fact.ManagerInterrupted, "dpkg was interrupted in the middle of its work"
		}
	}
	if !audit.ok() && strings.TrimSpace(audit.out) == "" || audit.status < 0 || !journal.ok() {
		return fact.ManagerUnknown, "dpkg --audit: " + audit.why()
	}
	if lines := remote.CleanLines(audit.out, 40, 120); len(lines) > 0 {
		return fact.ManagerInterrupted, "dpkg --audit: " + remote.Clean(strings.Join(brokenNames(audit.out), ", "), 300)
	}
	return fact.ManagerOK, ""
}

// brokenNames are the package names in dpkg --audit: the lines indented by one.
func brokenNames(audit string) []string {
	var names []string
	for line := range strings.Lines(audit) {
		if f := strings.Fields(line); strings.HasPrefix(line, " ") && len(f) > 0 {
			names = append(names, f[0])
		}
	}
	if len(names) == 0 {
		return []string{"packages are not fully installed"}
	}
	return names
}
