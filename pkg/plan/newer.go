package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// Newer lists what came out for a host since its plan was made, by fresh facts: pending
// versions newer than the planned ones, and security fixes of packages that the plan does
// not know. Security fixes come first. A version that can't be ordered is told as well.
func Newer(h Host, f fact.Facts) []patch.Update {
	planned, left := byKey(h.Install), map[string]bool{}
	for _, l := range h.Left {
		left[l.Update.Key()] = true
	}
	newer := ordering(f)
	var out []patch.Update
	for _, u := range f.Updates {
		p, known := planned[u.Key()]
		is, ordered := newer(u.To, p.To)
		switch {
		case known && u.To != p.To && (is || !ordered), !known && !left[u.Key()] && u.Security == patch.Yes:
			out = append(out, u)
		}
	}
	slices.SortStableFunc(out, func(a, b patch.Update) int {
		return cmp.Or(cmp.Compare(lateRank(a), lateRank(b)), cmp.Compare(a.Key(), b.Key()), cmp.Compare(a.To, b.To))
	})
	return out
}

func lateRank(u patch.Update) int {
	return slices.Index([]patch.Tri{patch.Yes, patch.Unknown, patch.No}, u.Security)
}

// NewerNote says what Newer found, in a line; nothing: no line.
func NewerNote(h Host, f fact.Facts) []string {
	const most = 5
	var names []string
	late := Newer(h, f)
	for _, u := range late[:min(len(late), most)] {
		name := u.Name + " " + u.To
		if u.Security == patch.Yes {
			name += " (security)"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil
	}
	if len(late) > most {
		names = append(names, "and more")
	}
	return []string{"newer since the plan, for the next rollout: " + strings.Join(names, ", ")}
}
