package apt

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// debianBuild: Debian writes the package's version into uname -v.
var debianBuild = regexp.MustCompile(` Debian ([0-9][A-Za-z0-9.+:~-]*) \(`)

// imageDue finds a kernel whose release was built again: Debian's security updates within
// one ABI. A container's kernel is its machine's.
func imageDue(rep linux.Report) linux.Due {
	signs := rep.Fields("identity")
	if rep.Has("signs") {
		signs = rep.Fields("signs")
	}
	built := debianBuild.FindStringSubmatch(signs["build"])
	installed, status, _ := strings.Cut(strings.TrimSpace(rep.Get("image").Out), " ")
	if signs["container"] != "" || built == nil || status != "installed" || !linux.IsVersion(installed) || installed == built[1] {
		return linux.Due{}
	}
	return linux.Due{Reasons: []string{fmt.Sprintf("kernel build %s runs, %s is installed", remote.Clean(built[1], 100), installed)}}
}
