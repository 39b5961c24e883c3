package pacman

import (
	"path"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// plan is what pacman_simulate printed.
type plan struct {
	changes   []patch.Update
	removes   []string
	holds     []string // patterns of names
	installed map[string]string
	odd       []string // cleaned
}

func readPlan(lines []string) *plan {
	p := &plan{installed: map[string]string{}}
	for _, line := range lines {
		verb, rest, _ := strings.Cut(line, " ")
		f := strings.Fields(rest)
		switch {
		case verb == "change":
			p.change(line, rest)
		case verb == "remove" && len(f) == 2 && linux.IsName(f[0]):
			p.removes = append(p.removes, f[0])
		case verb == "hold":
			p.holds = append(p.holds, strings.TrimSpace(rest))
		case verb == "is" && len(f) == 2 && linux.IsName(f[0]) && linux.IsVersion(f[1]):
			p.installed[f[0]] = f[1]
		case verb == "remove", verb == "is":
			p.odd = append(p.odd, remote.Clean(line, 200))
		}
	}
	for i, c := range p.changes {
		p.changes[i].From = p.installed[c.Name]
		p.changes[i].Dependency = p.changes[i].From == ""
	}
	return p
}

func (p *plan) change(line, rest string) {
	t, ok := readTarget(rest)
	if !ok {
		p.odd = append(p.odd, remote.Clean(line, 200))
		return
	}
	u := patch.Update{Name: t.name, To: t.version, Severity: patch.SeverityUnknown}
	p.changes = append(p.changes, t.update(u))
}

// held is the first change that the admin has told pacman to leave alone. Told a name, it
// would not care.
func (p *plan) held() string {
	for _, c := range p.changes {
		for _, pattern := range p.holds {
			if match, err := path.Match(pattern, c.Name); match || err != nil && pattern == c.Name {
				return c.Name
			}
		}
	}
	return ""
}

// newer is the first package of which something newer is installed than would come.
func (p *plan) newer() string {
	for _, c := range p.changes {
		if c.From != "" && version.Pacman(c.From, c.To) > 0 {
			return c.Name + " " + c.From
		}
	}
	return ""
}

// simulated reads pacman_simulate. pacman prints a version that it would take back like any
// other, and looks at conflicts only when it begins.
func simulated(_ fact.Facts, w patch.Work, s linux.Section) linux.Transaction {
	p := readPlan(s.Lines())
	t := linux.Transaction{Changes: p.changes, Removes: p.removes}
	switch {
	case s.Status < 0:
		t.Refused = "pacman: " + s.Why()
	case !s.OK():
		t.Refused = "pacman refuses: " + errorsOf(s)
	case len(p.odd) > 0:
		t.Refused = "pacman said something that was not understood: " + p.odd[0]
	case p.held() != "":
		t.Refused = "held on the host (IgnorePkg or IgnoreGroup in /etc/pacman.conf): " + p.held()
	case !w.Back && p.newer() != "":
		t.Refused = "pacman would take something newer back: " + remote.Clean(p.newer(), 200)
	}
	return t
}
