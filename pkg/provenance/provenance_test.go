package provenance_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/provenance"
	"github.com/patchring/patchring/pkg/remote"
)

func bash() pkg { return pkg{"bash", "5.2-1", "the true bash"} }
func curl() pkg { return pkg{"curl", "8.0-1", "the true curl"} }

func TestSignedIndexesOfEachFamily(t *testing.T) {
	key := newKey(t, "Archive")
	withRelease := newHost("release").apt(t, nil, "lab", "bookworm", bash(), curl())
	withRelease.has("lab", "release.gpg", "Release.gpg", detached(t, key, withRelease.files["/var/lib/lab/Release"]))
	for name, test := range map[string]struct {
		host             *host
		file, repository string
	}{
		"InRelease":   {newHost("a").apt(t, key, "lab", "bookworm", bash(), curl()), "pool/bash.deb", "Test:stable"},
		"Release.gpg": {withRelease, "pool/bash.deb", "Test:stable"},
		"rpm":         {newHost("b").rpm(t, key, "lab", bash(), curl()), "Packages/bash.rpm", "lab"},
		"pacman":      {newHost("c").pacman(t, key, "lab", bash(), curl()), "bash.pkg", "lab"},
	} {
		t.Run(name, func(t *testing.T) {
			want := bash().wanted()
			if name == "rpm" || name == "pacman" {
				want.Arch = "x86_64"
			}
			known, notes := test.host.ask(t.Context(), reader(t, keysOf(t, newKey(t, "Other"), key)), want)
			if len(known) != 1 || len(notes) != 0 {
				t.Fatalf("%+v, %q", known, notes)
			}
			known[0].Arch = "amd64"
			wantSigned(t, known[0], bash(), test.file, test.repository, key)
		})
	}
}

// Each way in which a digest is not vouched for leaves the host's word, and says why.
func TestOnlyTheHostsWord(t *testing.T) {
	key := newKey(t, "Archive")
	fresh := func() *host { return newHost("a").apt(t, key, "lab", "bookworm", bash()) }
	tampered := func(b []byte) []byte { return bytes.Replace(b, []byte(bash().hexes()), []byte(curl().hexes()), 1) }
	changed := func(change func(*host)) *host {
		h := fresh()
		change(h)
		return h
	}
	for name, test := range map[string]struct {
		host  *host
		keys  *provenance.Keys
		words string
	}{
		"no keys":          {fresh(), nil, "keyrings:"},
		"another key":      {fresh(), keysOf(t, newKey(t, "Other")), "lab: signed by a key that is not trusted"},
		"no signature":     {newHost("a").apt(t, nil, "lab", "bookworm", bash()), keysOf(t, key), "lab: there is no signature"},
		"no signature rpm": {newHost("a").rpm(t, nil, "lab", bash()), keysOf(t, key), "lab: there is no signature"},
		"no signature db":  {newHost("a").pacman(t, nil, "lab", bash()), keysOf(t, key), "lab: there is no signature"},
		"another db": {func() *host {
			h := newHost("a").pacman(t, key, "lab", bash())
			h.swap("lab.db", tampered)
			return h
		}(), keysOf(t, key), "the signature does not fit"},
		"a tampered list": {changed(func(h *host) { h.swap("Packages", tampered) }), keysOf(t, key), "not the content that was to come"},
		"a longer list":   {changed(func(h *host) { h.swap("Packages", func(b []byte) []byte { return append(b, '\n') }) }), keysOf(t, key), "too large"},
		"a tampered release": {changed(func(h *host) {
			h.swap("InRelease", func(b []byte) []byte { return bytes.Replace(b, []byte("stable"), []byte("stabel"), 1) })
		}), keysOf(t, key), "does not fit"},
		"rubbish":             {changed(func(h *host) { h.swap("InRelease", func([]byte) []byte { return []byte("rubbish") }) }), keysOf(t, key), "lab: "},
		"another release":     {newHost("a").apt(t, key, "lab", "bullseye-security", bash()), keysOf(t, key), "its index is of bullseye-security, and the host's release is bookworm"},
		"another version":     {newHost("a").apt(t, key, "lab", "bookworm", pkg{"bash", "5.1-1", "x"}), keysOf(t, key), "bash 5.2-1 is only the host's word: no signed index has it"},
		"zchunk":              {changed(func(h *host) { h.index[1].Path += ".zck" }), keysOf(t, key), "zchunk"},
		"a file that is gone": {changed(func(h *host) { delete(h.files, h.index[1].Path) }), keysOf(t, key), "does not exist"},
		"a vast file":         {changed(func(h *host) { h.index[1].Size = 1 << 40 }), keysOf(t, key), "too large"},
		"no index at all":     {newHost("a"), keysOf(t, key), "no index of a repository"},
		"no answer":           {changed(func(h *host) { h.says = errors.New("cut\x1b[2J\noff") }), keysOf(t, key), "cut"},
	} {
		t.Run(name, func(t *testing.T) {
			r := reader(t, test.keys)
			known, notes := test.host.ask(t.Context(), r, bash().wanted())
			wantNote(t, known, notes, "bash 5.2-1", test.words)
		})
	}
}

