//go:build linux

package real_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// perSystem makes one host of each system in a group: test-debian, test-rocky, …
func perSystem(lab *real.Lab, group string, options ...real.Option) []*real.Host {
	var made []*real.Host
	for _, system := range systems() {
		of := append(slices.Clone(options), real.System(system))
		made = append(made, lab.Host(group+"-"+system.String(), of...))
	}
	return made
}

// trusting gives the desk the repositories' public key, and has each host of Rocky keep
// the signature of its index: dnf does so only where it checks it.
func (d *desk) trusting() {
	d.t.Helper()
	_, armored := d.lab.Repo.PublicKey()
	d.write("lab.asc", string(armored))
	d.write("inventory.yaml", strings.Replace(d.read("inventory.yaml"), "defaults:\n", "defaults:\n  keyrings: [lab.asc]\n", 1))
	for _, h := range d.lab.Hosts() {
		if h.OS != real.Rocky {
			continue
		}
		h.Must("sed", "-i", "/^repo_gpgcheck=/d; $a repo_gpgcheck=1", "/etc/yum.repos.d/lab.repo")
		h.Must("dnf", "-qy", "makecache", "--refresh")
	}
}

// opened has another person approve that the ring begins.
func (d *desk) opened(ring string) {
	d.t.Helper()
	was := d.machine
	d.machine = "jane-desk"
	d.must(0, "approve", d.rollout(), "--ring", ring, "--as", "jane@hq.example")
	d.machine = was
}

// refresh has every host learn what the repositories offer now.
func refresh(hosts []*real.Host) {
	for _, h := range hosts {
		h.Refresh()
	}
}

// wantAll asks each host's own database.
func wantAll(t *testing.T, hosts []*real.Host, version string, packages ...string) {
	t.Helper()
	for _, h := range hosts {
		for _, pkg := range packages {
			wantVersion(t, h, pkg, version)
		}
	}
}

// wantFailed wants the host to have failed, with these words in the reason.
func wantFailed(t *testing.T, got said, h *real.Host, words ...string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)/` + regexp.QuoteMeta(h.Name) + ` +host +failed .*$`).FindString(got.out)
	for _, word := range words {
		if !strings.Contains(line, word) {
			t.Errorf("%s: %q is not in the reason %q", h.Name, word, line)
		}
	}
}

// asked are the files of this name that the host asked the repository for, since so many
// requests.
func asked(h *real.Host, lab *real.Lab, since int, file string) []string {
	var paths []string
	for _, r := range lab.Repo.Requests()[since:] {
		if r.From == h.Address && path.Base(r.Path) == file {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

// served is the name under which a version's file is served to the host's system.
func served(t *testing.T, h *real.Host, lab *real.Lab, pkg, version string) string {
	t.Helper()
	file, err := lab.Repo.File(h.OS, pkg, version)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(file)
}

// digest is that of a package as it was built for the host's system.
func digest(t *testing.T, system real.OS, lab *real.Lab, pkg, version string) string {
	t.Helper()
	file, err := lab.Repo.File(system, pkg, version)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// emptyStore takes the files of a package's version out of the desk's store.
func (d *desk) emptyStore(pkg, version string) {
	d.t.Helper()
	gone := map[string]bool{} // Rocky and SUSE have the same file
	for _, system := range systems() {
		sum := strings.TrimPrefix(digest(d.t, system, d.lab, pkg, version), "sha256:")
		found, err := filepath.Glob(filepath.Join(d.dir, "state/store/*", sum[:2], sum[2:]))
		switch {
		case gone[sum]:
			continue
		case err != nil || len(found) != 1:
			d.t.Fatalf("the store has %v for %s %s of %s (%v), want one file", found, pkg, version, system, err)
		}
		if err := os.Remove(found[0]); err != nil {
			d.t.Fatal(err)
		}
		gone[sum] = true
	}
}

// wantProven wants production's set to name the files as they were
// built, by the signed indexes, and the store to have them.
func wantProven(t *testing.T, d *desk, wanted string, packages ...string) {
	t.Helper()
	type version struct {
		Package, Version, Digest, Assurance string
		Stored                              bool
	}
	var doc struct {
		Domains []struct {
			Domain   string
			Versions []version
		}
	}
	if err := json.Unmarshal([]byte(d.must(0, "patchset", "show", d.rollout()+"/production", "--json").out), &doc); err != nil {
		t.Fatal(err)
	}
	proven := map[string]version{}
	for _, domain := range doc.Domains {
		system, _, _ := strings.Cut(domain.Domain, " ")
		for _, v := range domain.Versions {
			proven[system+" "+v.Package] = v
		}
	}
	for _, system := range systems() {
		for _, pkg := range packages {
			got, want := proven[system.String()+" "+pkg], digest(t, system, d.lab, pkg, wanted)
			if got.Digest != want || got.Version != system.Version(wanted) || got.Assurance != "signed_index" || !got.Stored {
				t.Errorf("%s: the patch set says of %s %+v, want %s from the signed index, stored", system, pkg, got, want)
			}
		}
	}
}
