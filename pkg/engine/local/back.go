package local

import (
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// decideBack is decide for a host that is taken back: its work is what this rollout has
// begun to install on it, the other way round. One that is back already is verified and
// checked all the same.
func (w *work) decideBack(planned plan.Host, driver platform.Driver, facts fact.Facts) (*rollout.Began, string, error) {
	digest, err := w.p.keep(facts)
	if err != nil {
		return nil, "", err
	}
	work, err := plan.TakeBack(w.p.Plan, w.task.Host, w.p.known(w.task.Host).Did, facts)
	if err != nil {
		return nil, "", fmt.Errorf("take the host back: %w", err)
	}
	work.ID = workID(w.task.Rollout, w.task.Host) + tryOf(w.task)
	began := &rollout.Began{Facts: digest, Work: work, Return: planned.Return}
	if work.Refused != "" {
		return began, work.Refused, nil
	}
	if len(work.Install)+len(work.Remove) == 0 {
		began.Steps, began.Changing = rollout.Flow(nil, w.extras())
		return began, "", nil
	}
	steps, err := driver.Steps(facts, work)
	if err != nil {
		return began, err.Error(), nil //nolint:nilerr // a driver's refusal is the host's outcome, not our error
	}
	began.Steps, began.Changing = rollout.Flow(steps, w.extras())
	began.Confirming = rollout.Confirming(steps)
	return began, "", nil
}

// notBack tells what of a host that was taken back is not what it was: all that this
// rollout has done to it counts, not only what this try had left to do.
func notBack(work patch.Work, did []patch.Update, f fact.Facts) []string {
	if !work.Back {
		return nil
	}
	var wrong []string
	for _, u := range did {
		here := present(f, u)
		switch {
		case u.Name == patch.ImageName && u.From == u.To:
			wrong = append(wrong, "it is not known what it ran before this rollout")
		case u.From == "" && len(here) > 0:
			wrong = append(wrong, fmt.Sprintf("%s came new by this rollout, and %s is still there", u.Key(), here[0].Version))
		case u.From != "" && u.From != u.To && slices.ContainsFunc(here, func(p fact.Package) bool { return p.Version == u.To }):
			wrong = append(wrong, fmt.Sprintf("%s %s is still there, beside what was there before", u.Key(), u.To))
		case u.From != "" && !slices.ContainsFunc(here, func(p fact.Package) bool { return p.Version == u.From && p.Status == "installed" }):
			wrong = append(wrong, fmt.Sprintf("%s is not back at %s", u.Key(), u.From))
		}
	}
	return wrong
}

// present are the versions of a package that are there, whole or half way. A package may
// have been of another architecture before: of "all", or of the machine's.
func present(f fact.Facts, u patch.Update) []fact.Package {
	return slices.DeleteFunc(slices.Clone(f.Packages), func(p fact.Package) bool {
		return p.Name != u.Name || p.Arch != "" && u.Arch != "" && !plan.Alike(p.Arch, u.Arch) ||
			p.Status == "config-files" || p.Status == "not-installed"
	})
}
