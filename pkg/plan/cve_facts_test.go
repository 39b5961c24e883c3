package plan

import (
	"bytes"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/remote"
)

// idle is the power supply of a simulated host that is only looked at.
type idle struct{}

func (idle) Reboot(bool)  {}
func (idle) Event(string) {}

// probed is what the driver's own probe learns of a simulated Rocky host.
func probed(t *testing.T, name string, repository ...lab.Package) fact.Facts {
	t.Helper()
	m, err := lab.New(lab.Config{Name: name, OS: "rocky-9", Repository: repository}, idle{})
	if err != nil {
		t.Fatal(err)
	}
	m.Boot(t.Context())
	t.Cleanup(m.Halt)
	p := m.Console()
	var out, errs bytes.Buffer
	c := drivers.Managers().Probe(platform.Query{Nonce: "0f"})[0]
	p.In, p.Out, p.Err = bytes.NewReader(c.Stdin), &out, &errs
	code := p.Exec(t.Context(), c.Argv)
	f, err := drivers.Managers().Read([]remote.Result{{Ending: remote.Exited, Code: code, Out: out.Bytes(), Err: errs.Bytes()}})
	if err != nil {
		t.Fatal(err)
	}
	f.Host = id(name)
	return f
}

// TestCVEsFromFacts: from what a host's dnf prints to the updates of a plan. Only what
// fixes one of those asked for is in it, whatever else is a security fix.
func TestCVEsFromFacts(t *testing.T) {
	in := input(t)
	in.Facts[id("web-01")] = Found{Facts: probed(t, "web-01",
		lab.Package{Name: "openssl-libs", Version: "1:3.2.2-6.el9_5.1", Suite: "security", Severity: "Important", Advisory: "RLSA-2026:1330", CVEs: []string{"CVE-2025-0001", "CVE-2026-1234"}},
		lab.Package{Name: "sudo", Version: "1.9.5p2-10.el9_5.1", Suite: "security", Severity: "Critical", Advisory: "RLSA-2026:2210", CVEs: []string{"CVE-2026-12345"}},
		lab.Package{Name: "tzdata", Version: "2025c-1.el9"},
	)}
	in.CVEs = []string{"CVE-2026-1234"}
	p := build(t, in)
	h := at(t, p, "web-01")
	if got := line(h); got != "+openssl-libs -sudo(narrowed) -tzdata(narrowed)" {
		t.Errorf("web-01: %s, %+v", got, h.Problem)
	}
	if h.Install[0].CVEs != "CVE-2025-0001 CVE-2026-1234" {
		t.Errorf("%+v", h.Install[0])
	}
	for _, other := range p.Hosts {
		if other.ID != h.ID && len(other.Install) > 0 {
			t.Errorf("%s: %s", other.ID, line(other))
		}
	}
}
