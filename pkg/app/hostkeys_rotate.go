package app

import (
	"context"
	"strings"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/report"
)

// rotated is one host with what it says of its own keys.
type rotated struct {
	host     inventory.Host
	rotation connect.Rotation
	done     connect.Rotated
	err      error
}

// RotateHostKeys logs in to hosts by a key that is known, has them prove their new keys,
// and records those after a yes.
func (e Env) RotateHostKeys(ctx context.Context, o HostKeysOptions) (Ending, error) {
	var end Ending
	err := withKeys(ctx, e, o, askKeys, func(f *fleet, all []rotated) error {
		var err error
		end, err = e.rotate(ctx, o, f, all)
		return err
	})
	return end, err
}

func askKeys(ctx context.Context, f *fleet, h inventory.Host) (rotated, error) {
	lease, err := f.ssh.Lease(ctx, h, f.inv.Sites[h.ID.Site])
	if err != nil {
		return rotated{host: h, err: err}, err //nolint:wrapcheck // names host and step
	}
	defer lease.Release()
	rotation, err := lease.Rotation(ctx)
	return rotated{host: h, rotation: rotation, err: err}, err //nolint:wrapcheck // names host and step
}

func (e Env) rotate(ctx context.Context, o HostKeysOptions, f *fleet, all []rotated) (Ending, error) {
	doc := rotationOf(all)
	if doc.Recordable() == 0 {
		return Ending{Ending: doc.Exit}, e.print(o.Options, doc)
	}
	shown := !o.Yes && e.Terminal && !o.JSON
	if shown {
		if err := e.print(o.Options, doc); err != nil {
			return Ending{}, err
		}
	}
	yes, err := e.sure(ctx, o.Options, "Record the proven keys, and forget those that are gone?")
	if err != nil {
		return Ending{}, err
	}
	if !yes {
		end, err := e.notRecorded(o, doc, shown)
		end.Next = o.command("rotate", "--yes")
		return end, err
	}
	for i, r := range all {
		if r.err == nil {
			all[i].done, all[i].err = f.ssh.Rotate(r.host, r.rotation)
		}
	}
	doc = rotationOf(all)
	return Ending{Ending: doc.Exit}, e.print(o.Options, doc)
}

func rotationOf(all []rotated) report.HostKeys {
	var looked []report.LookedKeys
	for _, r := range all {
		looked = append(looked, r.looked())
	}
	return report.NewHostKeys("rotate", looked)
}

func (r rotated) looked() report.LookedKeys {
	t := r.rotation
	out := report.LookedKeys{Host: r.host.ID, Name: t.Name, File: t.File, State: "ok", Skipped: t.Skipped, Backup: r.done.Backup, Err: r.err}
	if r.err != nil {
		return out
	}
	for _, k := range t.Kept {
		out.Keys = append(out.Keys, report.LookedKey{Type: k.Type, Fingerprint: k.Fingerprint, State: "ok", Where: k.Where})
	}
	for _, k := range t.Added {
		state, where := stateOf(k.Fingerprint, proven(t), "", r.done.Added, "recorded")
		out.Keys = append(out.Keys, report.LookedKey{Type: k.Type, Fingerprint: k.Fingerprint, State: state, Where: where})
	}
	for _, k := range t.Gone {
		state, where := stateOf(k.Fingerprint, "gone", k.Where, r.done.Removed, "removed")
		out.Keys = append(out.Keys, report.LookedKey{Type: k.Type, Fingerprint: k.Fingerprint, State: state, Where: where})
	}
	out.Why, out.Hint = r.advice()
	if len(r.done.Added)+len(r.done.Removed) > 0 {
		out.State = "recorded"
	}
	return out
}

// proven is the state of a new key: where the inventory pins keys, none is recorded.
func proven(t connect.Rotation) string {
	if len(t.Pins) > 0 {
		return "unpinned"
	}
	return "proven"
}

// stateOf is a key's state, or another one where it is among those that were dealt with.
func stateOf(fingerprint, state, where string, done []connect.KnownKey, then string) (string, string) {
	for _, k := range done {
		if k.Fingerprint == fingerprint {
			return then, k.Where
		}
	}
	return state, where
}

// advice is what a person should know or do beyond a yes.
func (r rotated) advice() (why, hint string) {
	t := r.rotation
	switch {
	case t.Certified:
		return "a certificate vouches for it, so none of its keys is recorded", ""
	case !t.Announced:
		return "this server does not tell its keys; OpenSSH does, unless it is older than 6.8", "see: patchring hostkeys check " + r.host.ID.String()
	case len(t.Pins) > 0 && len(t.Added) > 0:
		var prints []string
		for _, k := range t.Added {
			prints = append(prints, k.Fingerprint)
		}
		return "its keys are pinned in the inventory, which patchring does not write", "add to its host_keys: " + strings.Join(prints, ", ")
	case len(r.done.Left) > 0:
		var where []string
		for _, k := range r.done.Left {
			where = append(where, k.Where)
		}
		return "keys that are gone stand in lines that are not patchring's to remove", "remove by hand: " + strings.Join(where, ", ")
	}
	return "", ""
}
