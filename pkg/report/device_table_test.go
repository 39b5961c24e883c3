package report

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/platform/device"
)

func embedded(t *testing.T) []Device {
	t.Helper()
	library, err := device.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return NewDevices(library.All())
}

// TestDeviceTable: the table of the docs is made from the same rows as `patchring platforms`.
func TestDeviceTable(t *testing.T) {
	const path = "../platform/device/README.md"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- begin: platforms -->\n", "<!-- end: platforms -->"
	before, rest, _ := strings.Cut(string(raw), begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatal("README.md has lost its markers")
	}
	all := embedded(t)
	want := before + begin + upgradedTable(all) + detectedTable(all) + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(raw) != want {
		t.Error("pkg/platform/device/README.md differs from the definitions: go test ./pkg/report -update")
	}
}

// upgradedTable has a row for each platform that is upgraded; several ways stand below
// each other in its cells, in the order in which they are looked at.
func upgradedTable(all []Device) string {
	var b strings.Builder
	b.WriteString("| platform | class | detected | upgraded by | outage | safety net | way back | state compared |\n|" + strings.Repeat(" --- |", 8) + "\n")
	for _, d := range all {
		if !d.Upgrades {
			continue
		}
		fmt.Fprintf(&b, "| %s `%s` | %s | %s | %s | %s | %s | %s | %s |\n", d.Title, d.Platform, d.Class, restsCell(d.Detects),
			d.ways(func(w Way) Rests { return Rests{w.by(), w.Proof} }), d.ways(func(w Way) Rests { return Rests{w.Outage, w.OutageProof} }),
			d.ways(func(w Way) Rests { return Rests{w.Net, w.NetProof} }), d.ways(func(w Way) Rests { return Rests{w.Fallback, w.FallbackProof} }),
			restsCell(d.State))
	}
	return b.String()
}

// ways is one line for each way, or one for all where they are the same.
func (d Device) ways(of func(Way) Rests) string {
	var lines []string
	for _, w := range d.Ways {
		lines = append(lines, restsCell([]Rests{of(w)}))
	}
	if len(slices.Compact(slices.Clone(lines))) == 1 {
		lines = lines[:1]
	}
	return strings.Join(lines, "<br>")
}

func restsCell(all []Rests) string {
	if len(all) == 0 {
		return "-"
	}
	return strings.ReplaceAll(strings.ReplaceAll(restsWords(all, true), "vendor_document", "vendor document"), "; ", ";<br>")
}

// detectedTable has a row for each platform that is only detected.
func detectedTable(all []Device) string {
	var b strings.Builder
	b.WriteString("\n| platform | class | detected | state compared | not upgraded |\n|" + strings.Repeat(" --- |", 5) + "\n")
	for _, d := range all {
		if !d.Upgrades {
			fmt.Fprintf(&b, "| %s `%s` | %s | %s | %s | %s |\n", d.Title, d.Platform, d.Class, restsCell(d.Detects), restsCell(d.State), d.Why)
		}
	}
	return b.String()
}

var played = regexp.MustCompile(`\bplatform: +"([a-z0-9_]+)"`)

// TestSimulatedIsPlayed: a way rests on the simulator only where the fault matrix plays its
// platform's family, and its page shows that it did.
func TestSimulatedIsPlayed(t *testing.T) {
	page, pageErr := os.ReadFile("../lab/matrix/README.md")
	families := playedFamilies(t)
	for _, d := range embedded(t) {
		for _, w := range d.Ways {
			if !slices.Contains([]string{w.Proof, w.OutageProof, w.NetProof, w.FallbackProof}, "simulated") {
				continue
			}
			short := d.Platform[strings.LastIndex(d.Platform, "_")+1:] // iosxe, of the row cisco-iosxe-stack
			if !families[d.Platform] || pageErr != nil || !regexp.MustCompile(`(?m)^\| [a-z0-9-]*\b`+short+`\b`).Match(page) {
				t.Errorf("%s: %s is said to be simulated, and the matrix has no such family: %v", d.Platform, w.by(), pageErr)
			}
		}
		if slices.ContainsFunc(d.Detects, func(r Rests) bool { return r.On == "simulated" || r.On == "real" }) {
			t.Errorf("%s: detection rests on recordings and documents, or on nothing", d.Platform)
		}
	}
}

// playedFamilies are the platforms of the matrix's families.
func playedFamilies(t *testing.T) map[string]bool {
	t.Helper()
	families := map[string]bool{}
	files, err := filepath.Glob("../lab/matrix/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal("the matrix is gone", err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range played.FindAllStringSubmatch(string(src), -1) {
			families[m[1]] = true
		}
	}
	return families
}