func TestAHostThatHasNoIndexes(t *testing.T) {
	key := newKey(t, "Archive")
	r := reader(t, keysOf(t, key))
	f := fact.Facts{Host: fact.HostID{Site: "hq", Name: "a"}}
	var other struct{ platform.Driver }
	h := newHost("a")
	known, notes := r.Signed(t.Context(), remote.Session{Runner: h, Files: h}, other, f, []patch.Proven{bash().wanted()})
	wantNote(t, known, notes, "of this kind")
	known, notes = r.Signed(t.Context(), remote.Session{Runner: h}, h, f, []patch.Proven{bash().wanted()})
	wantNote(t, known, notes, "of this kind")
	if known, notes = h.ask(t.Context(), r); len(known)+len(notes) != 0 {
		t.Errorf("nothing was asked: %v, %q", known, notes)
	}
}

// The index went out of validity since: a replayed one stays signed for ever otherwise.
func TestStaleIndex(t *testing.T) {
	key := newKey(t, "Archive")
	h := newHost("a")
	packages := packagesOf(bash())
	release := append([]byte("Valid-Until: Sat, 21 Nov 2026 00:00:00 UTC\n"), releaseOf("bookworm", packages)...)
	h.has("lab", "inrelease", "InRelease", clearSigned(t, key, release))
	h.has("lab", "packages", packagesName, packages)
	known, notes := h.ask(t.Context(), reader(t, keysOf(t, key)), bash().wanted())
	wantNote(t, known, notes, "past its own end of validity")
}

func TestReleasesOfTheHost(t *testing.T) {
	key := newKey(t, "Archive")
	for codename, want := range map[string]bool{
		"bookworm": true, "bookworm-security": true, "bookworm/updates": true, "bookworm-pgdg": true, "stable": true,
		"bookwormish": false, "bullseye": false, "trixie-security": false, "sid": false,
	} {
		h := newHost("a").apt(t, key, "lab", codename, bash())
		if known, notes := h.ask(t.Context(), reader(t, keysOf(t, key)), bash().wanted()); (len(known) == 1) != want {
			t.Errorf("%s: %v, %q", codename, known, notes)
		}
		h.os.Codename = ""
		if known, notes := h.ask(t.Context(), reader(t, keysOf(t, key)), bash().wanted()); len(known) != 1 {
			t.Errorf("%s on a host without a codename: %v, %q", codename, known, notes)
		}
	}
}

func TestSignedAndUnsignedRepositoriesBesideEachOther(t *testing.T) {
	key := newKey(t, "Archive")
	forged := pkg{"bash", "5.2-1", "a forged bash"}
	h := newHost("a").apt(t, key, "main", "bookworm", bash()).apt(t, nil, "evil", "bookworm", curl(), forged).
		apt(t, newKey(t, "Stranger"), "strange", "bookworm", forged)
	known, notes := h.ask(t.Context(), reader(t, keysOf(t, key)), bash().wanted(), curl().wanted())
	if len(known) != 1 || len(notes) != 1 || !strings.Contains(notes[0], "curl 8.0-1") || strings.Contains(notes[0], "bash") ||
		!strings.Contains(notes[0], "evil: there is no signature") || !strings.Contains(notes[0], "strange: signed by a key") {
		t.Fatalf("%+v, %q", known, notes)
	}
	wantSigned(t, known[0], bash(), "pool/bash.deb", "Test:stable", key)
	if h.fetched("evil/"+packagesName)+h.fetched("strange/"+packagesName) != 0 {
		t.Error("lists that nothing vouches for were fetched")
	}
}

func TestTwoSignedRepositoriesThatDiffer(t *testing.T) {
	first, second := newKey(t, "First"), newKey(t, "Second")
	rebuilt := pkg{"bash", "5.2-1", "another build"}
	h := newHost("a").apt(t, first, "one", "bookworm", bash(), curl()).apt(t, second, "two", "bookworm", rebuilt, curl())
	known, notes := h.ask(t.Context(), reader(t, keysOf(t, first, second)), bash().wanted(), curl().wanted())
	if len(known) != 1 || known[0].Name != "curl" || len(notes) != 1 || !strings.Contains(notes[0], "different files of one version") {
		t.Errorf("%+v, %q", known, notes)
	}
}

