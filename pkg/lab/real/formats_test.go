//go:build linux

package real

import (
	"slices"
	"strings"
	"testing"
)

func TestDependencies(t *testing.T) {
	p := Package{Name: "a", Version: "1.0", Depends: []string{"b", "c=2.0", "d>=1:3.0", "e<4"}}
	want := []dependency{{name: "b"}, {"c", "=", "2.0"}, {"d", ">=", "1:3.0"}, {"e", "<", "4"}}
	if got := p.dependencies(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if text := control(p); !strings.Contains(text, "Depends: b, c (= 2.0), d (>= 1:3.0), e (<< 4)\n") {
		t.Errorf("dpkg reads:\n%s", text)
	}
	if text := specFile(p, "/x"); !strings.Contains(text, "Requires: b\nRequires: c = 2.0\nRequires: d >= 1:3.0\nRequires: e < 4\n") {
		t.Errorf("rpm reads:\n%s", text)
	}
	if text := pkgInfo(p); !strings.Contains(text, "depend = b\ndepend = c=2.0\ndepend = d>=1:3.0\ndepend = e<4\n") {
		t.Errorf("pacman reads:\n%s", text)
	}
}

// Each format has the conffile as the admin's, and every script where the tool looks.
func TestFormatsHaveConffileAndScripts(t *testing.T) {
	p := Package{Name: "a", Version: "2:1.0", Pre: "echo 100%", Post: "false"}.WithConffile("/etc/a.conf", "x\n")
	spec := specFile(p, "/x")
	for _, want := range []string{
		"Version: 1.0\nRelease: 1\nEpoch: 2\n", "%pre\nset -e\necho 100%%\n", "false\n%files\n",
		"%attr(0644, root, root) %config(noreplace) /etc/a.conf\n",
	} {
		if !strings.Contains(spec, want) {
			t.Errorf("the spec file lacks %q:\n%s", want, spec)
		}
	}
	if info := pkgInfo(p); !strings.Contains(info, "pkgver = 2:1.0-1\n") || !strings.Contains(info, "backup = etc/a.conf\n") {
		t.Errorf("pacman reads:\n%s", info)
	}
	var paths []string
	for _, f := range debTree(p) {
		paths = append(paths, f.path)
	}
	if want := []string{"/DEBIAN/control", "/DEBIAN/postinst", "/etc/a.conf", "/DEBIAN/preinst", "/DEBIAN/conffiles"}; !slices.Equal(paths, want) {
		t.Errorf("dpkg packs %v, want %v", paths, want)
	}
}

func TestUpdateInfo(t *testing.T) {
	shared := Advisory{ID: "RLSA-2026:7", Severity: "Critical", CVEs: []string{"CVE-2026-1"}, Reboot: true}
	all := []publication{
		{Package: Package{Name: "old", Version: "1.0"}, suite: Base, number: 1},
		{Package: Package{Name: "a", Version: "2.0", Advisory: shared}, suite: Security, number: 2},
		{Package: Package{Name: "b", Version: "2.0", Advisory: shared}, suite: Security, number: 3},
		{Package: Package{Name: "gone", Version: "2.0"}, suite: Security, number: 4, withdrawn: true},
		{Package: Package{Name: "c", Version: "2.0"}, suite: Updates, number: 5},
	}
	text, err := updateInfo(all)
	if err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]int{
		"<update ": 2, "<id>RLSA-2026:7</id>": 1, "<package ": 3, "<reboot_suggested>True</reboot_suggested>": 2,
		`type="cve"`: 1, "<id>RLBA-2026:0005</id>": 1, `type="bugfix"`: 1, "old": 0, "gone": 0,
	} {
		if got := strings.Count(string(text), part); got != want {
			t.Errorf("%s stands there %d times, want %d:\n%s", part, got, want, text)
		}
	}
}

func TestSettleFindsTheSnapshotOfATime(t *testing.T) {
	have := []string{"20261121T120000Z", "20261120T000000Z"}
	for path, want := range map[string]string{
		"/snapshot/20261121T120000Z/a/b": "/snapshot/20261121T120000Z/a/b",
		"/snapshot/20270101T000000Z/a":   "/snapshot/20261121T120000Z/a",
		"/snapshot/20261121T115959Z/a":   "/snapshot/20261120T000000Z/a",
		"/snapshot/20261119T000000Z/a":   "/snapshot/20261119T000000Z/a", // which is not there
		"/dists/x/InRelease":             "/dists/x/InRelease",
		"/snapshot/":                     "/snapshot/",
	} {
		if got := settle(path, have); got != want {
			t.Errorf("%s became %s, want %s", path, got, want)
		}
	}
}

// What the package managers' logs look like, as real ones wrote them.
func TestLogsTellChanges(t *testing.T) {
	for system, line := range map[OS]string{
		Debian: "2026-11-22 04:46:12 upgrade pr-plain:all 1.0 2.0",
		Rocky:  "2026-11-22T04:46:12+0000 SUBDEBUG Upgrade: pr-plain-2.0-1.noarch",
		SUSE:   "2026-11-22 04:46:24|install|pr-plain|2.0-1|noarch|root@one|lab|994e1a|",
		Arch:   "[2026-11-22T04:46:29+0000] [ALPM] upgraded pr-plain (1.0-1 -> 2.0-1)",
	} {
		change := system.kit().change
		if !change(line, Plain, system.Version("2.0")) {
			t.Errorf("%s: %q is no change", system, line)
		}
		for _, other := range [][2]string{{"pr", "2.0"}, {Plain, "1.0"}, {Extra, "2.0"}} {
			if change(line, other[0], system.Version(other[1])) {
				t.Errorf("%s: %q is a change of %v", system, line, other)
			}
		}
	}
}

func TestFingerprint(t *testing.T) {
	const list = "tru::1:1:0:3:1:5\npub:u:255:22:5C64D45757139:1::\nfpr:::::::::1ACA354FF853:\nuid:u::::1::X::Lab:\n"
	if got := fingerprint(list); got != "1ACA354FF853" {
		t.Errorf("got %q", got)
	}
	if got := fingerprint("pub:u\nfpr:short\n"); got != "" {
		t.Errorf("got %q out of nothing", got)
	}
}
