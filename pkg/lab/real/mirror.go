//go:build linux

package real

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// source is one repository of this machine that a base system can be made from.
type source struct{ uri, codename, keyring string }

// line gives the source as apt's one-line format, main only.
func (s source) line() string {
	return fmt.Sprintf("deb [signed-by=%s] %s %s main", s.keyring, s.uri, s.codename)
}

const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// targetFormat is what "apt-get indextargets" prints for each index.
const targetFormat = "$(REPO_URI) $(CODENAME) $(ORIGIN) $(COMPONENT)"

// machineSource asks this machine's apt where its own release comes from. Going
// through apt-get reads every format that sources can be written in.
func machineSource(ctx context.Context) (source, error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return source{}, fmt.Errorf("which release runs here: %w", err)
	}
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", targetFormat, "Created-By: Packages").Output()
	if err != nil {
		return source{}, fmt.Errorf("apt-get indextargets: %w", err)
	}
	return pickSource(string(out), codename(string(release)))
}

// pickSource finds the release itself (not its updates) among the index targets.
func pickSource(targets, codename string) (source, error) {
	lines := bufio.NewScanner(strings.NewReader(targets))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) == 4 && f[1] == codename && f[2] == "Debian" && f[3] == "main" {
			return source{uri: f[0], codename: codename, keyring: debianKeyring}, nil
		}
	}
	return source{}, errors.New("apt knows no Debian mirror for " + codename + " here: run apt-get update")
}

// codename reads VERSION_CODENAME from the text of an os-release file.
func codename(release string) string {
	for line := range strings.Lines(release) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}