// An index without SHA-256 proves that the version exists, and nothing of its content.
func TestAnIndexWithoutDigests(t *testing.T) {
	key := newKey(t, "Archive")
	h := newHost("a")
	packages := bytes.Replace(packagesOf(bash()), []byte("SHA256: "), []byte("MD5sum: "), 1)
	h.has("lab", "inrelease", "InRelease", clearSigned(t, key, releaseOf("bookworm", packages)))
	h.has("lab", "packages", packagesName, packages)
	known, notes := h.ask(t.Context(), reader(t, keysOf(t, key)), bash().wanted())
	wantNote(t, known, notes, "no SHA-256")
}

// Lists that were left behind, or are here in two forms, do no harm.
func TestOneGoodListIsEnough(t *testing.T) {
	key := newKey(t, "Archive")
	h := newHost("a").rpm(t, key, "lab", bash())
	h.has("lab", "primary", "repodata/0-primary.xml", []byte("left behind"))
	want := bash().wanted()
	want.Arch = "x86_64"
	if known, notes := h.ask(t.Context(), reader(t, keysOf(t, key)), want); len(known) != 1 || len(notes) != 0 {
		t.Errorf("%+v, %q", known, notes)
	}
}

func TestHostileListsOfFiles(t *testing.T) {
	key := newKey(t, "Archive")
	good := newHost("a").apt(t, key, "lab", "bookworm", bash())
	h := newHost("a")
	h.files = good.files
	for n := range 3000 { // the same signed index under any number of names
		for _, f := range good.index {
			f.Repository = fmt.Sprintf("x%04d\x1b[2J\n", n)
			h.index = append(h.index, f)
		}
	}
	for n := range 3000 {
		h.index = append(h.index, platform.IndexFile{Repository: "lab", Kind: "packages", Name: fmt.Sprintf("%d/Packages", n), Path: "/var/lib/lab/InRelease", Size: 10})
	}
	known, notes := h.ask(t.Context(), reader(t, keysOf(t, key)), bash().wanted(), curl().wanted())
	if len(known) != 1 || len(notes) != 1 || strings.ContainsAny(notes[0], "\x1b\n") || len(notes[0]) > 4000 {
		t.Errorf("%+v, %q", known, notes)
	}
	if n := h.fetched("InRelease"); n > 400 || h.fetched("Packages") != 1 {
		t.Errorf("fetched %d and %d", n, h.fetched("Packages"))
	}
}

func TestParseKeys(t *testing.T) {
	for name, file := range map[string][]byte{"nothing": nil, "no keys": []byte("hello"), "private": private(t, newKey(t, "K"))} {
		if keys, err := provenance.ParseKeys(file); err == nil || keys != nil {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
}

func private(t *testing.T, key *openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := key.SerializePrivate(&out, signing(today().Add(time.Second))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzSigned: whatever a host hands over, nothing is vouched for that the key has not signed.
func FuzzSigned(f *testing.F) {
	key := newKey(f, "Archive")
	good := newHost("a").apt(f, key, "lab", "bookworm", bash())
	f.Add(good.files["/var/lib/lab/InRelease"], good.files["/var/lib/lab/"+packagesName], uint8(0))
	rpms := newHost("a").rpm(f, key, "lab", bash())
	f.Add(rpms.files["/var/lib/lab/repodata/repomd.xml.asc"], rpms.files["/var/lib/lab/repodata/repomd.xml"], uint8(2))
	dbs := newHost("a").pacman(f, key, "lab", bash())
	f.Add(dbs.files["/var/lib/lab/lab.db.sig"], dbs.files["/var/lib/lab/lab.db"], uint8(3))
	keys, kept := keysOf(f, key), &shelf{all: map[patch.Digest][]byte{}}
	r := provenance.New(kept, func(fact.HostID) *provenance.Keys { return keys }, today)
	kinds := [][]string{{"inrelease", "packages"}, {"release", "packages", "release.gpg"}, {"repomd.asc", "repomd", "primary"}, {"pacman.sig", "pacman.db"}}
	f.Fuzz(func(t *testing.T, head, list []byte, of uint8) {
		h := newHost("a")
		for i, kind := range kinds[int(of)%len(kinds)] {
			h.has("lab", kind, packagesName+fmt.Sprint(i), [][]byte{head, list, list}[i])
		}
		h.index[min(1, len(h.index)-1)].Name = packagesName
		known, notes := h.ask(t.Context(), r, bash().wanted())
		if len(known) > 0 && (known[0].Digest != bash().digest() || known[0].Signer == "") || len(known)+len(notes) != 1 {
			t.Errorf("%+v, %q", known, notes)
		}
		if slices.ContainsFunc(notes, func(n string) bool { return strings.ContainsAny(n, "\n\x1b\x00") }) {
			t.Errorf("%q", notes)
		}
	})
}
