// Package pkg_test holds the floors: the order in which packages may import each
// other, each library's only home, and what no package may do. It reads the sources
// alone, so that it holds without any tool installed.
package pkg_test

import (
	"os"
	"testing"
)

const module = "github.com/patchring/patchring"

// floors is both the dependency order and the reading order: a package imports only
// packages above it. The floors up to rollout are pure.
func floors() []string {
	return []string{
		"pkg/secret", "pkg/fault", "pkg/document", "pkg/version", "pkg/patch", "pkg/repository", "pkg/fact",
		"pkg/remote", "pkg/remote/remotetest", "pkg/terminal", "pkg/sshsig",
		"pkg/job", "pkg/schedule", "pkg/health", "pkg/inventory", "pkg/playbook",
		"pkg/platform", "pkg/platform/linux", "pkg/platform/linux/apt", "pkg/platform/linux/dnf", "pkg/platform/linux/zypper",
		"pkg/platform/linux/pacman", "pkg/platform/linux/apk", "pkg/platform/linux/bsd", "pkg/platform/linux/image",
		"pkg/platform/device", "pkg/platform/device/workflow", "pkg/platform/drivers",
		"pkg/plan", lastPure,
		"pkg/statedir", "pkg/journal", "pkg/journal/journaltest", "pkg/store",
		"pkg/evidence", "pkg/serve", "pkg/connect", "pkg/vault", "pkg/sign", "pkg/detect", "pkg/probe", "pkg/provenance", "pkg/apply", "pkg/hook",
		"pkg/engine", "pkg/engine/sim", "pkg/engine/local", "pkg/lab/matrix",
		"pkg/imports", "pkg/report", "pkg/view", "pkg/app", "cmd/patchring",
	}
}

const lastPure = "pkg/rollout"

// outside stand on no floor: the simulated fleet, and what it is made of. They import
// each other and document, nothing else of the product; tests may import them.
func outside() []string {
	return []string{"pkg/lab", "pkg/lab/device", "pkg/lab/farm", "pkg/lab/linux", "pkg/lab/memfs", "pkg/lab/posix", "pkg/lab/real"}
}

// home is where a library may be imported, and only there. An empty list: nowhere
// but in tests.
type home struct {
	library string // the import path, or the beginning of one
	in      []string
}

func homes() []home {
	lab := outside()
	return []home{
		{"gopkg.in/yaml.v3", []string{"pkg/document"}},
		{"github.com/invopop/jsonschema", []string{"pkg/document"}},
		{"golang.org/x/crypto/ssh", append(lab, "pkg/connect", "pkg/sshsig", "pkg/sign", "pkg/vault", "pkg/detect", "pkg/lab/matrix")}, // the last two: what simulated devices show, in tests
		{"github.com/pkg/sftp", append(lab, "pkg/connect")},
		{"github.com/ProtonMail/go-crypto", []string{"pkg/repository", "pkg/provenance"}},
		{"github.com/ulikunitz/xz", []string{"pkg/repository"}},
		{"github.com/klauspost/compress", []string{"pkg/repository"}},
		{"github.com/pierrec/lz4/v4", []string{"pkg/repository"}},
		{"github.com/olekukonko/tablewriter", []string{"pkg/report"}},
		{"github.com/spf13/cobra", []string{"cmd/patchring"}},
		{"github.com/spf13/pflag", []string{"cmd/patchring"}},
		{"mvdan.cc/sh/v3", lab},
		{"golang.org/x/term", []string{"pkg/vault", "pkg/view", "cmd/patchring"}},
		{"golang.org/x/sys", lab},
		{"golang.org/x/sync", []string{"pkg/app"}},
		{"filippo.io/age", []string{"pkg/vault"}},
		{"github.com/zalando/go-keyring", []string{"pkg/vault"}},
		{"github.com/CycloneDX/cyclonedx-go", nil},
		{"github.com/santhosh-tekuri/jsonschema/v6", nil},
		{"github.com/rogpeppe/go-internal", nil},
		{"go.uber.org/goleak", nil},
		{"pgregory.net/rapid", nil},
	}
}

// TestFloors holds the whole repository to the rules of floors_rules_test.go.
func TestFloors(t *testing.T) {
	files, err := parseAll(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d files were found: the test looks in the wrong place", len(files))
	}
	for _, p := range check(files) {
		t.Error(p)
	}
}
