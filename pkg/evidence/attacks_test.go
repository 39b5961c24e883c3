package evidence_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

const (
	first  = "2026-11-21-monthly-7f3a"
	second = "2026-12-21-monthly-11aa"
)

// found: the auditor does not take the archive for what it was.
func found(t interface{ Errorf(string, ...any) }, what string, v evidence.Verdict, err error) {
	if err == nil && v.Standing() == evidence.Proven {
		t.Errorf("%s was not found: %+v", what, v.Parts)
	}
}

func lastOf(s *story) time.Time { return noon().Add(time.Duration(s.mark.Seq-1) * time.Minute) }

// TestAnyByte: no byte of a bundle can be another.
func TestAnyByte(t *testing.T) {
	archive, signers := whole(t, first, strict()).bundle(), allowed(t, signers())
	rapid.Check(t, func(t *rapid.T) {
		forged := bytes.Clone(archive)
		at := rapid.IntRange(0, len(forged)-1).Draw(t, "at")
		forged[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		v, err := evidence.Verify(evidence.Check{Archive: forged, Allowed: signers, Now: noon()})
		found(t, "a flipped byte", v, err)
	})
}

// TestEveryByte: each byte of a small bundle, one after the other.
func TestEveryByte(t *testing.T) {
	s := begin(t, first, strict())
	s.seal("opened", operator())
	archive, signers := s.bundle(), allowed(t, signers())
	for at := range archive {
		archive[at] ^= 1
		v, err := evidence.Verify(evidence.Check{Archive: archive, Allowed: signers, Now: noon()})
		found(t, fmt.Sprintf("a flipped bit at %d", at), v, err)
		archive[at] ^= 1
	}
	if v := verified(t, archive); v.Standing() != evidence.Proven {
		t.Errorf("as it was: %s", v.Standing())
	}
}

// TestAnyLength: nothing can be cut off, put behind or before.
func TestAnyLength(t *testing.T) {
	archive, signers := whole(t, first, strict()).bundle(), allowed(t, signers())
	rapid.Check(t, func(t *rapid.T) {
		forged := archive[:rapid.IntRange(0, len(archive)-1).Draw(t, "end")]
		more := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "more")
		for what, forged := range map[string][]byte{"a cut": forged, "a tail": append(bytes.Clone(archive), more...), "a head": append(bytes.Clone(more), archive...)} {
			v, err := evidence.Verify(evidence.Check{Archive: forged, Allowed: signers, Now: noon()})
			found(t, what, v, err)
		}
	})
}

// TestEntries: files changed, dropped, added, renamed, or swapped between the bundles of two
// rollouts, each in an archive that is well-formed; with the manifest as it was, with one
// that lists them as they are now, and with one that the operator has signed again.
func TestEntries(t *testing.T) {
	one, other := whole(t, first, strict()), whole(t, second, strict())
	mine, theirs, signers := one.bundle(), evidence.Unpack(other.bundle()), allowed(t, signers())
	at := lastOf(one)
	rapid.Check(t, func(t *rapid.T) {
		all := evidence.Unpack(mine)
		i := rapid.IntRange(0, len(all)-1).Draw(t, "file")
		name := all[i].Name
		attack := rapid.SampledFrom([]string{"change", "drop", "add", "swap"}).Draw(t, "attack")
		switch attack {
		case "change":
			all[i].Content = append(all[i].Content, rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "more")...)
		case "drop":
			all = slices.Delete(all, i, i+1)
		case "add":
			added := rapid.SampledFrom([]string{"approvals/000999.txt", "store/" + strings.Repeat("a", 64), "sets/" + strings.Repeat("b", 64) + ".json"}).Draw(t, "name")
			all = append(all, evidence.Piece{Name: added, Content: []byte("x")})
		case "swap":
			j := slices.IndexFunc(theirs, func(p evidence.Piece) bool { return p.Name == name })
			if j < 0 || bytes.Equal(theirs[j].Content, all[i].Content) {
				t.Skip("nothing to swap")
			}
			all[i].Content = theirs[j].Content
		}
		switch rapid.SampledFrom([]string{"as it was", "relisted", "signed"}).Draw(t, "manifest") {
		case "relisted":
			all = evidence.Relist(all)
		case "signed": // by the operator: what then holds is that all follows from the journal
			if strings.HasPrefix(name, "manifest.json") || name == "sbom.cdx.json" {
				t.Skip("the operator may sign that")
			}
			all = signAgain(evidence.Relist(all))
		}
		v, err := evidence.Verify(evidence.Check{Archive: evidence.Pack(all, at), Allowed: signers, Now: noon()})
		found(t, attack+" of "+name, v, err)
	})
}

// signAgain puts the operator's signature on a manifest.
func signAgain(all []evidence.Piece) []evidence.Piece {
	var manifest []byte
	for _, p := range all {
		if p.Name == "manifest.json" {
			manifest = p.Content
		}
	}
	for i, p := range all {
		if p.Name == "manifest.json.sig" {
			all[i].Content = []byte(operator().sign("patchring-evidence", manifest))
		}
	}
	return all
}

