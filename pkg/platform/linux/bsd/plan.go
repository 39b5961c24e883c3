package bsd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// plan is what pkg would do, and with it what our own lines say of files and the base.
type plan struct {
	changes    []patch.Update
	removes    []string
	downgrades []string
	holds      []string
	odd        []string // cleaned
}

var (
	// changeForm: "\tname: 1.0 -> 1.1 [FreeBSD] (why)", with one version where it is new.
	changeForm = regexp.MustCompile(`^\s+(\S+): (\S+)(?: -> (\S+))?(?: \[(\S+)\])?(?: \(.*\))?$`)
	// wholeForm: "\tname-1.0 [FreeBSD] (why)".
	wholeForm = regexp.MustCompile(`^\s+(\S+)-([^-\s:]+)(?: \[(\S+)\])?(?: \(.*\))?$`)
)

// readPlan reads what pkg install, upgrade and delete print: headings that end with the
// kind in capitals, and indented lines below them.
func readPlan(lines []string) plan {
	var p plan
	kind := ""
	for _, line := range lines {
		if own, found := strings.CutPrefix(line, "patchring-"); found {
			p.own(strings.Fields(own))
			continue
		}
		if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "  ") {
			kind = heading(line)
			continue
		}
		p.change(kind, line)
	}
	return p
}

// heading is the kind of what stands below it, or "".
func heading(line string) string {
	_, kind, found := strings.Cut(strings.TrimSpace(line), " to be ")
	if !found || !strings.HasSuffix(kind, ":") {
		return ""
	}
	return strings.TrimSuffix(kind, ":")
}

func (p *plan) change(kind, line string) {
	m := changeForm.FindStringSubmatch(line)
	if m == nil {
		if m = wholeForm.FindStringSubmatch(line); m == nil {
			m = []string{line, "", "", "", ""}
		} else {
			m = []string{m[0], m[1], m[2], "", m[3]}
		}
	}
	u := patch.Update{Name: m[1], From: m[2], To: m[3], Origin: m[4], Severity: patch.SeverityUnknown}
	if u.To == "" {
		u.From, u.To = "", m[2]
	}
	switch {
	case kind == "": // something else that pkg says
	case !linux.WellFormed(u):
		p.odd = append(p.odd, remote.Clean(line, 200))
	case kind == "UPGRADED", kind == "INSTALLED":
		p.changes = append(p.changes, u)
	case kind == "DOWNGRADED":
		p.downgrades = append(p.downgrades, u.Name+" "+u.From)
		p.changes = append(p.changes, u)
	case kind == "REMOVED", kind == "DEINSTALLED":
		p.removes = append(p.removes, u.Name)
	default: // REINSTALLED, FETCHED, and what is not known
		p.odd = append(p.odd, remote.Clean(kind+": "+strings.TrimSpace(line), 200))
	}
}

// own reads the lines of our own script: base FROM TO, file NAME NEW OLD, hold NAME-VERSION.
func (p *plan) own(f []string) {
	switch {
	case len(f) == 3 && f[0] == "base":
		p.add(patch.Update{Name: Base, From: f[1], To: f[2]})
	case len(f) == 4 && f[0] == "file":
		p.add(patch.Update{Name: f[1], To: f[2], From: f[3]})
	case len(f) == 3 && f[0] == "file":
		p.add(patch.Update{Name: f[1], To: f[2]})
	case len(f) == 2 && f[0] == "hold":
		if name, _, found := cutVersion(f[1]); found {
			p.holds = append(p.holds, name)
		}
	default:
		p.odd = append(p.odd, remote.Clean(strings.Join(f, " "), 200))
	}
}

// add takes what would change; what is there already does not.
func (p *plan) add(u patch.Update) {
	switch {
	case !linux.WellFormed(u):
		p.odd = append(p.odd, remote.Clean(u.Name+" "+u.To, 200))
	case u.From == u.To:
	default:
		if u.From != "" && order(u.From, u.To) > 0 {
			p.downgrades = append(p.downgrades, u.Name+" "+u.From)
		}
		u.Severity = patch.SeverityUnknown
		p.changes = append(p.changes, u)
	}
}

// simulated reads freebsd_simulate.
func simulated(_ fact.Facts, w patch.Work, s linux.Section) linux.Transaction {
	p := readPlan(s.Lines())
	t := linux.Transaction{Changes: p.changes, Removes: p.removes}
	held := func(c patch.Update) bool { return slices.Contains(p.holds, c.Name) }
	locked := slices.IndexFunc(w.Install, held)
	switch {
	case !s.OK():
		t.Refused = "pkg refuses: " + s.Why()
	case locked >= 0:
		t.Refused = "locked on the host with pkg lock: " + remote.Clean(w.Install[locked].Name, 200)
	case len(p.odd) > 0:
		t.Refused = "pkg would do something that was not understood: " + p.odd[0]
	case !w.Back && len(p.downgrades) > 0:
		t.Refused = "pkg would downgrade " + p.downgrades[0]
	}
	return t
}

// trouble is what the preflight finds wrong: packages that others need are missing.
func trouble(rep linux.Report) []string {
	s := rep.Get("missing")
	if !rep.Has("missing") {
		return nil
	}
	lines := remote.CleanLines(s.Out, 20, 200)
	switch {
	case s.Status < 0 || s.Status > 1:
		return []string{"pkg check: " + s.Why()}
	case len(lines) > 0:
		return []string{fmt.Sprintf("packages lack something that they need: %s; on the host, type: pkg check -d", strings.Join(lines, ", "))}
	}
	return nil
}
