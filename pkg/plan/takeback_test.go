package plan

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// backCase is a host that was changed: what a rollout did to it, and how it is now.
type backCase struct {
	did    []patch.Update
	facts  fact.Facts
	former map[string]string // by key: "" not there
}

// drawBack draws one. Some of its packages were moved by somebody else, some are back
// already, some were never come to; and some former versions can be had nowhere.
func drawBack(t *rapid.T) (c backCase, moved, lost []string) {
	c.facts, c.former = debian(id("a")), map[string]string{}
	c.facts.Packages, c.facts.Updates, c.facts.OffersKnown = nil, nil, true
	for _, name := range []string{"app", "bash", "libc", "tool"} {
		u := patch.Update{Name: name, To: "2", Arch: rapid.SampledFrom([]string{"amd64", "i386", "all"}).Draw(t, "arch")}
		u.From = rapid.SampledFrom([]string{"1", "1", ""}).Draw(t, "from")
		here := rapid.SampledFrom([]string{u.To, u.To, u.From, "3", ""}).Draw(t, "here")
		status := rapid.SampledFrom([]string{"installed", "installed", "half-configured"}).Draw(t, "status")
		if here != "" {
			c.facts.Packages = append(c.facts.Packages, fact.Package{Name: name, Arch: u.Arch, Version: here, Status: status})
		}
		if !rapid.Bool().Draw(t, "did") {
			continue
		}
		c.did, c.former[u.Key()] = append(c.did, u), u.From
		switch had := rapid.SampledFrom([]string{"offered", "kept", "both", "nowhere"}).Draw(t, "had"); {
		case here != u.To && here != u.From:
			moved = append(moved, u.Key())
		case had == "nowhere" && here == u.To && u.From != "":
			lost = append(lost, u.Key())
		case had != "nowhere" && u.From != "":
			c.offer(u, had)
		}
	}
	return c, moved, lost
}

func (c *backCase) offer(u patch.Update, had string) {
	if had != "kept" {
		c.facts.Offers = append(c.facts.Offers, fact.Offer{Name: u.Name, Arch: u.Arch, Version: u.From})
	}
	if had != "offered" {
		c.facts.Files = append(c.facts.Files, fact.PackageFile{Name: u.Name, Arch: u.Arch, Version: u.From, Path: "/kept/" + u.Name, Digest: patch.DigestOf([]byte(u.Name))})
	}
}

// TestTakeBackGivesTheFormerSet: the work, done to what is there, gives exactly what was
// there before, and touches nothing else; or it is refused, and says why.
func TestTakeBackGivesTheFormerSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, moved, lost := drawBack(t)
		w, err := TakeBack(onePlan(), id("a"), c.did, c.facts)
		if err != nil || !w.Back {
			t.Fatal(w, err)
		}
		if refused := len(moved)+len(lost) > 0; refused != (w.Refused != "") {
			t.Fatalf("moved %v, lost %v, and refused %q", moved, lost, w.Refused)
		}
		for _, key := range append(moved, lost...) {
			if !strings.Contains(w.Refused, key) {
				t.Fatalf("%q does not name %s", w.Refused, key)
			}
		}
		if w.Refused == "" {
			c.checkWork(t, w)
		}
	})
}

func (c *backCase) checkWork(t *rapid.T, w patch.Work) {
	after := map[string]string{}
	for _, p := range c.facts.Packages {
		after[patch.Update{Name: p.Name, Arch: p.Arch}.Key()] = p.Version
	}
	for _, u := range w.Install {
		if after[u.Key()] != u.From {
			t.Fatalf("%s is to go down from %s, and is at %q", u.Key(), u.From, after[u.Key()])
		}
		after[u.Key()] = u.To
		c.checkSource(t, u)
	}
	for _, name := range w.Remove {
		if _, there := after[name]; !there {
			t.Fatalf("%s is to be removed, and is not there", name)
		}
		delete(after, name)
	}
	for _, p := range c.facts.Packages {
		key := patch.Update{Name: p.Name, Arch: p.Arch}.Key()
		want, did := c.former[key]
		if !did {
			want = p.Version
		}
		if after[key] != want {
			t.Fatalf("%s ends at %q, not at %q", key, after[key], want)
		}
	}
}

// checkSource: from the repositories where they have it, else the very file that was kept.
func (c *backCase) checkSource(t *rapid.T, u patch.Update) {
	offers := slices.ContainsFunc(c.facts.Offers, func(o fact.Offer) bool { return o.Name == u.Name && o.Version == u.To })
	switch {
	case u.Source == patch.SourceRepository && offers && u.File == "":
	case u.Source == patch.SourceHost && !offers && u.File == "/kept/"+u.Name && u.Digest == patch.DigestOf([]byte(u.Name)):
	default:
		t.Fatalf("%+v, offered %v", u, offers)
	}
}

// TestTakeBackCantTell: what could not be read is no reason to go on.
func TestTakeBackCantTell(t *testing.T) {
	did := []patch.Update{{Name: "bash", Arch: "amd64", From: "1", To: "2"}}
	base := with(debian(id("a")), "bash=2")
	base.OffersKnown, base.Offers = true, []fact.Offer{{Name: "bash", Arch: "amd64", Version: "1"}}
	tests := map[string]struct {
		change func(*fact.Facts)
		want   string
	}{
		"all is known":         {func(*fact.Facts) {}, ""},
		"no packages":          {func(f *fact.Facts) { f.Problems = []fact.Problem{{What: problemPackages, Detail: "cut"}} }, "what is installed: cut"},
		"no offers":            {func(f *fact.Facts) { f.OffersKnown = false }, "where the former versions can be had"},
		"cut off":              {func(f *fact.Facts) { f.Problems = []fact.Problem{{What: problemOutput, Detail: "too long"}} }, "too long"},
		"only configuration":   {func(f *fact.Facts) { f.Packages[0].Status = "config-files" }, "somebody else has changed it"},
		"half way, still ours": {func(f *fact.Facts) { f.Packages[0].Status = "half-configured" }, ""},
		"other architecture":   {func(f *fact.Facts) { f.Offers[0].Arch = "i386" }, "can be had nowhere"},
		"turned to all":        {func(f *fact.Facts) { f.Offers[0].Arch = "all" }, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := base
			f.Packages, f.Offers = slices.Clone(base.Packages), slices.Clone(base.Offers)
			tt.change(&f)
			w, err := TakeBack(onePlan(), id("a"), did, f)
			if err != nil || tt.want == "" != (w.Refused == "") || !strings.Contains(w.Refused, tt.want) {
				t.Errorf("%q, %v; want %q", w.Refused, err, tt.want)
			}
		})
	}
	if _, err := TakeBack(onePlan(), id("elsewhere"), did, base); err == nil {
		t.Error("a host that the plan does not have")
	}
}
