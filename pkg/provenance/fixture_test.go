package provenance_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/provenance"
	"github.com/patchring/patchring/pkg/remote"
)

func today() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func signing(when time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return when }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA512}
}

func newKey(t testing.TB, name string) *openpgp.Entity {
	t.Helper()
	key, err := openpgp.NewEntity(name, "", "archive@test.example", signing(today().AddDate(-1, 0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keysOf(t testing.TB, keys ...*openpgp.Entity) *provenance.Keys {
	t.Helper()
	var files [][]byte
	for _, key := range keys {
		var out bytes.Buffer
		if err := key.Serialize(&out); err != nil {
			t.Fatal(err)
		}
		files = append(files, out.Bytes())
	}
	made, err := provenance.ParseKeys(files...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func detached(t testing.TB, key *openpgp.Entity, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := openpgp.DetachSign(&out, []*openpgp.Entity{key}, bytes.NewReader(text), signing(today())); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func clearSigned(t testing.TB, key *openpgp.Entity, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := clearsign.Encode(&out, key.PrivateKey, signing(today()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// host is a machine with index files. It may say of them what it likes.
type host struct {
	platform.Driver

	id    fact.HostID
	os    fact.OS
	mu    sync.Mutex
	index []platform.IndexFile
	files map[string][]byte
	gets  map[string]int
	get   func(ctx context.Context, path string) error // before a file is given; nil: nothing
	says  error                                        // instead of the list of its files
}

func newHost(name string) *host {
	return &host{
		id: fact.HostID{Site: "hq", Name: name}, os: fact.OS{ID: "debian", VersionID: "12", Codename: "bookworm"},
		files: map[string][]byte{}, gets: map[string]int{},
	}
}

func (h *host) Indexes(fact.Facts) remote.Command { return remote.Command{Effect: remote.Reads} }

func (h *host) ReadIndexes(fact.Facts, remote.Result) ([]platform.IndexFile, error) {
	return h.index, h.says
}

func (*host) Run(context.Context, remote.Command) (remote.Result, error) {
	return remote.Result{Ending: remote.Exited}, nil
}

func (*host) Put(context.Context, string, io.Reader, patch.Digest) error { return fs.ErrPermission }

func (h *host) Get(ctx context.Context, path string, limit int64) (io.ReadCloser, error) {
	h.mu.Lock()
	h.gets[path]++
	content, there := h.files[path]
	get := h.get
	h.mu.Unlock()
	if get != nil {
		if err := get(ctx, path); err != nil {
			return nil, err
		}
	}
	if !there {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(io.LimitReader(bytes.NewReader(content), limit)), nil
}

// has puts a file on the host.
func (h *host) has(repository, kind, name string, content []byte) {
	path := "/var/lib/" + repository + "/" + name
	h.files[path] = content
	h.index = append(h.index, platform.IndexFile{Repository: repository, Kind: kind, Name: name, Path: path, Size: int64(len(content))})
}

// swap changes what is in a file, and nothing else.
func (h *host) swap(ending string, change func([]byte) []byte) {
	for i, f := range h.index {
		if strings.HasSuffix(f.Path, ending) {
			h.files[f.Path] = change(bytes.Clone(h.files[f.Path]))
			h.index[i].Size = int64(len(h.files[f.Path]))
		}
	}
}

// fetched counts how often files with this ending were fetched.
func (h *host) fetched(ending string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for path, count := range h.gets {
		if strings.HasSuffix(path, ending) {
			n += count
		}
	}
	return n
}

func (h *host) ask(ctx context.Context, r *provenance.Reader, want ...patch.Proven) ([]patch.Proven, []string) {
	return r.Signed(ctx, remote.Session{Runner: h, Files: h}, h, fact.Facts{Host: h.id, OS: h.os}, want)
}

// pkg is what an index says of one file.
type pkg struct{ name, version, content string }

func (p pkg) digest() patch.Digest { return patch.DigestOf([]byte(p.content)) }
func (p pkg) hexes() string        { return strings.TrimPrefix(string(p.digest()), "sha256:") }

// wanted is what the collecting step asks: the host's word.
func (p pkg) wanted() patch.Proven {
	return patch.Proven{
		Domain: "debian 12 amd64", Name: p.name, Arch: "amd64", Version: p.version,
		Digest: patch.DigestOf([]byte("the host says so")), Repository: "said", Assurance: patch.AssuranceHost,
	}
}

func packagesOf(pkgs ...pkg) []byte {
	var out bytes.Buffer
	for _, p := range pkgs {
		fmt.Fprintf(&out, "Package: %s\nVersion: %s\nArchitecture: amd64\nFilename: pool/%s.deb\nSize: %d\nSHA256: %s\n\n", p.name, p.version, p.name, len(p.content), p.hexes())
	}
	return out.Bytes()
}

const packagesName = "main/binary-amd64/Packages"

func releaseOf(codename string, packages []byte) []byte {
	sum := strings.TrimPrefix(string(patch.DigestOf(packages)), "sha256:")
	return fmt.Appendf(nil, "Origin: Test\nLabel: Test\nSuite: stable\nCodename: %s\nDate: Sat, 21 Nov 2026 00:00:00 UTC\nSHA256:\n %s %d %s\n", codename, sum, len(packages), packagesName)
}

// apt is a repository of apt with one signature; a nil key: with none.
func (h *host) apt(t testing.TB, key *openpgp.Entity, repository, codename string, pkgs ...pkg) *host {
	t.Helper()
	packages := packagesOf(pkgs...)
	release := releaseOf(codename, packages)
	if key == nil {
		h.has(repository, "release", "Release", release)
	} else {
		h.has(repository, "inrelease", "InRelease", clearSigned(t, key, release))
	}
	h.has(repository, "packages", packagesName, packages)
	return h
}

func (h *host) rpm(t testing.TB, key *openpgp.Entity, repository string, pkgs ...pkg) *host {
	t.Helper()
	var primary bytes.Buffer
	primary.WriteString(`<metadata xmlns="http://linux.duke.edu/metadata/common">`)
	for _, p := range pkgs {
		fmt.Fprintf(&primary, `<package type="rpm"><name>%s</name><arch>x86_64</arch><version epoch="0" ver="%s" rel="1"/><checksum type="sha256" pkgid="YES">%s</checksum><size package="%d"/><location href="Packages/%s.rpm"/></package>`,
			p.name, strings.TrimSuffix(p.version, "-1"), p.hexes(), len(p.content), p.name)
	}
	primary.WriteString(`</metadata>`)
	sum := strings.TrimPrefix(string(patch.DigestOf(primary.Bytes())), "sha256:")
	repomd := fmt.Appendf(nil, `<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary"><checksum type="sha256">%s</checksum><location href="repodata/%s-primary.xml"/></data></repomd>`, sum, sum)
	h.has(repository, "repomd", "repodata/repomd.xml", repomd)
	if key != nil {
		h.has(repository, "repomd.asc", "repodata/repomd.xml.asc", detached(t, key, repomd))
	}
	h.has(repository, "primary", "repodata/"+sum+"-primary.xml", primary.Bytes())
	return h
}

func (h *host) pacman(t testing.TB, key *openpgp.Entity, repository string, pkgs ...pkg) *host {
	t.Helper()
	var db bytes.Buffer
	w := tar.NewWriter(&db)
	for _, p := range pkgs {
		desc := fmt.Sprintf("%%NAME%%\n%s\n\n%%VERSION%%\n%s\n\n%%ARCH%%\nx86_64\n\n%%FILENAME%%\n%s.pkg\n\n%%CSIZE%%\n%d\n\n%%SHA256SUM%%\n%s\n\n", p.name, p.version, p.name, len(p.content), p.hexes())
		if err := w.WriteHeader(&tar.Header{Name: p.name + "/desc", Size: int64(len(desc)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, desc); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	h.has(repository, "pacman.db", repository+".db", db.Bytes())
	if key != nil {
		h.has(repository, "pacman.sig", repository+".db.sig", detached(t, key, db.Bytes()))
	}
	return h
}

// wantSigned: what is known of a package is all that the index says of it.
func wantSigned(t testing.TB, got patch.Proven, p pkg, file, repository string, by *openpgp.Entity) {
	t.Helper()
	want := p.wanted().Bare()
	want.Digest, want.Size, want.File, want.Repository = p.digest(), int64(len(p.content)), file, repository
	want.Assurance = patch.AssuranceSigned
	_, id := by.PrimaryIdentity(today(), nil)
	want.Signer = strings.ToUpper(hex.EncodeToString(by.PrimaryKey.Fingerprint)) + " " + id.Name
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func wantNote(t testing.TB, known []patch.Proven, notes []string, words ...string) {
	t.Helper()
	if len(known) != 0 || len(notes) != 1 || strings.ContainsAny(notes[0], "\n\x1b") || len(notes[0]) > 4000 {
		t.Fatalf("known %+v, notes %q", known, notes)
	}
	for _, word := range words {
		if !strings.Contains(notes[0], word) {
			t.Errorf("want %q in %q", word, notes[0])
		}
	}
}
