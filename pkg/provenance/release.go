package provenance

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/repository"
)

// otherRelease says that an index is of another release of the distribution than the
// host: the same key signs all of them, so the signature alone does not tell. Empty: it is
// not, or it can't be told. Beside "bookworm" it may be "bookworm-updates" or
// "bookworm/updates"; a repository that serves all releases calls itself "stable" or so.
func otherRelease(r repository.Release, codename string) string {
	name := r.Codename
	if name == "" {
		name = r.Suite
	}
	if name == "" || codename == "" || name == codename || anyRelease(name) {
		return ""
	}
	if strings.HasPrefix(name, codename+"-") || strings.HasPrefix(name, codename+"/") {
		return ""
	}
	return fmt.Sprintf("its index is of %s, and the host's release is %s", remote.Clean(name, 60), remote.Clean(codename, 60))
}

// anyRelease: no release of a distribution has such a codename.
func anyRelease(name string) bool {
	switch name {
	case "stable", "testing", "unstable", "main", "any", "all", "default", "packages":
		return true
	}
	return false
}

// origin is a repository as apt names it; by its own signed word.
func origin(r repository.Release) string {
	label, suite := r.Label, r.Suite
	if label == "" {
		label = r.Origin
	}
	if suite == "" {
		suite = r.Codename
	}
	if label == "" || suite == "" {
		return ""
	}
	return remote.Clean(label+":"+suite, 200)
}