// TestOrder: the same files in another order, or another time, are another archive.
func TestOrder(t *testing.T) {
	s := whole(t, first, strict())
	v := verified(t, evidence.Pack(evidence.Unpack(s.bundle()), noon().Add(-time.Hour)))
	if v.Part(evidence.PartArchive).Standing != evidence.Broken {
		t.Errorf("another time: %+v", v.Parts)
	}
	archive := s.bundle()
	a, b := bytes.Index(archive, []byte("PK\x03\x04")), bytes.Index(archive[4:], []byte("PK\x03\x04"))+4
	c := bytes.Index(archive[b+4:], []byte("PK\x03\x04")) + b + 4
	swapped := slices.Concat(archive[:a], archive[b:c], archive[a:b], archive[c:])
	if v := verified(t, swapped); v.Part(evidence.PartArchive).Standing != evidence.Broken {
		t.Errorf("another order: %+v", v.Parts)
	}
}

// TestCutJournal: whoever lacks the key cuts the end of the journal off, and makes all else
// anew, with their own key, the old signature, or none.
func TestCutJournal(t *testing.T) {
	s := whole(t, first, strict())
	lines := bytes.SplitAfter(bytes.TrimSuffix(s.journal, []byte("\n")), []byte("\n"))
	old := evidence.Unpack(s.bundle())
	signature := old[slices.IndexFunc(old, func(p evidence.Piece) bool { return p.Name == "manifest.json.sig" })].Content
	signers := allowed(t, signers())
	for cut := 1; cut < len(lines); cut++ {
		source := s.source()
		source.Journal = bytes.Join(lines[:cut], nil)
		unsigned := built(t, source, nil)
		at := noon().Add(time.Duration(cut-1) * time.Minute)
		for what, archive := range map[string][]byte{
			"unsigned": unsigned, "signed by another": built(t, source, mallory().signer),
			"with the old signature": evidence.Pack(append(evidence.Unpack(unsigned), evidence.Piece{Name: "manifest.json.sig", Content: signature}), at),
		} {
			v, err := evidence.Verify(evidence.Check{Archive: archive, Allowed: signers, Now: noon()})
			found(t, "a journal of "+what, v, err)
			if what != "unsigned" && v.Part(evidence.PartManifest).Standing != evidence.Broken {
				t.Errorf("%s, cut at %d: the manifest is %s", what, cut, v.Part(evidence.PartManifest).Standing)
			}
		}
	}
}

// TestOlder: a bundle of yesterday is good by itself, says that it is not finished, and is
// found out by what was published since.
func TestOlder(t *testing.T) {
	s := begin(t, first, strict())
	s.seal("opened", operator())
	s.add(rollout.GateOpened{Ring: "test"})
	s.seal("gate test", operator())
	older := s.bundle()
	if v := verified(t, older); v.Standing() != evidence.Proven || v.Finished || !strings.Contains(strings.Join(v.Limits, "\n"), "not finished") {
		t.Errorf("%s, finished %v, limits %v", v.Standing(), v.Finished, v.Limits)
	}
	now := whole(t, first, strict())
	published := statements(t, now.bundle())
	if v := audited(t, evidence.Check{Archive: now.bundle(), Allowed: allowed(t, signers()), Published: published}); v.Part(evidence.PartPublished).Standing != evidence.Proven {
		t.Errorf("the whole one: %+v", v.Part(evidence.PartPublished))
	}
	if v := audited(t, evidence.Check{Archive: older, Allowed: allowed(t, signers()), Published: published}); v.Part(evidence.PartPublished).Standing != evidence.Broken {
		t.Errorf("the older one: %+v", v.Part(evidence.PartPublished))
	}
	anew := whole(t, first, plan.Trust{Checkpoints: true}).bundle()
	if v := audited(t, evidence.Check{Archive: anew, Allowed: allowed(t, signers()), Published: published}); v.Part(evidence.PartPublished).Standing != evidence.Broken {
		t.Errorf("one that was written anew: %+v", v.Part(evidence.PartPublished))
	}
	empty := audited(t, evidence.Check{Archive: now.bundle(), Allowed: allowed(t, signers()), Published: []byte{}})
	if empty.Standing() != evidence.NotProven {
		t.Errorf("nothing was published of it: %s", empty.Standing())
	}
}

// statements are a bundle's checkpoints as they are published.
func statements(t testing.TB, archive []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	all := evidence.Unpack(archive)
	for i, p := range all {
		if strings.HasPrefix(p.Name, "checkpoints/") && strings.HasSuffix(p.Name, ".txt") {
			raw, err := json.Marshal(map[string]string{"message": string(p.Content), "signature": string(all[i-1].Content), "rollout": "what stands here does not count"})
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(raw, '\n'))
		}
	}
	return out.Bytes()
}

// TestOtherSigners: the auditor's file decides, not whoever signed.
func TestOtherSigners(t *testing.T) {
	archive := whole(t, first, strict()).bundle()
	for name, text := range map[string]string{
		"others":            mallory().allowed("") + jane().allowed(""),
		"another namespace": operator().allowed(`namespaces="patchring-checkpoint,patchring-plan"`) + jane().allowed(""),
		"expired before":    operator().allowed(`valid-before="20250101Z"`) + jane().allowed(""),
		"approvals by hand": operator().allowed("") + jane().allowed(`namespaces="file"`),
		"nobody":            "",
	} {
		v := audited(t, evidence.Check{Archive: archive, Allowed: allowed(t, text)})
		if v.Standing() != evidence.Broken {
			t.Errorf("%s: %s", name, v.Standing())
		}
	}
}
