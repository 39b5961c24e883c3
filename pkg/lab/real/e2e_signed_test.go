//go:build linux

package real_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// TestSignedDigests: with the repositories' public key in the inventory, the digests that
// a rollout carries on come from their signed indexes, and are those of the files as built.
func TestSignedDigests(t *testing.T) {
	for _, system := range systems() {
		t.Run(system.String(), func(t *testing.T) {
			lab := real.New(t)
			for _, name := range []string{"test-1", "prod-1"} {
				lab.Host(name, real.System(system), real.Install(real.Plain, real.Daemon))
			}
			d := newDesk(t, lab, twoRings, settings{"test-1": "keyrings: [keys/lab.asc]", "prod-1": "keyrings: [keys/lab.asc]"})
			if system == real.Rocky { // dnf keeps the signature of an index only where it checks it
				for _, h := range lab.Hosts() {
					h.Must("sed", "-i", "$a repo_gpgcheck=1", "/etc/yum.repos.d/lab.repo")
					h.Must("dnf", "-qy", "makecache", "--refresh")
				}
			}
			if got := d.call("lint", filepath.Join(d.dir, "playbook.yaml")); got.code != 2 || !strings.Contains(got.err, "keys/lab.asc") {
				t.Errorf("without its keyring: %s", got)
			}
			_, armored := lab.Repo.PublicKey()
			if err := os.Mkdir(filepath.Join(d.dir, "keys"), 0o700); err != nil {
				t.Fatal(err)
			}
			d.write("keys/lab.asc", string(armored))
			got := d.run(0)
			for _, pkg := range []string{real.Plain, real.Daemon} {
				wantSignedDigest(t, d, lab, system, pkg)
			}
			if strings.Contains(got.out+got.err, "only the host's word") {
				t.Errorf("%s", got)
			}
		})
	}
}

// wantSignedDigest wants what the state folder says of a package to rest on the index, and
// to be right.
func wantSignedDigest(t *testing.T, d *desk, lab *real.Lab, system real.OS, pkg string) {
	t.Helper()
	want := digest(t, system, lab, pkg, "2.0")
	found := false
	for _, p := range provenIn(t, filepath.Join(d.dir, "state")) {
		domain, _ := p["domain"].(string)
		if p["name"] != pkg || p["assurance"] == nil || !strings.HasPrefix(domain, system.String()+" ") {
			continue
		}
		found = true
		signer, _ := p["signer"].(string)
		if p["assurance"] != "signed_index" || p["digest"] != want || !strings.Contains(signer, lab.Repo.Fingerprint()) {
			t.Errorf("%s: %v, want the digest %s by %s", system, p, want, lab.Repo.Fingerprint())
		}
	}
	if !found {
		t.Errorf("%s: nothing is said of %s", system, pkg)
	}
}

// provenIn are all objects of the state folder's JSON that have a digest and a version.
func provenIn(t *testing.T, state string) (all []map[string]any) {
	t.Helper()
	err := filepath.WalkDir(state, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(bytes.NewReader(content))
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			var value any
			if json.Unmarshal(lines.Bytes(), &value) == nil {
				all = append(all, objectsIn(value)...)
			}
		}
		if errors.Is(lines.Err(), bufio.ErrTooLong) {
			return nil
		}
		return lines.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func objectsIn(value any) (all []map[string]any) {
	switch v := value.(type) {
	case []any:
		for _, inner := range v {
			all = append(all, objectsIn(inner)...)
		}
	case map[string]any:
		if v["digest"] != nil && v["version"] != nil {
			all = append(all, v)
		}
		for _, inner := range v {
			all = append(all, objectsIn(inner)...)
		}
	}
	return all
}
