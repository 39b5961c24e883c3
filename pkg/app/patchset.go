package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/statedir"
	"github.com/patchring/patchring/pkg/store"
)

// setsFolder is where imported patch sets lie in the state folder. Being there keeps their
// packages in the store: a digest in any file is a reference to it.
const setsFolder = "patchsets"

// PatchSetOptions are those of `patchset`.
type PatchSetOptions struct {
	Options
	Target   string // a rollout, an exported file, or the digest of an imported set
	Ring     string // of a rollout; "": see Env.frozenOf
	Other    string // of diff
	File     string // of export and import
	Packages string // folder of package files to write or read besides
	Brief    bool   // counts alone
}

// ShowPatchSet shows exactly what a ring may install.
func (e Env) ShowPatchSet(ctx context.Context, o PatchSetOptions) (Ending, error) {
	set, err := e.patchSet(ctx, o.Options, o.Target, o.Ring)
	if err != nil {
		return Ending{}, err
	}
	store, closed, err := o.openStore()
	if err != nil {
		return Ending{}, err
	}
	defer closed()
	if store != nil {
		set.Stored = store.Has
	}
	return Ending{}, e.printBrief(o.Options, report.NewPatchSet(set), o.Brief)
}

// DiffPatchSets compares two.
func (e Env) DiffPatchSets(ctx context.Context, o PatchSetOptions) (Ending, error) {
	a, err := e.patchSet(ctx, o.Options, o.Target, "")
	if err != nil {
		return Ending{}, err
	}
	b, err := e.patchSet(ctx, o.Options, o.Other, "")
	if err != nil {
		return Ending{}, err
	}
	return Ending{}, e.print(o.Options, report.NewSetDiff(a.Set, b.Set))
}

// ExportPatchSet writes a set into a file, and its packages into a folder where one is named.
func (e Env) ExportPatchSet(ctx context.Context, o PatchSetOptions) (Ending, error) {
	set, err := e.patchSet(ctx, o.Options, o.Target, o.Ring)
	if err != nil {
		return Ending{}, err
	}
	if set.Open && o.Ring != "" {
		e.say("note: the gate of ring %s has not opened: it may still become another set", o.Ring)
	}
	raw, err := plan.EncodeSet(set.SetFile)
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // says what failed
	}
	if err := os.WriteFile(o.File, raw, 0o600); err != nil {
		return Ending{}, fault.Usagef("name a file that can be written", "write the patch set: %v", err)
	}
	e.say("patch set %s with %d versions written to %s", plan.SetDigest(set.Set).Short(), len(set.Set.Proven), o.File)
	if o.Packages == "" {
		return Ending{}, nil
	}
	return Ending{}, e.exportPackages(o, set.Set)
}

// ImportPatchSet takes a set that was proven elsewhere into the state folder, so that it
// can be shown, compared and given to `run --patch-set`; with its packages, so that hosts
// get them though no repository of theirs has them any more.
func (e Env) ImportPatchSet(_ context.Context, o PatchSetOptions) (Ending, error) {
	file, err := readSet(o.File)
	if err != nil {
		return Ending{}, err
	}
	dir, err := o.stateDir()
	if err != nil {
		return Ending{}, err
	}
	defer func() { _ = dir.Close() }()
	raw, err := plan.EncodeSet(file)
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // says what failed
	}
	if err := keepSet(dir, file.Digest, raw); err != nil {
		return Ending{}, err
	}
	e.say("patch set %s with %d versions is in the state folder; use it with: patchring run PLAYBOOK --patch-set %s", file.Digest.Short(), len(file.Set.Proven), file.Digest.Short())
	if o.Packages == "" {
		return Ending{}, nil
	}
	return Ending{}, e.importPackages(o, file.Set)
}

