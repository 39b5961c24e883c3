package plan

import (
	"slices"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// Bind lets the hosts of a draft get only what a patch set from elsewhere proves for hosts
// like them, the first ring too. An update that it proves in a version before the pending
// one gets that; what it does not prove is left alone as untested; a dependency that it
// does not prove is the host's problem. Called before the hosts' package managers are
// asked, and again after: they bring dependencies.
func (d *Draft) Bind(set patch.PatchSet) {
	for _, r := range d.rings {
		for _, id := range r.hosts {
			if h := d.hosts[id]; h.Problem == nil {
				d.bind(h, set)
			}
		}
	}
	note := "bound to patch set " + SetDigest(set).Short() + ": what it does not prove is left alone"
	if !slices.Contains(d.notes, note) {
		d.notes = append(d.notes, note)
	}
}

func (d *Draft) bind(h *Host, set patch.PatchSet) {
	f := d.in.Facts[h.ID].Facts
	proves, newer := proofOf(&set, h.Domain), ordering(f)
	var install []patch.Update
	for _, u := range h.Install {
		proven, why := proves(u)
		if why != "" && !u.Dependency {
			if older := provenBefore(set, h.Domain, u, newer); older != "" {
				u = atVersion(u, older)
				proven, why = proves(patch.Update{Name: u.Name, Arch: u.Arch, To: older})
			}
		}
		switch {
		case why == "":
			u.Digest, u.File = proven.Digest, proven.File
			install = append(install, u)
		case u.Dependency:
			h.Problem = &Problem{Code: string(fault.HostFailed), What: "its updates need " + u.Key() + " " + u.To + ", which the patch set does not prove", Hint: "prove it where the patch set comes from, or exclude what needs it"}
			return
		default:
			h.Left = append(h.Left, patch.Left{Update: u, Reason: patch.ReasonUntested, Detail: "the patch set does not prove this version for " + orUnknown(h.Domain)})
		}
	}
	h.Install = install
}

// provenBefore is the newest version that the set proves, newer than what is installed and
// older than what is pending; empty: there is none.
func provenBefore(set patch.PatchSet, domain string, u patch.Update, newer func(a, b string) (bool, bool)) string {
	after := func(a, b string) bool { is, known := newer(a, b); return is && known }
	best := ""
	for _, p := range set.Proven {
		if p.Domain != domain || p.Name != u.Name || p.Arch != u.Arch || !after(u.To, p.Version) {
			continue
		}
		if (u.From == "" || after(p.Version, u.From)) && (best == "" || after(p.Version, best)) {
			best = p.Version
		}
	}
	return best
}

// atVersion is the update to another version, of which only the name is known: whether it
// is a security fix counts as not told.
func atVersion(u patch.Update, to string) patch.Update {
	u.To, u.Size, u.CVEs, u.Security, u.Severity = to, 0, "", patch.Unknown, patch.SeverityUnknown
	return u
}
