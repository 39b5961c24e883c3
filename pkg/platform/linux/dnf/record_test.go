package dnf

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// opening is the first word of a report.
const opening = "patchring-report 1 "

// recorded is what a script printed on a real host, with a real dnf 4.14 and made-up packages.
func recorded(t testing.TB, name string) remote.Result {
	t.Helper()
	return remote.Result{Ending: remote.Exited, Out: content(t, name+".out"), Err: content(t, name+".err")}
}

func content(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func facts(t testing.TB, name string) fact.Facts {
	t.Helper()
	return readFacts(t, recorded(t, name))
}

func readFacts(t testing.TB, r remote.Result) fact.Facts {
	t.Helper()
	f, err := linux.Managers{Manager(), Yum()}.Read([]remote.Result{r})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// report makes a report of sections "name", "text", "name", "text" …, all with status 0.
func report(t testing.TB, sections ...string) linux.Report {
	t.Helper()
	var out strings.Builder
	out.WriteString(opening + "n\n")
	for i := 0; i+1 < len(sections); i += 2 {
		name, status, found := strings.Cut(sections[i], "=")
		if !found {
			status = "0"
		}
		out.WriteString("@n begin " + name + "\n" + sections[i+1] + "\n@n status " + status + "\n@n end " + name + "\n")
	}
	rep, found := linux.ReadReport(remote.Result{Ending: remote.Exited, Out: []byte(out.String() + "@n whole\n")})
	if !found {
		t.Fatal("no report")
	}
	return rep
}

func driver(t testing.TB) linux.Driver {
	t.Helper()
	d, ok := linux.Managers{Manager()}.Drivers()[0].(linux.Driver)
	if !ok || d.Platform != RHEL {
		t.Fatal("there is no driver")
	}
	return d
}

func rocky() fact.Facts {
	return fact.Facts{
		Host: fact.HostID{Site: "hq", Name: "web-01"}, Platform: RHEL, Arch: "x86_64", BootID: "boot-1", Init: "systemd",
		Manager: fact.Manager{Name: "dnf", State: fact.ManagerOK},
	}
}

func hasProblem(f fact.Facts, what, detail string) bool {
	return slices.ContainsFunc(f.Problems, func(p fact.Problem) bool {
		return p.What == what && strings.Contains(p.Detail, detail)
	})
}

func clean(t *testing.T, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }); i >= 0 {
		t.Errorf("a control character at %d of %q", i, text)
	}
}

func wellFormedUpdate(t *testing.T, u patch.Update) {
	t.Helper()
	if !linux.WellFormed(u) || strings.HasPrefix(u.Name, "-") || u.Size < 0 {
		t.Errorf("not well-formed: %+v", u)
	}
	clean(t, u.Name+u.Arch+u.From+u.To+u.Origin)
	if cves := strings.Fields(u.CVEs); u.CVEs != strings.Join(cves, " ") || !slices.IsSorted(cves) || len(cves) > maxCVEs ||
		slices.ContainsFunc(cves, func(id string) bool { return !linux.IsCVE(id) }) {
		t.Errorf("not CVEs: %q", u.CVEs)
	}
}