func keepSet(dir *statedir.Dir, digest patch.Digest, raw []byte) error {
	folder := filepath.Join(dir.Path(), setsFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("keep the patch set: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, hexOf(digest)+".json"), raw, 0o600); err != nil {
		return fmt.Errorf("keep the patch set: %w", err)
	}
	return nil
}

func hexOf(d patch.Digest) string { return strings.TrimPrefix(string(d), "sha256:") }

func readSet(path string) (plan.SetFile, error) {
	raw, err := readConfig(path, "write one with: patchring patchset export ROLLOUT FILE")
	if err != nil {
		return plan.SetFile{}, err
	}
	return plan.DecodeSet(raw) //nolint:wrapcheck // carries a hint
}

// patchSet finds what a person has named: a file, an imported set by its digest, else a
// rollout, perhaps with "ROLLOUT/RING".
func (e Env) patchSet(ctx context.Context, o Options, target, ring string) (report.Frozen, error) {
	if path := o.setPath(target); path != "" {
		if ring != "" {
			return report.Frozen{}, fault.Usagef("drop --ring", "%s is one patch set, not a rollout", target)
		}
		file, err := readSet(path)
		return report.Frozen{SetFile: file}, err
	}
	id, named, found := strings.Cut(target, "/")
	if found && ring == "" {
		ring = named
	}
	r, err := o.openRollout(ctx, id)
	if err != nil {
		return report.Frozen{}, err
	}
	defer r.Close()
	return r.frozen(ctx, ring)
}

// setPath is the file of a patch set: one that is there, or that of an imported set by its
// digest or at least eight digits of it; "": neither.
func (o Options) setPath(target string) string {
	if info, err := os.Stat(target); err == nil && info.Mode().IsRegular() || strings.HasSuffix(target, ".json") {
		return target
	}
	hexes := hexOf(patch.Digest(target))
	if len(hexes) < 8 || strings.Trim(hexes, "0123456789abcdef") != "" {
		return ""
	}
	found, err := filepath.Glob(filepath.Join(o.statePath(), setsFolder, hexes+"*.json"))
	if err != nil || len(found) != 1 {
		return ""
	}
	return found[0]
}

// boundTo is the patch set from elsewhere that a new rollout is bound to; nil: none.
func (o PlanOptions) boundTo() (*patch.PatchSet, error) {
	if o.PatchSet == "" {
		return nil, nil //nolint:nilnil // nil: what the test ring proves is all that counts
	}
	path := o.setPath(o.PatchSet)
	if path == "" {
		return nil, fault.Usagef("take it in with: patchring patchset import FILE", "%q is no file and no patch set of this state folder", o.PatchSet)
	}
	file, err := readSet(path)
	return &file.Set, err
}

// frozen is the set that a ring is bound to, or would be now. Without a ring it is the
// last one that a gate has frozen, else that of the first ring that would be bound to one;
// a rollout of one ring binds nobody, and gives what it has proven.
func (r *openRollout) frozen(ctx context.Context, ring string) (report.Frozen, error) {
	status := r.state.Status(r.Created)
	if ring == "" {
		ring = lastFrozen(status)
	}
	out := report.Frozen{SetFile: plan.SetFile{Rollout: r.ID, Playbook: r.Playbook, Site: r.Site, Ring: ring}}
	if ring == "" {
		out.Set = r.state.Proven()
		return out, nil
	}
	set, err := r.state.Would(ring)
	if err != nil {
		return out, fault.Usagef("see: patchring status "+r.ID, "%v", err)
	}
	out.Set, out.Open = set, true
	events, err := r.events(ctx)
	if err != nil {
		return out, err
	}
	for _, event := range events {
		if gate, ok := event.Entry.(rollout.GateOpened); ok && gate.Ring == ring {
			out.Frozen, out.Open = event.Time.UTC(), false
		}
	}
	return out, nil
}

func lastFrozen(status rollout.Status) string {
	for _, ring := range slices.Backward(status.Rings) {
		if ring.Set != "" {
			return ring.Name
		}
	}
	if len(status.Rings) > 1 {
		return status.Rings[1].Name
	}
	return ""
}

// openStore opens the store of the state folder; nil where there is no state folder.
func (o Options) openStore() (*store.Store, func(), error) {
	if _, err := os.Stat(o.statePath()); errors.Is(err, os.ErrNotExist) {
		return nil, func() {}, nil
	}
	return o.makeStore()
}

// makeStore opens the store of the state folder, made where there is none.
func (o Options) makeStore() (*store.Store, func(), error) {
	dir, err := o.stateDir()
	if err != nil {
		return nil, nil, err
	}
	root, err := dir.Store()
	if err != nil {
		return nil, nil, errors.Join(err, dir.Close())
	}
	return store.Open(root), func() { _, _ = root.Close(), dir.Close() }, nil
}
