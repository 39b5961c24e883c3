package drivers

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/platform"
)

var update = flag.Bool("update", false, "write the generated parts of ../linux/README.md anew")

// TestCellsAreBacked: whatever a driver declares has a test of that name, and only what it
// can't do has none.
func TestCellsAreBacked(t *testing.T) {
	for _, s := range Systems() {
		for _, shown := range s.Shows {
			if !slices.ContainsFunc(platform.Meanings(), func(m platform.Meaning) bool { return m.Capability == shown.Capability }) {
				t.Errorf("%s: %q is no capability", s.Name, shown.Capability)
			}
			if (shown.How == platform.Not) != (shown.Test == "") {
				t.Errorf("%s: %s is %q, by %q", s.Name, shown.Capability, shown.How, shown.Test)
			}
			if shown.Test != "" && !backed(t, shown.Test) {
				t.Errorf("%s: %s: there is no test %s", s.Name, shown.Capability, shown.Test)
			}
		}
	}
}

// TestCellsAreDeclared: a manager says of every capability how it stands, and why not.
func TestCellsAreDeclared(t *testing.T) {
	for _, s := range Systems() {
		if len(s.Shows) == 0 { // it can't, or nobody has tried it yet: every cell says no
			continue
		}
		for _, m := range platform.Meanings() {
			cell := s.Cell(m.Capability)
			if cell.How == platform.Not && cell.Note == "" {
				t.Errorf("%s says nothing about %s", s.Name, m.Capability)
			}
		}
	}
}

// backed finds "folder.TestName" in the sources.
func backed(t *testing.T, test string) bool {
	t.Helper()
	at := strings.LastIndex(test, ".")
	if at < 0 {
		return false
	}
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(test[:at]), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(test[at+1:]) + `\(t \*testing\.T\)`)
	return slices.ContainsFunc(files, func(name string) bool {
		text, err := os.ReadFile(name)
		return err == nil && declared.Match(text)
	})
}

const tablePath = "../linux/README.md"

// TestTable: the table of the docs is made from the drivers.
func TestTable(t *testing.T) {
	raw, err := os.ReadFile(tablePath)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- begin: capabilities -->\n", "<!-- end: capabilities -->"
	before, rest, _ := strings.Cut(string(raw), begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatal("README.md has lost its markers")
	}
	want := before + begin + table() + others() + tests() + end + after
	if *update {
		if err := os.WriteFile(tablePath, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(raw) != want {
		t.Error("pkg/platform/linux/README.md differs from the drivers: go test ./pkg/platform/drivers -update")
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| capability |")
	columns := declared()
	for _, s := range columns {
		b.WriteString(" " + s.Name + " |")
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(columns)) + "\n")
	for _, m := range platform.Meanings() {
		b.WriteString("| " + m.Means + " |")
		for _, s := range columns {
			fmt.Fprintf(&b, " %s |", s.Cell(m.Capability).How)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// declared are the managers that declare anything.
func declared() []platform.System {
	return slices.DeleteFunc(Managers().Systems(), func(s platform.System) bool { return len(s.Shows) == 0 })
}

// others are the systems that have no column, and why.
func others() string {
	var b strings.Builder
	b.WriteString("\n| system | what of it |\n| --- | --- |\n")
	for _, s := range Systems() {
		if len(s.Shows) == 0 {
			why := s.Why
			if s.Upgrades {
				why = "driven as documented; no test backs a cell yet"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", s.Name, why)
		}
	}
	return b.String()
}

// tests names what backs each cell.
func tests() string {
	var b strings.Builder
	b.WriteString("\n| system | capability | how | test, and what is to be said |\n| --- | --- | --- | --- |\n")
	for _, s := range declared() {
		for _, m := range platform.Meanings() {
			cell := s.Cell(m.Capability)
			says := cell.Note
			if cell.Test != "" {
				says = strings.TrimSuffix("`"+cell.Test+"`: "+cell.Note, ": ")
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.Name, cell.Capability, cell.How, says)
		}
	}
	return b.String()
}
