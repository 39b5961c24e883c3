//go:build linux

package real

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The variable that says whether real hosts are wanted. They take minutes, so a
// plain "go test ./..." leaves them out.
const (
	switchVar  = "PRLAB_HOSTS"
	switchMust = "must" // something missing fails the test
	switchTry  = "try"  // something missing skips the test
)

// tools are the programs a lab needs, with the Debian packages that have them.
func tools() map[string]string {
	return map[string]string{
		"apt-ftparchive": "apt-utils", "createrepo_c": "createrepo-c", "dpkg-deb": "dpkg", "gpg": "gnupg", "ip": "iproute2",
		"mmdebstrap": "mmdebstrap", "nsenter": "util-linux", "rpmbuild": "rpm", "systemd-nspawn": "systemd-container",
		"unshare": "util-linux", "chroot": "coreutils", "apt-get": "apt",
	}
}

// Available tells whether real hosts can be made here and now. If not, reason
// starts with "needs" and says what to do.
func Available(ctx context.Context) (ok bool, reason string) {
	if os.Geteuid() != 0 {
		return false, "needs root: systemd-nspawn, network namespaces and overlay mounts"
	}
	if missing := missingTools(); missing != "" {
		return false, "needs " + missing
	}
	if _, err := cgroupRoots(); err != nil {
		return false, "needs cgroups: " + err.Error()
	}
	if err := tryNamespaces(ctx); err != nil {
		return false, "needs namespaces of its own: " + err.Error()
	}
	if _, err := machineSource(ctx); err != nil {
		return false, "needs a Debian mirror: " + err.Error()
	}
	return true, ""
}

// missingTools names the first missing program and its package, in a stable order.
func missingTools() string {
	homes := tools()
	for _, tool := range sortedKeys(homes) {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Sprintf("%s (Debian package %s)", tool, homes[tool])
		}
	}
	return ""
}

// tryNamespaces makes the namespaces of a lab once, and lets go of them.
func tryNamespaces(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "true").CombinedOutput()
	if err != nil {
		return errors.Join(err, errors.New(strings.TrimSpace(string(out))))
	}
	return nil
}

// Need skips the test where real hosts can't be made or were not asked for, or fails
// it where they were demanded. New calls it.
func Need(tb testing.TB) {
	tb.Helper()
	want := os.Getenv(switchVar)
	if want != switchTry && want != switchMust {
		tb.Skipf("needs %s=%s: boots real hosts, which takes minutes; make test sets it", switchVar, switchTry)
	}
	ok, reason := Available(tb.Context())
	switch {
	case ok:
	case want == switchMust:
		tb.Fatalf("%s=%s, but real hosts can't be made: %s", switchVar, switchMust, reason)
	default:
		tb.Skip(reason)
	}
}
