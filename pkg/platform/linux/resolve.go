package linux

import (
	_ "embed"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed resolve.sh
var resolveScript string

func (s scheme) resolve(f fact.Facts, want []patch.Update) remote.Command {
	specs := s.specs(f, want)
	args := append([]string{nonce("resolve", f, specs), s.manager}, specs...)
	return look(remote.Reads, maxReport, args, frameScript, commonScript, resolveScript)
}

// nonce frames a script's output where no randomness may be had: steps are the same
// for the same input. Nobody but this host's root can know all that it is made of.
func nonce(purpose string, f fact.Facts, words []string) string {
	text := purpose + "\x00" + f.Host.String() + "\x00" + f.BootID + "\x00" + strings.Join(words, "\x00")
	return strings.TrimPrefix(string(patch.DigestOf([]byte(text))), "sha256:")[:32]
}

// resolved turns the answer into a Resolution. What is known of an update from
// detection (origin, security, size) is kept; what nobody asked for is a dependency.
func (s scheme) resolved(f fact.Facts, want []patch.Update, r remote.Result, read func(fact.Facts, section) transaction) (platform.Resolution, error) {
	rep, found := readReport(r)
	if !found || !rep.whole {
		return platform.Resolution{}, refuse(f, "try again", "what %s would do could not be learned: %s", s.manager, answer(r))
	}
	t := read(f, rep.get("plan"))
	res := platform.Resolution{Removes: t.removes, Refused: t.refused}
	for _, c := range t.changes {
		res.Changes = append(res.Changes, s.known(f, want, c))
	}
	if res.Refused == "" {
		res.Refused = s.leftOut(f, want, t)
	}
	return res, nil
}

func (s scheme) known(f fact.Facts, want []patch.Update, c patch.Update) patch.Update {
	same := func(u patch.Update) bool {
		return s.key(u.Name, u.Arch, f.Arch) == s.key(c.Name, c.Arch, f.Arch) && u.To == c.To
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
func (s scheme) leftOut(f fact.Facts, want []patch.Update, t transaction) string {
	for _, d := range s.differences(f, patch.Work{Install: want}, t, nil) {
		if strings.HasPrefix(d, s.manager+" would not install") {
			return d
		}
	}
	return ""
}
