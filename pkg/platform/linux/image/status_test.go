package image

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
)

func sum(digit string) string { return strings.Repeat(digit, 64) }

// said is rpm-ostree status --json with members as users' reports have them: from
// documentation, unchecked.
func said(deployments, more string) string {
	return `{ "deployments" : [ ` + deployments + ` ], "transaction" : null` + more + ` }`
}

func one(digit string, booted bool, more string) string {
	return fmt.Sprintf(`{ "booted" : %t, "checksum" : %q, "version" : %q, "timestamp" : 168145946%s, "origin" : "fedora:fedora/38/x86_64/silverblue", "unlocked" : "none"%s }`,
		booted, sum(digit), "38."+digit, digit, more)
}

const advisories = `, "advisories" : [ [ "FEDORA-2023-1", 1, 2, ["a-1"], { "cve_references" : [ [ "https://x/CVE-2023-1111", "CVE-2023-1111 a: b" ] ] } ],
	[ "FEDORA-2023-2", 1, 4, ["b-1"], { "cve_references" : [ [ "https://x", "CVE-2023-0002 b" ] ] } ] ]`

func newer(digit, more string) string {
	return fmt.Sprintf(`, "cached-update" : { "checksum" : %q, "version" : %q, "timestamp" : 168145946%s, "ref-has-new-commit" : true%s }`, sum(digit), "38."+digit, digit, more)
}

func TestPending(t *testing.T) {
	s, err := readStatus(said(one("1", true, ""), newer("2", advisories)))
	if err != nil {
		t.Fatal(err)
	}
	updates, left := pending(s, "x86_64")
	want := patch.Update{
		Name: Name, Arch: "x86_64", From: "38.1_1681459461_" + sum("1"), To: "38.2_1681459462_" + sum("2"), Origin: "fedora:fedora/38/x86_64/silverblue",
		Security: patch.Yes, Severity: patch.SeverityCritical, CVEs: "CVE-2023-0002 CVE-2023-1111",
	}
	if len(updates) != 1 || updates[0] != want || len(left) > 0 {
		t.Errorf("%+v, %+v", updates, left)
	}
	for name, text := range map[string]string{
		"nothing newer":  said(one("1", true, ""), `, "cached-update" : null`),
		"waits already":  said(one("2", false, "")+","+one("1", true, ""), newer("2", "")),
		"the same again": said(one("2", true, ""), newer("2", "")),
	} {
		s, err := readStatus(text)
		if updates, left := pending(s, "x86_64"); err != nil || len(updates)+len(left) > 0 {
			t.Errorf("%s: %v %+v %+v", name, err, updates, left)
		}
	}
}

func TestObstacles(t *testing.T) {
	for want, more := range map[string]string{
		"layered": `, "requested-packages" : [ "vim" ]`, "registry": `, "container-image-reference" : "ostree-unverified-registry:quay.io/x@sha256:00"`,
		"overridden": `, "base-removals" : [ "firefox" ]`, "initramfs": `, "regenerate-initramfs" : true`,
	} {
		s, err := readStatus(said(one("1", true, more), newer("2", "")))
		updates, left := pending(s, "x86_64")
		if err != nil || len(updates) > 0 || len(left) != 1 || !strings.Contains(left[0].Detail, want) {
			t.Errorf("%s: %v %+v %+v", want, err, updates, left)
		}
	}
	s, err := readStatus(said(one("1", true, ""), newer("2", "")+`, "update-driver" : { "driver-name" : "Zincati", "driver-sd-unit" : "zincati.service" }`))
	if _, left := pending(s, ""); err != nil || len(left) != 1 || !strings.Contains(left[0].Detail, "zincati.service") {
		t.Errorf("%v %+v", err, left)
	}
	s, err = readStatus(said(one("3", true, ""), newer("2", "")))
	if _, left := pending(s, ""); err != nil || len(left) != 1 || !strings.Contains(left[0].Detail, "older") {
		t.Errorf("a stream that went back: %v %+v", err, left)
	}
}

func TestStatusRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no images": `{"deployments":[]}`, "a path": said(`{"booted":true,"checksum":"../../etc"}`, ""),
		"odd newest": said(one("1", true, ""), `, "cached-update" : { "checksum" : "$(reboot)" }`), "cut": said(one("1", true, ""), "")[:60],
	} {
		if s, err := readStatus(text); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestChange(t *testing.T) {
	at := func(d string) string { return versionText("38."+d, 1681459460+int64(d[0]-'0'), sum(d)) }
	work := func(to string, back bool) patch.Work {
		return patch.Work{Back: back, Install: []patch.Update{{Name: Name, To: to}}}
	}
	for name, tt := range map[string]struct {
		next    string
		work    patch.Work
		changes int
		refused string
	}{
		"newer":         {at("1"), work(at("2"), false), 1, ""},
		"there already": {at("2"), work(at("2"), false), 0, ""},
		"older":         {at("3"), work(at("2"), false), 0, "newer"},
		"back":          {at("3"), work(at("2"), true), 1, ""},
		"a name alone":  {at("1"), work("38.2", false), 0, "not an image"},
	} {
		if got := change(tt.next, tt.work); len(got.Changes) != tt.changes || tt.refused == "" && got.Refused != "" || !strings.Contains(got.Refused, tt.refused) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSimulatedTellsWhy(t *testing.T) {
	s := linux.Section{Status: 1, Out: "{}", Err: "1 metadata, 0 content objects fetched\nerror: Checksum 00 not found in fedora:x\n"}
	if got := simulated(fact.Facts{}, patch.Work{}, s); got.Refused != "rpm-ostree refuses: Checksum 00 not found in fedora:x" {
		t.Errorf("%q", got.Refused)
	}
}

func TestOrder(t *testing.T) {
	list := []string{versionText("9", 5, sum("f")), versionText("8", 6, sum("a")), versionText("8", 6, sum("b")), versionText("", 7, sum("0"))}
	for i, a := range list {
		for j, b := range list {
			if got := order(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s, %s: %d", a, b, got)
			}
		}
	}
	if order(versionText("8", 5, sum("a")), versionText("9", 6, sum("a"))) != 0 {
		t.Error("one commit is one image")
	}
}

func TestEveryRefusalSaysWhy(t *testing.T) {
	for _, m := range refused() {
		if len(m.Refused) < 20 || m.Script != "" || len(m.Drives) > 0 {
			t.Errorf("%+v", m)
		}
	}
}

// Whatever a host says, no update comes of it that is not well-formed.
func FuzzStatus(f *testing.F) {
	f.Add(said(one("1", true, ""), newer("2", advisories)))
	f.Add(said(one("1", true, `, "base-checksum" : "`+sum("4")+`", "base-version" : "$(x)", "base-timestamp" : -1`), newer("2", "")))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := readStatus(text)
		if err != nil {
			return
		}
		updates, left := pending(s, "x86_64")
		for _, u := range updates {
			if !linux.WellFormed(u) || !textForm.MatchString(u.To) || order(u.From, u.To) >= 0 {
				t.Errorf("%+v", u)
			}
			for cve := range strings.FieldsSeq(u.CVEs) {
				if !linux.IsCVE(cve) {
					t.Errorf("%q", cve)
				}
			}
		}
		for _, l := range left {
			if l.Detail == "" || len(l.Detail) > 600 {
				t.Errorf("%+v", l)
			}
		}
	})
}

func FuzzOrder(f *testing.F) {
	f.Add(versionText("8", 5, sum("a")), "1.0")
	f.Fuzz(func(t *testing.T, a, b string) {
		if order(a, b) != -order(b, a) {
			t.Errorf("%q and %q have no order", a, b)
		}
	})
}
