package linux

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed resolve.sh
var resolveScript string

func (s Manager) resolve(f fact.Facts, want []patch.Update) remote.Command {
	w := patch.Work{Install: want}
	asked := names(want)
	args := slices.Concat([]string{strconv.Itoa(len(asked))}, asked, s.words(f, w))
	return s.looks("resolve", f, w, resolveScript, args...)
}

// resolved turns the answer into a Resolution. What is known of an update from
// detection (origin, security, size) is kept; what nobody asked for is a dependency.
func (s Manager) resolved(f fact.Facts, want []patch.Update, r remote.Result) (platform.Resolution, error) {
	rep, found := ReadReport(r)
	if !found || !rep.Whole {
		return platform.Resolution{}, Refuse(f, "try again", "what %s would do could not be learned: %s", s.Name, answer(r))
	}
	t := s.Simulated(f, patch.Work{Install: want}, rep.Get("plan"))
	res := platform.Resolution{Removes: t.Removes, Refused: t.Refused}
	for _, c := range t.Changes {
		res.Changes = append(res.Changes, s.known(f, want, c))
	}
	res.Offers, res.Files, res.Unsure = readOffers(rep)
	if res.Refused == "" {
		res.Refused = s.leftOut(f, want, t)
	}
	return res, nil
}

func (s Manager) known(f fact.Facts, want []patch.Update, c patch.Update) patch.Update {
	same := func(u patch.Update) bool {
		return s.Key(u.Name, u.Arch, f.Arch) == s.Key(c.Name, c.Arch, f.Arch) && u.To == c.To
	}
	for _, u := range want {
		if same(u) {
			return u
		}
	}
	c.Dependency = true
	for _, u := range f.Updates {
		if same(u) {
			c = u
			c.Dependency = true
		}
	}
	return c
}

// leftOut: an update that was asked for and is not among the changes, or comes in
// another version, is a refusal.
func (s Manager) leftOut(f fact.Facts, want []patch.Update, t Transaction) string {
	for _, d := range s.differences(f, patch.Work{Install: want}, t, nil) {
		if strings.HasPrefix(d, s.Name+" would not install") {
			return d
		}
	}
	return ""
}
