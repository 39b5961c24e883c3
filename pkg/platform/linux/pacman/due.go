package pacman

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// due: pacman takes the running kernel's modules away when it installs another; from then
// on nothing can be loaded that is not already. Where something keeps them, another release
// of the same kernel package tells. A container's kernel is its machine's.
func due(rep linux.Report) linux.Due {
	signs, s := rep.Fields("identity"), rep.Get("modules")
	if rep.Has("signs") {
		signs = rep.Fields("signs")
	}
	running := signs["kernel"]
	switch {
	case signs["container"] != "":
		return linux.Due{}
	case !s.OK() || running == "" || len(s.Lines()) == 0:
		return linux.Due{Unclear: "which kernels are installed can't be told: " + s.Why()}
	}
	of := kernels(s.Lines())
	base, there := of[running]
	newest := ""
	for release, other := range of {
		if (!there || other == base) && (newest == "" || version.Pacman(release, newest) > 0) {
			newest = release
		}
	}
	switch {
	case !there:
		return linux.Due{Reasons: []string{fmt.Sprintf("the modules of the running kernel %s are gone, %s is installed", running, newest)}}
	case version.Pacman(newest, running) > 0:
		return linux.Due{Reasons: []string{fmt.Sprintf("kernel %s runs, %s is installed", running, newest)}}
	}
	return linux.Due{}
}

// kernels reads "release package" lines.
func kernels(lines []string) map[string]string {
	of := map[string]string{}
	for _, line := range lines {
		release, base, _ := strings.Cut(line, " ")
		of[remote.Clean(release, 100)] = remote.Clean(base, 100)
	}
	return of
}
