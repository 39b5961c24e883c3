package plan

import (
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

func TestCVEs(t *testing.T) {
	fix := func(name, cves string) patch.Update {
		return patch.Update{Name: name, Arch: "amd64", From: "1", To: "2", Security: patch.Yes, CVEs: cves}
	}
	in := input(t)
	in.CVEs = []string{" cve-2026-1234 ", "CVE-2026-99999"}
	web := debian(id("web-01"), fix("nginx", "CVE-2025-1 CVE-2026-1234"), fix("curl", "CVE-2026-12345"), fix("vim", ""))
	web.Manager.Name = "dnf"
	in.Facts[id("web-01")] = Found{Facts: web}
	p := build(t, in)
	if got := line(at(t, p, "web-01")); got != "+nginx -curl(narrowed) -vim(narrowed)" {
		t.Errorf("web-01: %s", got)
	}
	if got := line(at(t, p, "db-01")); got != "-bash(narrowed) -nginx(narrowed)" && got != "-nginx(narrowed)" {
		t.Errorf("db-01: %s", got)
	}
	for _, note := range []string{
		"hq/web-01: of 1 updates it is not known which CVEs they fix; they are left",
		"hq/db-01: apt does not tell which CVEs its updates fix, so all 1 are left",
	} {
		if !noted(p, note) {
			t.Errorf("notes %q, want %q", p.Notes, note)
		}
	}
	in.CVEs = []string{"CVE-2026-4321"}
	_, err := Build(in)
	refused(t, err, "no pending update is known to fix CVE-2026-4321; of 4 updates on 4 hosts no CVEs are known")
	in.Limit = []fact.HostID{id("spare")}
	_, err = Build(in)
	refused(t, err, "of 0 updates on 0 hosts")
	for _, bad := range []string{"", "2026-1234", "CVE-26-1234", "CVE-2026-123", "CVE-2026-1234; rm", "CVE-2026-1234\n5"} {
		in.CVEs = []string{bad}
		_, err := Build(in)
		refused(t, err, "is not the name of a CVE")
	}
}
