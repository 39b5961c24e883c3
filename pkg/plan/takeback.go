package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// TakeBack is the work that takes a host back: did is what a rollout has begun to install
// on it. The facts must have been asked for those packages, with their offers.
//
//   - What is at its former version already is left alone.
//   - What was new goes; what was replaced comes back at its former version, from the
//     repositories, or from the file that was kept on the host.
//   - A package that is neither at the version that did brought nor at its former one was
//     changed by somebody else: then the host is refused, and so it is where a former
//     version can be had nowhere.
//
// The caller fills in Work.ID.
func TakeBack(p *Plan, id fact.HostID, did []patch.Update, f fact.Facts) (patch.Work, error) {
	h, ok := p.Host(id)
	if !ok {
		return patch.Work{}, fmt.Errorf("host %s is not in the plan", id)
	}
	work := patch.Work{
		Back: true, Reboot: p.Reboot, Install: []patch.Update{}, Restart: p.Restart, Repair: true, RebootWithin: h.RebootWithin,
	}
	if p, found := unread(f, problemPackages, problemOutput); found {
		work.Refused = "it can't be told what is installed: " + p.Detail
		return work, nil
	}
	if f.Device != nil {
		return takeBackImage(work, h, did, f), nil
	}
	if !f.OffersKnown {
		work.Refused = "it can't be told where the former versions can be had" + detailOf(f, "offers")
		return work, nil
	}
	var against []string
	for _, u := range did {
		if why := takeBack(&work, u, f); why != "" {
			against = append(against, why)
		}
	}
	work.Refused = strings.Join(against, "; ")
	return work, nil
}

// takeBack puts one update into the work, or says why it can't go back.
func takeBack(work *patch.Work, u patch.Update, f fact.Facts) (why string) {
	here := versionsOf(f, u)
	switch {
	case u.From == "" && len(here) == 0:
		return ""
	case u.From == "" && slices.Contains(here, u.To):
		work.Remove = append(work.Remove, u.Key())
		return ""
	case u.From != "" && slices.Contains(here, u.From) && !slices.Contains(here, u.To):
		return ""
	case u.From != "" && slices.Contains(here, u.From):
		return fmt.Sprintf("%s %s stands beside %s: boot the former one, and remove the other, by hand", u.Key(), u.To, u.From)
	case !slices.Contains(here, u.To):
		return fmt.Sprintf("package %s was %s, became %s by this rollout, and is %s now: somebody else has changed it",
			u.Key(), orAbsent(u.From), u.To, orAbsent(strings.Join(here, ", ")))
	}
	back := patch.Update{Name: u.Name, Arch: u.Arch, From: u.To, To: u.From, Security: u.Security, Severity: u.Severity}
	if !offered(f, back, back.To) {
		at := slices.IndexFunc(f.Files, func(p fact.PackageFile) bool {
			return p.Name == u.Name && p.Version == u.From && Alike(p.Arch, u.Arch)
		})
		if at < 0 {
			return fmt.Sprintf("%s %s can be had nowhere: no repository has it, and it was not kept", u.Key(), u.From)
		}
		back.Source, back.File, back.Digest = patch.SourceHost, f.Files[at].Path, f.Files[at].Digest
		back.Arch = f.Files[at].Arch
	}
	work.Install = append(work.Install, back)
	return ""
}

// versionsOf are the versions that are there, whole or half configured: a script that has
// failed leaves those.
func versionsOf(f fact.Facts, u patch.Update) []string {
	var out []string
	for _, p := range f.Packages {
		if same(f, p, u) && p.Status != "config-files" && p.Status != "not-installed" {
			out = append(out, p.Version)
		}
	}
	return out
}

// detailOf is what a host's problem says, with a colon before it; empty: it has none of
// that name.
func detailOf(f fact.Facts, about string) string {
	if p, found := unread(f, about); found {
		return ": " + p.Detail
	}
	return ""
}
