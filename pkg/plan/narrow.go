package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// Narrow turns the plan for one host into its work: the plan's exact versions, of
// those only what the patch set proves for hosts like this one, judged against
// fresh facts. Everything else is left alone with the reason.
//
//   - set nil: the first ring, which needs no proof. An empty set proves nothing.
//   - The facts must have been asked for the plan's packages (platform.Query). A
//     package that is not among them counts as not installed.
//   - Refused is set when a version that the work would replace is no longer the one
//     that the plan saw: somebody else was here. A package that will not be touched
//     may have moved.
//   - What depends on an update that was left alone is for the preflight simulation to
//     find; it must equal the work.
//
// The caller fills in Work.ID. A host that the plan does not have is an error.
func Narrow(p *Plan, id fact.HostID, set *patch.PatchSet, f fact.Facts) (patch.Work, error) {
	h, ok := p.Host(id)
	if !ok {
		return patch.Work{}, fmt.Errorf("host %s is not in the plan", id)
	}
	work := patch.Work{
		Reboot: p.Reboot, Install: []patch.Update{}, Left: slices.Clone(h.Left), Keep: true,
		Restart: p.Restart, Repair: p.Repair, OneShot: p.OneShot, RebootWithin: h.RebootWithin, Snapshots: h.Snapshots,
	}
	if why := unfit(h, f); why != "" {
		work.Refused = why
		return work, nil
	}
	work.Image, f = h.Image, Spelled(f, h.Install)
	n := narrower{facts: f, newer: ordering(f), proves: proofOf(set, f.Domain()), bound: set != nil}
	for _, u := range h.Install {
		n.sort(u, &work)
	}
	if len(n.against) > 0 {
		work.Refused = strings.Join(n.against, "; ")
	}
	return work, nil
}

// unfit says why a host is not the one that the plan was made for.
func unfit(h Host, f fact.Facts) string {
	switch {
	case h.Problem != nil:
		return "the plan could not be made for this host: " + h.Problem.What
	case h.Platform != "" && f.Platform != h.Platform:
		return fmt.Sprintf("the plan is for platform %s, and the host runs %s", h.Platform, orUnknown(string(f.Platform)))
	case h.Domain != "" && f.Domain() != h.Domain:
		return fmt.Sprintf("the plan is for %s, and the host runs %s", h.Domain, orUnknown(f.Domain()))
	}
	if p, found := unread(f, problemPackages, problemOutput); found {
		return "the installed versions could not be read: " + p.Detail
	}
	return ""
}

// What a fact.Problem may be about that keeps a host from being judged.
const (
	problemPackages = "packages" // which versions are installed
	problemUpdates  = "updates"  // what is pending
	problemOutput   = "output"   // the answer was cut off: anything may be missing
	problemRefresh  = "refresh"  // the package lists were to be fetched, and were not
)

// unread finds a problem about any of these.
func unread(f fact.Facts, about ...string) (fact.Problem, bool) {
	at := slices.IndexFunc(f.Problems, func(p fact.Problem) bool { return slices.Contains(about, p.What) })
	if at < 0 {
		return fact.Problem{}, false
	}
	return f.Problems[at], true
}

func orUnknown(s string) string {
	if s == "" {
		return "something unknown"
	}
	return s
}

// proofOf gives the question "is this very version proven for such hosts?", and its
// file. why tells what stands against it.
func proofOf(set *patch.PatchSet, domain string) func(patch.Update) (file patch.Proven, why string) {
	if set == nil {
		return func(patch.Update) (patch.Proven, string) { return patch.Proven{}, "" }
	}
	return func(u patch.Update) (patch.Proven, string) {
		want := patch.Proven{Domain: domain, Name: u.Name, Arch: u.Arch, Version: u.To}
		at, found := slices.BinarySearchFunc(set.Proven, want, compareProven)
		switch {
		case domain == "" || !found:
			return patch.Proven{}, "no healthy host of an earlier ring has " + u.Key() + " " + u.To
		case at+1 < len(set.Proven) && set.Proven[at+1].Bare() == want:
			return patch.Proven{}, "hosts of earlier rings got different files as " + u.Key() + " " + u.To + ": nobody can tell which one was tested"
		}
		return set.Proven[at], ""
	}
}

type narrower struct {
	facts   fact.Facts
	newer   func(a, b string) (newer, known bool)
	proves  func(patch.Update) (patch.Proven, string)
	bound   bool     // to a patch set
	against []string // why the host may not be touched at all
}

// sort puts one update where it belongs: into the work, or aside with a reason. The
// order matters: what is there already needs no proof, and what is not proven is not
// touched, so that it may have moved.
func (n *narrower) sort(u patch.Update, work *patch.Work) {
	here, wrong := present(n.facts, u), broken(n.facts, u)
	file, unproven := n.proves(u)
	aside := func(why patch.Reason, detail string) {
		work.Left = append(work.Left, patch.Left{Update: u, Reason: why, Detail: detail})
	}
	switch {
	case n.reached(here, u.To):
		aside(patch.ReasonInstalled, "")
	case unproven != "":
		aside(patch.ReasonUntested, unproven)
	case slices.Contains(n.facts.Holds, u.Name) || slices.Contains(n.facts.Holds, u.Key()):
		aside(patch.ReasonHeld, "held on the host since the plan was made")
	case wrong != "":
		n.refuse(work, u, fmt.Sprintf("package %s is %s on the host: repair it first", u.Key(), wrong))
	case u.From != "" && len(here) == 0:
		aside(patch.ReasonMoved, "removed since the plan was made")
	case u.From == "" && len(here) == 0, slices.Contains(here, u.From):
		n.install(work, u, file)
	default:
		n.refuse(work, u, fmt.Sprintf("package %s was %s when the plan was made, and is %s now", u.Key(), orAbsent(u.From), strings.Join(here, ", ")))
	}
}

// install takes an update into the work, with the file that it must be and where that
// comes from: of a version that no repository of the host has any more, from elsewhere.
func (n *narrower) install(work *patch.Work, u patch.Update, file patch.Proven) {
	if u.Name == patch.ImageName && n.bound && file.Digest != u.Digest {
		n.refuse(work, u, fmt.Sprintf("the image of this version that was proven is %s, and the plan's is %s", orUnknown(file.Digest.Short()), u.Digest.Short()))
		return
	}
	if n.bound {
		u.Digest, u.File = file.Digest, file.File
		if n.facts.OffersKnown && !offered(n.facts, u, u.To) {
			u.Source = patch.SourceStore
		}
	}
	if u.Source == patch.SourceStore && u.Digest == "" {
		n.refuse(work, u, fmt.Sprintf("no repository of the host has %s %s any more, and its digest was never learned, so that it can come from nowhere else", u.Key(), u.To))
		return
	}
	work.Install = append(work.Install, u)
}

// offered: a repository of the host has this version.
func offered(f fact.Facts, u patch.Update, version string) bool {
	return slices.ContainsFunc(f.Offers, func(o fact.Offer) bool {
		return o.Name == u.Name && o.Version == version && Alike(o.Arch, u.Arch)
	})
}

// refuse keeps the update in the work, so that it is seen what was refused.
func (n *narrower) refuse(work *patch.Work, u patch.Update, why string) {
	n.against = append(n.against, why)
	work.Install = append(work.Install, u)
}

// reached: one of the versions here is the wanted one or a newer one.
func (n *narrower) reached(here []string, to string) bool {
	for _, v := range here {
		if is, known := n.newer(v, to); v == to || known && is {
			return true
		}
	}
	return false
}

func orAbsent(version string) string {
	if version == "" {
		return "not installed"
	}
	return version
}
