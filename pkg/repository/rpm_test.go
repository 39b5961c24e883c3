package repository

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
)

func recordedRPM(t testing.TB) RPMSource {
	t.Helper()
	return RPMSource{
		Repomd: recorded(t, "rpm/repomd.xml"), Signature: recorded(t, "rpm/repomd.xml.asc"),
		Primary: recorded(t, "rpm/primary.xml.gz"), Updateinfo: recorded(t, "rpm/updateinfo.xml.gz"),
	}
}

func TestRPMAsCreaterepoWritesIt(t *testing.T) {
	src := recordedRPM(t)
	x, err := RPM(recordedRing(t, "key.asc"), src, Options{Now: today(), Names: []string{"hello-ring"}})
	if err != nil || x.Assurance != SignedIndex || x.Signer.Time.Year() != 2026 {
		t.Fatalf("%v, %+v", err, x)
	}
	wantHello(t, x)
	if e := x.Entries(); e[0].Version != "1.2-3" || e[1].Version != "2:1.2-3" || e[0].File != "0/hello-ring-1.2-3.noarch.rpm" {
		t.Errorf("%+v", e)
	}
	want := Advisory{ID: "TEST-2026:1", Type: "security", Severity: patch.SeverityImportant, CVEs: []string{"CVE-2026-0001", "CVE-2026-0002"},
		Packages: []Fixed{{"hello-ring", "noarch", "2:1.2-3", true}}}
	if len(x.Advisories) != 1 || fmt.Sprint(x.Advisories[0]) != fmt.Sprint(want) {
		t.Errorf("%+v", x.Advisories)
	}
	// As some caches keep it: without compression.
	if src.Primary, err = io.ReadAll(open(src.Primary, maxInflated)); err != nil {
		t.Fatal(err)
	}
	if x, err = RPM(recordedRing(t, "key.asc"), src, Options{Now: today(), Names: []string{"other"}}); err != nil || len(x.Entries())+len(x.Advisories) != 0 {
		t.Errorf("%v, %+v", err, x)
	}
}

func TestRPMWithoutASignatureIsTheHostsWord(t *testing.T) {
	src := recordedRPM(t)
	src.Signature = nil
	x, err := RPM(recordedRing(t, "key.asc"), src, Options{Now: today()})
	if err != nil || x.Assurance != HostsWord || !errors.Is(x.Problem, ErrNoSignature) {
		t.Fatalf("%v, %+v", err, x)
	}
	wantHello(t, x)
}

func TestRPMListsThatAreNotAsListed(t *testing.T) {
	for name, change := range map[string]func(*RPMSource){
		"changed": func(s *RPMSource) { s.Primary = append(bytes.Clone(s.Primary), 0) }, "empty": func(s *RPMSource) { s.Primary = []byte{} },
		"swapped": func(s *RPMSource) { s.Primary = s.Updateinfo }, "advisories": func(s *RPMSource) { s.Updateinfo = []byte("<updates/>") },
		"unlisted": func(s *RPMSource) {
			s.Repomd = bytes.ReplaceAll(s.Repomd, []byte(`type="primary"`), []byte(`type="tertiary"`))
		},
		"weak": func(s *RPMSource) {
			s.Repomd = bytes.ReplaceAll(s.Repomd, []byte(`type="sha256"`), []byte(`type="sha"`))
		},
		"ambiguous": func(s *RPMSource) {
			s.Repomd = bytes.ReplaceAll(s.Repomd, []byte(`type="filelists"`), []byte(`type="primary"`))
		},
		"not xml": func(s *RPMSource) { s.Repomd = []byte("hello") }, "none": func(s *RPMSource) { s.Repomd = nil },
	} {
		src := recordedRPM(t)
		change(&src)
		if x, err := RPM(recordedRing(t, "key.asc"), src, Options{Now: today()}); err == nil || x != nil && len(x.Advisories) > 0 {
			t.Errorf("%s: %v, %v", name, err, x)
		} else if name == "ambiguous" && !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const goodPackage = `<package type="rpm"><name>x</name><arch>noarch</arch><version epoch="0" ver="1" rel="2"/>` +
	`<checksum type="sha256" pkgid="YES">` + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + `</checksum><size package="7"/><location href="x.rpm"/></package>`

func primaryOf(t testing.TB, packages string) (RPMSource, string) {
	t.Helper()
	primary := "<metadata>" + packages + "</metadata>"
	s := sha512.Sum512([]byte(primary))
	repomd := fmt.Sprintf(`<repomd><data type="primary"><checksum type="sha512">%s</checksum><location href="r/p.xml"/></data></repomd>`, hex.EncodeToString(s[:]))
	return RPMSource{Repomd: []byte(repomd), Primary: []byte(primary)}, primary
}

func TestHostilePrimaryIsRefused(t *testing.T) {
	good, _ := primaryOf(t, goodPackage)
	x, err := RPM(nil, good, Options{Now: today()})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := x.Find("x", "noarch", "1-2"); err != nil || e.Size != 7 || len(e.Digest) != 71 {
		t.Fatalf("%v %v", e, err)
	}
	swap := func(old, replacement string) string { return strings.Replace(goodPackage, old, replacement, 1) }
	for name, text := range map[string]string{
		"leaves":        swap("x.rpm", "../x.rpm"),
		"escape":        swap("x.rpm", "x&#x202e;.rpm"),
		"name twice":    swap("<arch>", "<name>y</name><arch>"),
		"version twice": swap("<size", `<version ver="2"/><size`),
		"file twice":    swap("<size", `<location href="y"/><size`),
		"sum twice":     swap("<size", `<checksum type="sha256">b</checksum><size`),
		"bad sum":       swap("aaaa", "AAAA"),
		"bad size":      swap(`"7"`, `"-7"`),
		"bad epoch":     swap(`epoch="0"`, `epoch="1 "`),
		"deep":          strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1),
		"not closed":    "<package>", "crossed": "<a><b></a></b>",
		"huge text": "<a>" + strings.Repeat("x", maxToken+10_000) + "</a>",
		"huge tag":  "<a " + strings.Repeat("x", maxToken+10_000) + "/>",
		"long name": swap(">x<", ">"+strings.Repeat("x", 9000)+"<"),
		"entity":    "<a>&evil;</a>",
	} {
		src, _ := primaryOf(t, text)
		x, err := RPM(nil, src, Options{Now: today()})
		if x != nil || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooBig) && !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s: %v, %v", name, x, err)
		}
	}
}

