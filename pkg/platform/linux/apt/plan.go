package apt

import (
	"regexp"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// aptPlan is what one run of `apt-get -s -V` would do.
type aptPlan struct {
	changes []patch.Update
	removes []string     // package names, "name" or "name:arch"
	kept    []patch.Left // with -V only: without it apt says no versions
	odd     []string     // lines that should have been understood and were not; cleaned
}

var (
	// Inst name[:arch] [from] (to origins [arch]) [what apt breaks meanwhile]
	instForm = regexp.MustCompile(`^Inst (\S+) (?:\[(\S+)\] )?\((\S+) (.*) \[(\S+)\]\)(?: \[.*\])?\s*$`)
	// Without an origin: a file given on the command line, or a repository without a Release file.
	bareForm = regexp.MustCompile(`^Inst (\S+) (?:\[(\S+)\] )?\((\S+) \[(\S+)\]\)(?: \[.*\])?\s*$`)
	remvForm = regexp.MustCompile(`^(?:Remv|Purg) (\S+)(?: .*)?$`)
	keptForm = regexp.MustCompile(`^\s+(\S+) \((\S+) => (\S+)\)\s*$`)
)

// readPlan reads the simulation of upgrade or install, English (LC_ALL=C).
func readPlan(text string) aptPlan {
	var p aptPlan
	why := patch.Reason("") // the list that indented lines belong to
	detail := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "Inst "):
			p.inst(line)
		case strings.HasPrefix(line, "Remv "), strings.HasPrefix(line, "Purg "):
			p.remv(line)
		case strings.HasPrefix(line, " "):
			p.keep(line, why, detail)
		default:
			why, detail = keptList(line)
		}
	}
	return p
}

// keptList tells whether line heads one of apt's lists of what stays.
func keptList(line string) (patch.Reason, string) {
	switch {
	case strings.HasPrefix(line, "The following packages have been kept back"):
		return patch.ReasonKeptBack, "apt keeps it back: it needs something that can't be installed, or is phased"
	case strings.HasPrefix(line, "The following upgrades have been deferred due to phasing"):
		return patch.ReasonKeptBack, "phased: this host's turn has not come"
	}
	return "", ""
}

func (p *aptPlan) inst(line string) {
	m := instForm.FindStringSubmatch(line)
	if m == nil {
		if m = bareForm.FindStringSubmatch(line); m != nil {
			m = []string{m[0], m[1], m[2], m[3], "", m[4]}
		}
	}
	if m == nil {
		p.oddity(line)
		return
	}
	name, _, _ := strings.Cut(m[1], ":")
	u := patch.Update{Name: name, Arch: m[5], From: m[2], To: m[3], Origin: remote.Clean(m[4], 200)}
	if !linux.WellFormed(u) {
		p.oddity(line)
		return
	}
	u.Security = aptSecurity(m[4])
	u.Severity = patch.SeverityUnknown
	u.Dependency = u.From == ""
	p.changes = append(p.changes, u)
}

func (p *aptPlan) remv(line string) {
	m := remvForm.FindStringSubmatch(line)
	if m == nil {
		p.oddity(line)
		return
	}
	p.removes = append(p.removes, remote.Clean(m[1], 200))
}

func (p *aptPlan) keep(line string, why patch.Reason, detail string) {
	m := keptForm.FindStringSubmatch(line)
	if why == "" || m == nil {
		return
	}
	name, arch, _ := strings.Cut(m[1], ":")
	u := patch.Update{Name: name, Arch: arch, From: m[2], To: m[3], Severity: patch.SeverityUnknown}
	if !linux.WellFormed(u) {
		p.oddity(line)
		return
	}
	p.kept = append(p.kept, patch.Left{Update: u, Reason: why, Detail: detail})
}

func (p *aptPlan) oddity(line string) { p.odd = append(p.odd, remote.Clean(line, 200)) }

// aptSecurity judges the origins as apt prints them, "LABEL:VERSION/ARCHIVE, …".
// Labels come from the signed Release files; suite names don't count, as a release
// changes its own ("stable", "oldstable"). Debian's security archive has a label of
// its own, Ubuntu's are archives of the label Ubuntu (or UbuntuESM…). An origin that
// does not keep security fixes apart tells nothing: unknown, not no.
func aptSecurity(origins string) patch.Tri {
	answer := patch.Unknown
	for origin := range strings.SplitSeq(origins, ", ") {
		label, rest, _ := strings.Cut(origin, ":")
		answer = max(answer, originSecurity(label, rest[strings.LastIndexByte(rest, '/')+1:]))
	}
	return answer
}

func originSecurity(label, archive string) patch.Tri {
	switch {
	case label == "Debian-Security":
		return patch.Yes
	case label == "Ubuntu", strings.HasPrefix(label, "UbuntuESM"):
		return patch.TriOf(strings.HasSuffix(archive, "-security"))
	case label == "Debian" && (archive == "unstable" || archive == "testing" || archive == "experimental"):
		return patch.Unknown // security fixes come this way too
	case label == "Debian", label == "Debian Backports":
		return patch.No
	}
	return patch.Unknown
}
