package local

import (
	"bytes"
	"encoding/json"
	"regexp"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// watched is a step at a lock that also tells who held it against us at the last look;
// nil: nobody did, or nobody said who.
func watched(lock platform.Step) (platform.Step, func() *platform.Owner) {
	var holder *platform.Owner
	judge := lock.Look.Judge
	lock.Look.Judge = func(r []remote.Result) platform.Standing {
		s := judge(r)
		holder = nil
		if s.State == platform.Failed && s.Code == fault.Locked {
			holder = holderIn(r)
		}
		return s
	}
	return lock, func() *platform.Owner { return holder }
}

// holderIn finds the lock's owner in what a look at it printed. The judge has said
// already that the lock is another's; this is only for the words, and for asking the
// host to remove this very one.
func holderIn(results []remote.Result) *platform.Owner {
	for _, r := range results {
		for line := range bytes.Lines(r.Out) {
			var o platform.Owner
			if bytes.HasPrefix(line, []byte("{")) && json.Unmarshal(line, &o) == nil && o.Rollout != "" {
				return &o
			}
		}
	}
	return nil
}

// named: the user gave this rollout's name to --force-unlock, and the lock is of this
// host under this name.
func (w *work) named(holder platform.Owner) bool {
	return w.p.ForceUnlock != "" && holder.Rollout == w.p.ForceUnlock && holder.Host == w.owner().Host
}

// mayReplace: the user named this rollout, and it is not of this state folder. One that
// is may be at work at this moment: the folder's own guards decide how it ends. Where
// nobody can tell, the lock stays.
func (w *work) mayReplace(holder platform.Owner) bool {
	return w.named(holder) && w.p.Knows != nil && plainID.MatchString(holder.Rollout) && !w.p.Knows(holder.Rollout)
}

// plainID is a rollout's id that may stand in a command which a person copies: a host
// could have written anything there.
var plainID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// hinted says what to do about a lock whose rollout this state folder does not have, or
// why one that it has was not replaced.
func (w *work) hinted(s platform.Standing, holder platform.Owner) platform.Standing {
	if w.p.Knows == nil || holder.Host != w.owner().Host {
		return s
	}
	plain := plainID.MatchString(holder.Rollout) // no other is looked for in a folder
	if plain && w.p.Knows(holder.Rollout) {
		if w.named(holder) {
			s.Reasons = append([]string{"rollout " + holder.Rollout + " is in this state folder: carry it on, or abort it"}, s.Reasons...)
		}
		return s
	}
	hint := nameOf(holder) + " is not in this state folder: carry it on where its folder is"
	if plain {
		hint += ", or, once you know that nothing works there, `patchring run … --force-unlock " + holder.Rollout + "`"
	}
	s.Reasons = []string{"locked since " + holder.Since.UTC().Format(time.RFC3339), hint}
	return s
}

func nameOf(o platform.Owner) string {
	return "rollout " + remote.Clean(o.Rollout, 100) + " of " + remote.Clean(o.By, 100)
}