func TestSourcesAndOtherDigestsGiveNoDigest(t *testing.T) {
	src, _ := primaryOf(t, strings.Replace(goodPackage, "sha256", "sha", 1)+strings.Replace(goodPackage, "noarch", "src", 1))
	x, err := RPM(nil, src, Options{Now: today()})
	if err != nil || len(x.Entries()) != 1 || x.Entries()[0].Digest != "" {
		t.Errorf("%v %+v", err, x)
	}
}

func TestUpdateinfo(t *testing.T) {
	text := `<updates><update type="security&#x202e;"><id>A</id><severity>Medium</severity><reboot_suggested>True</reboot_suggested>` +
		`<references><reference type="cve" id="CVE-2026-0003"/><reference type="cve" id="CVE-2026-0003"/><reference type="cve" id="evil"/><reference type="bugzilla" id="1"/></references>` +
		`<pkglist><collection><package name="x" epoch="0" version="1" release="2" arch="noarch"/><package name="x" version="1" release="2" arch="src"/><package name="y" version="1" arch="noarch"><reboot_suggested>False</reboot_suggested></package></collection></pkglist></update>` +
		`<update type="bugfix"><id>B</id><severity>odd</severity><pkglist><collection><package name="z" version="1" release="1" arch="a"><reboot_suggested/></package></collection></pkglist></update><update/></updates>`
	all, err := readUpdateinfo(strings.NewReader(text), nil)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v %+v", err, all)
	}
	if a := all[0]; a.Severity != patch.SeverityModerate || !slices.Equal(a.CVEs, []string{"CVE-2026-0003"}) || len(a.Packages) != 2 || !a.Packages[0].Reboot || !a.Packages[1].Reboot || a.Packages[1].Version != "1" {
		t.Errorf("%+v", a)
	}
	if b := all[1]; b.Severity != patch.SeverityUnknown || !b.Packages[0].Reboot || b.Type != "bugfix" {
		t.Errorf("%+v", b)
	}
	few, err := readUpdateinfo(strings.NewReader(text), wanted{"y": {}})
	if err != nil || len(few) != 1 || len(few[0].Packages) != 1 {
		t.Errorf("%v %+v", err, few)
	}
	if _, err := readUpdateinfo(strings.NewReader(strings.Replace(text, `"x"`, `"-x"`, 1)), nil); !errors.Is(err, ErrFormat) {
		t.Errorf("an option as name: %v", err)
	}
}

func TestZchunkTwinIsTheSameList(t *testing.T) {
	src, primary := primaryOf(t, goodPackage)
	open := sha256.Sum256([]byte(primary))
	src.Repomd = []byte(fmt.Sprintf(`<repomd><data type="primary"><checksum type="sha256">%s</checksum></data><data type="primary_zck"><checksum type="sha256">%s</checksum><open-checksum type="sha256">%x</open-checksum></data></repomd>`,
		hexOf("1"), hexOf("2"), open))
	if x, err := RPM(nil, src, Options{Now: today()}); err != nil || len(x.Entries()) != 1 {
		t.Errorf("%v %v", x, err)
	}
}
