package plan

import (
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
)

// rule is one entry of the playbook's patches, with the hosts that it is for.
type rule struct {
	playbook.Packages
	image *playbook.Image // not nil: it is about that, and not about packages
	hosts map[fact.HostID]bool
}

func rulesFor(rules []rule, id fact.HostID) []rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r rule) bool { return !r.hosts[id] || r.image != nil })
}

// picker sorts the pending updates of one host into those to install and those to
// leave, with the reason. An update is in when any rule for the host takes it; an
// exclude of any of them keeps it out.
type picker struct {
	rules    []rule
	globs    []string
	cves     map[string]bool // nil: whatever it fixes
	holds    []string
	manager  string
	now      time.Time
	severity []string // updates whose severity is not known
	security []string // updates of which nobody knows whether they are security fixes
	nameless int      // updates of which nobody knows the CVEs
	named    bool     // of any update on this host they are known
}

func (p *picker) pick(f fact.Facts) (install []patch.Update, left []patch.Left) {
	left = slices.Clone(f.KeptBack)
	for _, u := range f.Updates {
		switch l, in := p.judge(u); {
		case in && l.Reason == "":
			install = append(install, u)
		case l.Reason != "":
			left = append(left, l)
		}
	}
	return install, left
}

// judge: in with a reason means that the rules take it, but something else keeps it
// out; out without a reason means that the playbook does not ask for it.
func (p *picker) judge(u patch.Update) (left patch.Left, in bool) {
	aside := func(why patch.Reason, detail string) patch.Left {
		return patch.Left{Update: u, Reason: why, Detail: detail}
	}
	asked, taken := p.takes(u)
	switch {
	case !asked && u.Security == patch.Yes && len(p.rules) > 0:
		return aside(patch.ReasonExcluded, "the playbook asks for other kinds of updates only"), false
	case !asked:
		return patch.Left{}, false
	case !taken:
		return aside(patch.ReasonExcluded, fmt.Sprintf("severity %s is below min_severity", u.Severity)), true
	}
	if e, out := p.excluded(u); out {
		return aside(patch.ReasonExcluded, e), true
	}
	if slices.Contains(p.holds, u.Name) || slices.Contains(p.holds, u.Key()) {
		return aside(patch.ReasonHeld, "held on the host"), true
	}
	if why := p.narrowed(u); why != "" {
		return aside(patch.ReasonNarrowed, why), true
	}
	p.remember(u)
	return patch.Left{}, true
}

// narrowed says why an update is not among those that were asked for today.
func (p *picker) narrowed(u patch.Update) string {
	if len(p.globs) > 0 && !slices.ContainsFunc(p.globs, func(g string) bool { return matches(g, u.Name) }) {
		return "not among the packages asked for"
	}
	if p.cves == nil {
		return ""
	}
	return p.otherCVEs(u)
}

// takes: asked by the kind of a rule; taken when its severity is high enough as well.
func (p *picker) takes(u patch.Update) (asked, taken bool) {
	for _, r := range p.rules {
		if ofKind(r.Kind, u) {
			asked = true
			taken = taken || severeEnough(r.MinSeverity, u)
		}
	}
	return asked, taken
}

// ofKind: an update of which nobody knows whether it is a security fix counts as
// one, and as not one: it is never left out for lack of data.
func ofKind(k playbook.Kind, u patch.Update) bool {
	switch k {
	case playbook.KindSecurity:
		return u.Security != patch.No
	case playbook.KindBugfix:
		return u.Security != patch.Yes
	case playbook.KindAll:
	}
	return true
}

// severeEnough: a minimum is for security fixes; an unknown severity counts as in.
func severeEnough(least patch.Severity, u patch.Update) bool {
	order := patch.Severities()
	have := slices.Index(order, u.Severity)
	return least == "" || u.Security == patch.No || have < 0 || have >= slices.Index(order, least)
}

// excluded finds an exclude that holds today, and says whose it is.
func (p *picker) excluded(u patch.Update) (string, bool) {
	for _, r := range p.rules {
		for _, e := range r.Exclude {
			if matches(e.Package, u.Name) && e.Holds(p.now) {
				return describe(e), true
			}
		}
	}
	return "", false
}

func describe(e playbook.Exclude) string {
	text := e.Reason
	if e.Owner != "" {
		text += ", owner " + e.Owner
	}
	if !e.Until.IsZero() {
		text += ", until " + e.Until.UTC().Format(time.DateOnly)
	}
	return text
}

// matches is a shell glob; a malformed one matches only itself.
func matches(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return ok || err != nil && glob == name
}

// remember what was taken in for lack of data, so that the plan can say it.
func (p *picker) remember(u patch.Update) {
	if u.Security == patch.Unknown && slices.ContainsFunc(p.rules, func(r rule) bool { return r.Kind == playbook.KindSecurity }) {
		p.security = append(p.security, u.Key())
	}
	unknown := !slices.Contains(patch.Severities(), u.Severity)
	if unknown && u.Security != patch.No && slices.ContainsFunc(p.rules, func(r rule) bool { return r.MinSeverity != "" }) {
		p.severity = append(p.severity, u.Key())
	}
}

func (p *picker) notes(id fact.HostID) []string {
	var out []string
	if len(p.rules) == 0 {
		out = append(out, fmt.Sprintf("%s: no patches entry of the playbook is for this host", id))
	}
	if n := len(p.severity); n > 0 {
		out = append(out, fmt.Sprintf("%s: %d updates of unknown severity count as in, e.g. %s", id, n, p.severity[0]))
	}
	if n := len(p.security); n > 0 {
		out = append(out, fmt.Sprintf("%s: of %d updates it is not known whether they are security fixes; they count as such, e.g. %s", id, n, p.security[0]))
	}
	if p.nameless > 0 {
		out = append(out, fmt.Sprintf("%s: %s", id, p.untold()))
	}
	return out
}
