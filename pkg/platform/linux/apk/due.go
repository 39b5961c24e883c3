package apk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// due: apk takes the running kernel's modules away when it installs another of its
// flavour ("lts", "virt"). A container's kernel is its machine's.
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
	newest := ""
	for _, release := range s.Lines() {
		if flavour(release) == flavour(running) && (newest == "" || version.Dpkg(release, newest) > 0) {
			newest = release
		}
	}
	newest = remote.Clean(newest, 100)
	switch {
	case newest != "" && version.Dpkg(newest, running) > 0:
		return linux.Due{Reasons: []string{fmt.Sprintf("kernel %s runs, %s is installed", running, newest)}}
	case !slices.Contains(s.Lines(), running):
		return linux.Due{Reasons: []string{fmt.Sprintf("the modules of the running kernel %s are gone", running)}}
	}
	return linux.Due{}
}

// flavour is what stands after the last hyphen: "6.6.58-0-lts".
func flavour(release string) string { return release[strings.LastIndexByte(release, '-')+1:] }
