package apt

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

// explain says what apt-get dist-upgrade would do about what is kept back.
func explain(kept []patch.Left, full linux.Section) []patch.Left {
	if !full.OK() {
		return kept
	}
	plan := readPlan(full.Out)
	coming := map[string]bool{}
	for _, u := range plan.changes {
		coming[u.Name+" "+u.To] = true
	}
	for i, k := range kept {
		switch {
		case k.Reason == patch.ReasonHeld:
		case !coming[k.Update.Name+" "+k.Update.To]:
			kept[i].Detail = "apt keeps it back: something that it needs can't be installed"
		case len(plan.removes) > 0:
			kept[i].Detail = "apt keeps it back: for all that is pending, dist-upgrade would remove " + shorten(plan.removes, 5)
		default:
			kept[i].Detail = "apt keeps it back: only dist-upgrade would install it"
		}
	}
	return kept
}

func shorten(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// pinned finds what somebody keeps back by a pin on a package's name: apt does not count
// that as an update at all. A pin on a whole repository is not told apart from its defaults.
func pinned(names []string, tables map[string]policy) []patch.Left {
	var kept []patch.Left
	for _, name := range names {
		name, _, _ = strings.Cut(name, ":")
		p, known := tables[name]
		if !known || !linux.IsName(name) || p.installed == "" || p.candidate == "" {
			continue
		}
		best := p.newest()
		if version.Dpkg(best.version, p.installed) <= 0 || version.Dpkg(best.version, p.candidate) <= 0 {
			continue
		}
		kept = append(kept, patch.Left{
			Update: patch.Update{Name: name, From: p.installed, To: best.version, Severity: patch.SeverityUnknown},
			Reason: patch.ReasonHeld, Detail: p.why(best),
		})
	}
	return kept
}

// why names the pin that decides: that of the version that apt would take.
func (p *policy) why(best aptVersion) string {
	for _, v := range p.versions {
		if v.version == p.candidate {
			return fmt.Sprintf("pinned in /etc/apt/preferences: %s has priority %d, %s has %d", v.version, v.priority, best.version, best.priority)
		}
	}
	return "pinned in /etc/apt/preferences"
}
