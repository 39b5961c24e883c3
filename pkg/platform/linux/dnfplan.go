package linux

import (
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// dnfPlan is dnf's transaction table.
type dnfPlan struct {
	changes    []patch.Update // without From: the table does not say it
	removes    []string
	downgrades []string
	other      []string // headings of what is neither, e.g. reinstalling, module streams, skipped packages
	odd        []string
}

// readDnfPlan reads the table that `dnf --assumeno install` prints. Rows are
// indented by one blank; a row too long for its columns goes on in the next line,
// indented deeper. dnf 5 writes what a package replaces in lines of their own.
func readDnfPlan(text string) dnfPlan {
	var p dnfPlan
	heading, inTable := "", false
	var row []string
	flush := func() {
		p.row(heading, row)
		row = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \r\n")
		switch {
		case strings.HasPrefix(line, "Transaction Summary"):
			flush()
			return p
		case strings.HasPrefix(line, " Package ") || strings.HasPrefix(line, "Package  "):
			inTable = true
		case !inTable, line == "", strings.HasPrefix(line, "==="):
		case !strings.HasPrefix(line, " "):
			flush()
			heading = line
		case heading == "": // the table's own heading, gone on in the next line
		case strings.HasPrefix(line, "  "):
			if f := strings.Fields(line); f[0] != "replacing" {
				row = append(row, f...)
			}
		default:
			flush()
			row = strings.Fields(line)
		}
	}
	flush()
	return p
}

func (p *dnfPlan) row(heading string, row []string) {
	if len(row) == 0 {
		return
	}
	u, ok := dnfRow(row)
	switch heading {
	case "Installing:", "Upgrading:", "Installing dependencies:", "Installing weak dependencies:", "Installing group/module packages:":
		if !ok {
			p.odd = append(p.odd, remote.Clean(strings.Join(row, " "), 200))
			return
		}
		u.Dependency = strings.Contains(heading, "dependencies")
		p.changes = append(p.changes, u)
	case "Removing:", "Removing dependent packages:", "Removing unused dependencies:":
		p.removes = append(p.removes, remote.Clean(row[0], 200))
	case "Downgrading:":
		p.downgrades = append(p.downgrades, remote.Clean(strings.Join(row[:min(3, len(row))], " "), 200))
	default:
		p.other = append(p.other, remote.Clean(heading+" "+row[0], 200))
	}
}

// dnfRow reads name, architecture, version, repository; the size is rounded, and left out.
func dnfRow(row []string) (patch.Update, bool) {
	if len(row) < 4 {
		return patch.Update{}, false
	}
	u := patch.Update{
		Name: row[0], Arch: row[1], To: noEpochZero(row[2]),
		Origin: remote.Clean(row[3], 100), Severity: patch.SeverityUnknown,
	}
	return u, wellFormed(u)
}
