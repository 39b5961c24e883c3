package dnf

import (
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// dnfPlan is dnf's transaction table.
type dnfPlan struct {
	changes    []patch.Update // without From: the table does not say it
	beside     []nevra        // of these, what replaces nothing: new here, or one kernel more
	removes    []nevra
	replaced   []nevra // by a package of another name that obsoletes it
	downgrades []patch.Update
	other      []string // headings of what is neither, e.g. reinstalling, module streams, skipped packages
	odd        []string
}

// readPlan reads the table that `dnf --assumeno install` prints. Rows are
// indented by one blank; a row too long for its columns goes on in the next line,
// indented deeper. What a package replaces stands in lines of their own.
func readPlan(text string) dnfPlan {
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
			row = p.more(row, strings.Fields(line))
		default:
			flush()
			row = strings.Fields(line)
		}
	}
	flush()
	return p
}

// more goes on with a row. dnf 5 also names the older version of the same package.
func (p *dnfPlan) more(row, f []string) []string {
	if f[0] != "replacing" {
		return append(row, f...)
	}
	if n := replacing(f); len(row) == 0 || row[0] != n.name {
		p.replaced = append(p.replaced, n)
	}
	return row
}

// replacing reads "replacing name.arch version" of dnf 4, or "replacing name arch version …".
func replacing(f []string) nevra {
	var n nevra
	switch dot := strings.LastIndexByte(f[min(1, len(f)-1)], '.'); {
	case len(f) == 3 && dot > 0:
		n = nevra{f[1][:dot], linux.NoEpochZero(f[2]), f[1][dot+1:]}
	case len(f) > 3:
		n = nevra{f[1], linux.NoEpochZero(f[3]), f[2]}
	default:
		n.name = strings.Join(f[1:], " ")
	}
	n.name = remote.Clean(n.name, 200)
	return n
}

func (p *dnfPlan) row(heading string, row []string) {
	if len(row) == 0 {
		return
	}
	u, ok := dnfRow(row)
	switch heading {
	case "Installing:", "Upgrading:", "Installing dependencies:", "Installing weak dependencies:", "Installing group/module packages:",
		"Updating:", "Installing for dependencies:", "Updating for dependencies:": // yum
		if !ok {
			p.odd = append(p.odd, remote.Clean(strings.Join(row, " "), 200))
			return
		}
		u.Dependency = strings.Contains(heading, "dependencies")
		p.changes = append(p.changes, u)
		if !strings.HasPrefix(heading, "Up") {
			p.beside = append(p.beside, nevra{u.Name, u.To, u.Arch})
		}
	case "Removing:", "Removing dependent packages:", "Removing unused dependencies:", "Removing for dependencies:":
		p.removes = append(p.removes, removed(row, u, ok))
	case "Downgrading:", "Downgrading dependencies:":
		p.downgrades = append(p.downgrades, u)
		if !ok {
			p.odd = append(p.odd, remote.Clean(strings.Join(row, " "), 200))
		}
	default:
		p.other = append(p.other, remote.Clean(heading+" "+row[0], 200))
	}
}

// shownDowngrades are the packages that would go down, in words.
func (p *dnfPlan) shownDowngrades() []string {
	shown := make([]string, 0, len(p.downgrades))
	for _, u := range p.downgrades {
		shown = append(shown, remote.Clean(u.Name+" "+u.Arch+" "+u.To, 200))
	}
	return shown
}

// removed: of a row that is not understood, only a name to show is left.
func removed(row []string, u patch.Update, ok bool) nevra {
	if !ok {
		return nevra{name: remote.Clean(row[0], 200)}
	}
	return nevra{u.Name, u.To, u.Arch}
}

// dnfRow reads name, architecture, version, repository; the size is rounded, and left out.
func dnfRow(row []string) (patch.Update, bool) {
	if len(row) < 4 {
		return patch.Update{}, false
	}
	u := patch.Update{
		Name: row[0], Arch: row[1], To: linux.NoEpochZero(row[2]),
		Origin: remote.Clean(row[3], 100), Severity: patch.SeverityUnknown,
	}
	return u, linux.WellFormed(u)
}
