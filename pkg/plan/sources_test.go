package plan

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// A later ring's updates, and where their files come from.

// TestNarrowSources: a version that is offered comes from the repositories, one that is
// not from elsewhere, by its digest; without a digest it is refused, and where nobody can
// tell which file was tested it is left alone.
func TestNarrowSources(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := patch.Update{Name: "bash", Arch: "amd64", From: "1", To: "2"}
		var known []patch.Proven
		digests := rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "y"}), 1, 4).Draw(t, "digests")
		for _, d := range digests {
			p := patch.Proven{Domain: "debian 12 amd64", Name: "bash", Arch: "amd64", Version: "2"}
			if d != "" {
				p.Digest, p.Assurance = patch.DigestOf([]byte(d)), patch.AssuranceHost
			}
			known = append(known, p)
		}
		frozen := Freeze(known)
		f := with(debian(id("a")), "bash=1")
		f.OffersKnown = rapid.Bool().Draw(t, "known")
		offered := rapid.Bool().Draw(t, "offered")
		if offered {
			f.Offers = []fact.Offer{{Name: "bash", Arch: "amd64", Version: "2"}}
		}
		w, err := Narrow(onePlan(u), id("a"), &frozen, f)
		if err != nil {
			t.Fatal(err)
		}
		x, y := slices.Contains(digests, "x"), slices.Contains(digests, "y")
		gone := f.OffersKnown && !offered
		switch {
		case x && y:
			if len(w.Install) > 0 || w.Refused != "" || w.Left[0].Reason != patch.ReasonUntested || !strings.Contains(w.Left[0].Detail, "different files") {
				t.Fatalf("ambiguous, and got %+v", w)
			}
		case gone && !x && !y:
			if !strings.Contains(w.Refused, "bash:amd64 2") {
				t.Fatalf("nobody knows its file, and it is not refused: %+v", w)
			}
		default:
			checkInstalls(t, w, frozen, gone)
		}
	})
}

func checkInstalls(t *rapid.T, w patch.Work, frozen patch.PatchSet, gone bool) {
	if w.Refused != "" || len(w.Install) != 1 {
		t.Fatalf("%+v", w)
	}
	u := w.Install[0]
	if gone != (u.Source == patch.SourceStore) || u.Digest != frozen.Proven[0].Digest {
		t.Fatalf("gone %v, and got %+v of %+v", gone, u, frozen)
	}
}

func drawProven(t *rapid.T) []patch.Proven {
	one := rapid.Custom(func(t *rapid.T) patch.Proven {
		p := patch.Proven{
			Domain: "debian 12 amd64", Name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"), Version: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "version"),
			Repository: rapid.SampledFrom([]string{"", "main"}).Draw(t, "repository"),
		}
		if d := rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "digest"); d != "" {
			p.Digest, p.Size = patch.DigestOf([]byte(d)), int64(len(d))
			p.Assurance = rapid.SampledFrom([]patch.Assurance{patch.AssuranceHost, patch.AssuranceSigned}).Draw(t, "assurance")
		}
		return p
	})
	return rapid.SliceOfN(one, 0, 8).Draw(t, "proven")
}

// TestFreezeMerges: in any order the same set; of one version only the files that rest on
// the most, one line each: those that conflict both stay; and frozen again it is the same.
func TestFreezeMerges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := drawProven(t)
		frozen := Freeze(all)
		if other := Freeze(rapid.Permutation(all).Draw(t, "order")); !slices.Equal(frozen.Proven, other.Proven) || SetDigest(frozen) != SetDigest(other) {
			t.Fatalf("the order matters: %+v and %+v", frozen, other)
		}
		if again := Freeze(frozen.Proven); !slices.Equal(frozen.Proven, again.Proven) {
			t.Fatalf("frozen again: %+v, and was %+v", again, frozen)
		}
		files := map[patch.Proven]map[patch.Digest]patch.Assurance{} // what should be there
		for _, p := range all {
			if files[p.Bare()] == nil {
				files[p.Bare()] = map[patch.Digest]patch.Assurance{}
			}
			if best, known := files[p.Bare()][p.Digest]; !known || best != patch.AssuranceSigned {
				files[p.Bare()][p.Digest] = p.Assurance
			}
		}
		lines := 0
		for _, of := range files {
			best := patch.AssuranceNone
			for _, a := range of {
				if weight(patch.Proven{Assurance: a}) > weight(patch.Proven{Assurance: best}) {
					best = a
				}
			}
			maps.DeleteFunc(of, func(_ patch.Digest, a patch.Assurance) bool { return a != best })
			lines += len(of)
		}
		for _, p := range frozen.Proven {
			if best, known := files[p.Bare()][p.Digest]; !known || best != p.Assurance {
				t.Fatalf("%+v, of %+v", p, all)
			}
		}
		if lines != len(frozen.Proven) {
			t.Fatalf("%d lines, want %d: %+v of %+v", len(frozen.Proven), lines, frozen.Proven, all)
		}
	})
}

// TestDetail: what is known of a file is filled in where it is known, and nothing else changes.
func TestDetail(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		known, proven := drawProven(t), []patch.Proven{}
		for _, p := range drawProven(t) {
			proven = append(proven, p.Bare())
		}
		before := slices.Clone(proven)
		got := Detail(proven, known)
		if len(got) != len(proven) || !slices.Equal(before, proven) {
			t.Fatalf("%+v of %+v", got, proven)
		}
		for i, p := range got {
			of := slices.DeleteFunc(slices.Clone(known), func(k patch.Proven) bool { return k.Bare() != p.Bare() })
			one := len(Freeze(of).Proven) == 1 && Freeze(of).Proven[0].Digest != "" // of two, nobody can tell which it was
			if p.Bare() != before[i] || one != (p.Digest != "") || p.Digest != "" && !slices.Contains(of, p) {
				t.Fatalf("%+v, known are %+v", p, of)
			}
		}
	})
}
