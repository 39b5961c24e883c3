package local

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/store"
)

// maxPackage bounds one package's file.
const maxPackage = 4 << 30

// collects: a ring that others follow brings its files into the store, so that nothing
// can vanish between the rings.
func (p *Performer) collects(ring string) bool {
	rings := p.Plan.Rings
	return len(rings) > 1 && rings[len(rings)-1].Name != ring
}

// collect takes the package files that the host has downloaded, and is about to install,
// into the store. It changes nothing on the host. A file whose digest is not the one of the
// signed index stops the host before it is installed; one that could not be fetched is
// told, and later rings do without it.
func (w *work) collect(ctx context.Context) (rollout.StepEnded, error) {
	facts, began, err := w.recall()
	if err != nil {
		return rollout.StepEnded{}, err
	}
	driver, ok := w.p.Driver(facts.Platform)
	stager, stages := driver.(platform.Stager)
	if !ok || !stages {
		return rollout.StepEnded{}, fmt.Errorf("no driver for platform %q that stages", facts.Platform)
	}
	session, release, err := w.link.Session(ctx)
	if err != nil {
		return connectFailed(err), nil
	}
	defer release()
	session = remote.ReadOnly(session, remote.Reads)
	w.progress("looking at the downloaded packages")
	answer, err := session.Runner.Run(ctx, stager.Staged(facts, began.Work))
	if err != nil {
		return connectFailed(err), nil
	}
	files, err := stager.ReadStaged(facts, began.Work, answer)
	if err != nil {
		return connectFailed(err), nil
	}
	return w.gather(ctx, session, driver, facts, staged(facts, began.Work, files)), nil
}

// stagedFile is a file on the host and the version that it is of.
type stagedFile struct {
	path   string
	proven patch.Proven
}

// staged matches the work's updates with the files that are there.
func staged(facts fact.Facts, work patch.Work, files []fact.PackageFile) []stagedFile {
	var out []stagedFile
	for _, u := range work.Install {
		for _, f := range files {
			if f.Name != u.Name || f.Version != u.To || !plan.Alike(f.Arch, u.Arch) {
				continue
			}
			out = append(out, stagedFile{f.Path, patch.Proven{
				Domain: facts.Domain(), Name: u.Name, Arch: u.Arch, Version: u.To,
				Digest: f.Digest, Size: f.Size, Repository: u.Origin, Assurance: patch.AssuranceHost,
			}})
			break
		}
	}
	return out
}

// unvouched is a version whose file no signed index names, though keys are known: later
// rings take it from their own repositories, or not at all. A test host that was broken
// into must not bring its own files to others.
func (f stagedFile) unvouched() patch.Proven {
	p := f.proven.Bare()
	p.Repository = f.proven.Repository
	return p
}

// gather compares with the signed index, and fetches what the store does not have.
func (w *work) gather(ctx context.Context, session remote.Session, driver platform.Driver, facts fact.Facts, files []stagedFile) rollout.StepEnded {
	end := rollout.StepEnded{Outcome: rollout.OutcomeOK}
	known, notes := w.signed(ctx, session, driver, facts, files)
	end.Notes = notes
	for _, f := range files {
		index, found := known[f.proven.Bare()]
		if found && index.Digest != f.proven.Digest {
			bad := failed(fault.HostFailed, fmt.Sprintf("the file of %s %s that this host downloaded is not the one that the signed index names (%s, not %s); nothing was installed",
				f.proven.Name, f.proven.Version, f.proven.Digest.Short(), index.Digest.Short()))
			return *bad
		}
		if found {
			f.proven = index
		}
		if !found && w.p.Verifies != nil && w.p.Verifies(w.task.Host) {
			end.Collected = append(end.Collected, f.unvouched())
			continue
		}
		if why := w.fetch(ctx, session, f); why != "" {
			end.Notes = append(end.Notes, why)
		}
		end.Collected = append(end.Collected, f.proven)
	}
	return end
}

// signed are the digests that signed indexes give, by what they are of.
func (w *work) signed(ctx context.Context, session remote.Session, driver platform.Driver, facts fact.Facts, files []stagedFile) (map[patch.Proven]patch.Proven, []string) {
	if w.p.Signed == nil || len(files) == 0 {
		return nil, nil
	}
	var want []patch.Proven
	for _, f := range files {
		want = append(want, f.proven)
	}
	w.progress("reading the repositories' signed indexes")
	known, notes := w.p.Signed(ctx, session, driver, facts, want)
	by := map[patch.Proven]patch.Proven{}
	for _, k := range known {
		by[k.Bare()] = k
	}
	return by, notes
}

// fetch brings one file into the store, unless it is there; it says why not.
func (w *work) fetch(ctx context.Context, session remote.Session, f stagedFile) string {
	if w.p.Store.Has(f.proven.Digest) || session.Files == nil {
		return ""
	}
	w.progress("keeping " + f.proven.Name + " " + f.proven.Version)
	content, err := session.Files.Get(ctx, f.path, maxPackage)
	if err == nil {
		err = errors.Join(w.p.Store.Take(content, f.proven.Digest, maxPackage), content.Close())
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, store.ErrContent):
		return fmt.Sprintf("the file of %s %s changed while it was fetched; later rings take it from their repositories alone", f.proven.Name, f.proven.Version)
	}
	return fmt.Sprintf("the file of %s %s could not be kept for later rings: %s", f.proven.Name, f.proven.Version, remote.Clean(err.Error(), 200))
}

// filesKnown are the files of what the host proves: those it was patched with now or in
// an earlier try, and those that it brought along from an earlier rollout.
func (w *work) filesKnown(planned plan.Host) []patch.Proven {
	known := slices.Clone(w.p.known(w.task.Host).Collected)
	if planned.Recheck != nil {
		known = append(known, planned.Recheck.Proved...)
	}
	if set, ok := w.p.frozen(w.task.Set); ok { // a later ring proves the same files on
		known = append(known, set.Proven...)
	}
	return known
}

// doubt takes what the store has from there, where the host could not fetch its package
// lists: what they say of its repositories may be over, and it may not reach them at all.
func (w *work) doubt(install []patch.Update, f fact.Facts) {
	if !slices.ContainsFunc(f.Problems, func(p fact.Problem) bool { return p.What == "refresh" }) {
		return
	}
	for i, u := range install {
		if u.Source == patch.SourceRepository && u.Digest != "" && w.p.Store.Has(u.Digest) {
			install[i].Source = patch.SourceStore
		}
	}
}

// unstored says which file a host needs that neither its repositories nor the store have,
// and that no archive of old versions is named for; empty: it can begin.
func (w *work) unstored(work patch.Work) string {
	for _, u := range work.Install {
		if u.Source == patch.SourceStore && len(work.Snapshots) == 0 && !w.p.Store.Has(u.Digest) {
			return fmt.Sprintf("%s %s can't be had: no repository of the host has it any more, no archive is named (snapshots:), and it is not in the store", u.Key(), u.To)
		}
	}
	return ""
}
