package apk

import (
	"regexp"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// plan is what `apk add --simulate` would do, and apk's world before it.
type plan struct {
	changes    []patch.Update
	removes    []string
	downgrades []string
	pins       map[string]string
	odd        []string // cleaned
}

// changeForm: (1/2) Upgrading name (1.0-r0 -> 1.1-r0), with one version where there is one.
var changeForm = regexp.MustCompile(`^\([0-9]+/[0-9]+\) (.+) (\S+) \((\S+)(?: -> (\S+))?\)$`)

func readPlan(lines []string) *plan {
	p := &plan{}
	var world []string
	for _, line := range lines {
		if entries, found := strings.CutPrefix(line, "world "); found {
			world = append(world, strings.Fields(entries)...)
		} else if strings.HasPrefix(line, "(") {
			p.change(line)
		}
	}
	p.pins = pinned(world)
	return p
}

func (p *plan) change(line string) {
	m := changeForm.FindStringSubmatch(line)
	if m == nil {
		p.odd = append(p.odd, remote.Clean(line, 200))
		return
	}
	u := patch.Update{Name: m[2], From: m[3], To: m[4], Severity: patch.SeverityUnknown}
	if u.To == "" {
		u.From, u.To = "", m[3]
	}
	if !linux.WellFormed(u) {
		p.odd = append(p.odd, remote.Clean(line, 200))
		return
	}
	switch m[1] {
	case "Purging":
		p.removes = append(p.removes, u.Name)
	case "Downgrading":
		p.downgrades = append(p.downgrades, u.Name+" "+u.From)
		p.changes = append(p.changes, u)
	case "Installing":
		u.Dependency = true
		p.changes = append(p.changes, u)
	case "Upgrading", "Replacing":
		p.changes = append(p.changes, u)
	default: // Reinstalling, Updating pinning, and what is not known
		p.odd = append(p.odd, remote.Clean(line, 200))
	}
}

// held is the first change of a package that the admin has pinned: apk would put our word
// in the pin's place.
func (p *plan) held() string {
	for _, c := range p.changes {
		if pin := p.pins[c.Name]; pin != "" {
			return remote.Clean(pin, 200)
		}
	}
	return ""
}

// simulated reads apk_simulate.
func simulated(_ fact.Facts, w patch.Work, s linux.Section) linux.Transaction {
	p := readPlan(s.Lines())
	t := linux.Transaction{Changes: p.changes, Removes: p.removes}
	switch {
	case s.Status < 0:
		t.Refused = "apk: " + s.Why()
	case !s.OK():
		t.Refused = "apk refuses: " + refusal(s)
	case len(p.odd) > 0:
		t.Refused = "apk would do something that was not understood: " + p.odd[0]
	case p.held() != "":
		t.Refused = "pinned on the host in /etc/apk/world: " + p.held()
	case !w.Back && len(p.downgrades) > 0:
		t.Refused = "apk would downgrade " + p.downgrades[0]
	}
	return t
}

// refusal gathers apk's errors, and what they are about: indented lines after them.
func refusal(s linux.Section) string {
	var said []string
	for line := range strings.SplitSeq(s.Err+"\n"+s.Out, "\n") {
		text, isError := strings.CutPrefix(line, "ERROR: ")
		if isError || strings.HasPrefix(line, "  ") {
			if text = strings.TrimSpace(remote.Clean(text, 200)); text != "" {
				said = append(said, text)
			}
		}
	}
	if len(said) == 0 {
		return s.Why()
	}
	return strings.Join(said[:min(len(said), 6)], " | ")
}
