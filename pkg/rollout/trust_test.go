package rollout

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// signedBy is a word of as, typed by an operator, with a signature that voucher takes
// unless it says "forged".
func signedBy(as, key, signature string, set patch.Digest) Approved {
	a := approved(as, set)
	a.By, a.Key, a.Signature, a.Authenticated = "operator@desk", key, signature, true
	return a
}

func voucher(a Approved, _ time.Time) error {
	if strings.Contains(a.Signature, "forged") || strings.HasPrefix(a.Signature, "only ") && a.Signature != "only "+a.As+" "+a.Ring {
		return errors.New("no good signature")
	}
	return nil
}

// trusting is a rollout that demands signatures, with its production ring before its gate.
func trusting(t *testing.T, trust plan.Trust, count int) *tape {
	t.Helper()
	o := twoRings()
	o.Trust = trust
	o.Rings[1].Gate.Approval = board(count)
	tp := (&tape{t: t, s: &State{}}).at(0).add(o)
	tp.s.Trust(voucher)
	return tp.add(Sealed{Seq: 1, Line: "sha256:01", Why: "opened", As: people[1], Key: "key of omar", Signature: "s"}, GateOpened{Ring: "test"}).through()
}

func TestSignedApprovals(t *testing.T) {
	jane, omar := people[0], people[1]
	demanded := plan.Trust{Approvals: true, Checkpoints: true}
	eyes := plan.Trust{Approvals: true, Checkpoints: true, FourEyes: true}
	tests := []struct {
		name    string
		trust   plan.Trust
		count   int
		words   func(patch.Digest) []Approved
		want    string
		refused string // by the journal, the last word
		open    bool
	}{
		{"signed", demanded, 1, func(s patch.Digest) []Approved { return []Approved{signedBy(jane, "j", "1", s)} }, "(jane@hq.example, signed)", "", true},
		{"typed only", demanded, 1, func(s patch.Digest) []Approved { return []Approved{approved(jane, s)} }, "board 0 of 1", "signed approvals only", false},
		{"forged, whatever it says of itself", demanded, 1, func(s patch.Digest) []Approved { return []Approved{signedBy(jane, "j", "forged", s)} }, "board 0 of 1", "", false},
		{"two people by one operator", demanded, 2, func(s patch.Digest) []Approved {
			return []Approved{signedBy(jane, "j", "1", s), signedBy(omar, "o", "2", s)}
		}, "board 2 of 2", "", true},
		{"two names with one key", demanded, 2, func(s patch.Digest) []Approved {
			return []Approved{signedBy(jane, "j", "1", s), signedBy(omar, "j", "2", s)}
		}, "board 1 of 2", "", false},
		{"not demanded: a typed name counts, and says so", plan.Trust{}, 1, func(s patch.Digest) []Approved { return []Approved{approved(jane, s)} }, "(jane@hq.example, unauthenticated)", "", true},
		{"not demanded: forged counts as typed", plan.Trust{}, 1, func(s patch.Digest) []Approved { return []Approved{signedBy(jane, "j", "forged", s)} }, "(jane@hq.example, unauthenticated)", "", true},
		{"four eyes: another", eyes, 1, func(s patch.Digest) []Approved { return []Approved{signedBy(jane, "j", "1", s)} }, "(jane@hq.example, signed)", "", true},
		{"four eyes: the starter's name", eyes, 1, func(s patch.Digest) []Approved { return []Approved{signedBy(omar, "o2", "1", s)} }, "board 0 of 1", "started this rollout", false},
		{"four eyes: the starter's key under another name", eyes, 1, func(s patch.Digest) []Approved {
			return []Approved{signedBy(jane, "key of omar", "1", s)}
		}, "board 0 of 1", "started this rollout", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := trusting(t, tt.trust, tt.count)
			for _, a := range tt.words(tp.setOf("production")) {
				if err := tp.s.Check(a); tt.refused != "" {
					if err == nil || !strings.Contains(err.Error(), tt.refused) {
						t.Errorf("%v, want %q", err, tt.refused)
					}
					continue
				}
				tp.add(a)
			}
			v := tp.at(time.Hour).verdict()
			if (v.state == GateOpen) != tt.open || !strings.Contains(strings.Join(v.reasons, "; "), tt.want) {
				t.Errorf("%q: %q; want %q", v.state, v.reasons, tt.want)
			}
		})
	}
}

// A journal that was written by hand can say that an approval is authenticated; without
// somebody who vouches for it, that is nothing.
func TestNobodyVouches(t *testing.T) {
	tp := trusting(t, plan.Trust{Approvals: true, Checkpoints: true}, 1)
	tp.s.Trust(nil)
	tp.add(signedBy(people[0], "j", "1", tp.setOf("production")))
	if v := tp.verdict(); v.state == GateOpen {
		t.Errorf("open: %q", v.reasons)
	}
}

// Before the starter has signed, nobody can tell whether an approver is somebody else.
func TestFourEyesNeedTheStartersKey(t *testing.T) {
	o := twoRings()
	o.Trust = plan.Trust{Approvals: true, Checkpoints: true, FourEyes: true}
	o.Rings[1].Gate.Approval = board(1)
	tp := (&tape{t: t, s: &State{}}).at(0).add(o, GateOpened{Ring: "test"}).through()
	if err := tp.s.Check(signedBy(people[0], "j", "1", tp.setOf("production"))); err == nil || !strings.Contains(err.Error(), "--sign-key") {
		t.Errorf("got %v", err)
	}
}

func TestSealDue(t *testing.T) {
	tp := (&tape{t: t, s: &State{}}).at(0).add(twoRings())
	due := func(want string) {
		t.Helper()
		if why, is := tp.s.SealDue(); is != (want != "") || is && why != want {
			t.Errorf("due: %v %q, want %q", is, why, want)
		}
	}
	seal := func(seq uint64) Sealed { return Sealed{Seq: seq, Line: "sha256:01", Key: "k", Signature: "s"} }
	due("opened")
	tp.add(seal(1))
	due("")
	tp.add(GateOpened{Ring: "test"})
	due("gate test")
	tp.add(Paused{Reason: "x"}, seal(2))
	due("gate test") // the seal is of a record before it
	tp.add(seal(3))
	due("")
	for _, bad := range []Sealed{{}, seal(0), seal(99), {Seq: 1, Line: "sha256:01", Key: "k"}, {Seq: 1, Key: "k", Signature: "s"}} {
		if tp.s.Check(bad) == nil {
			t.Errorf("taken: %+v", bad)
		}
	}
	tp.add(Aborted{Reason: "y"})
	due("aborted")
	tp.add(seal(7))
	due("")
}

// One signature counts for the word that it was made for alone, though it was found good there.
func TestSignatureUnderAnotherWord(t *testing.T) {
	tp := trusting(t, plan.Trust{Approvals: true, Checkpoints: true}, 2)
	set := tp.setOf("production")
	tp.add(signedBy(people[0], "j", "only "+people[0]+" production", set))
	tp.verdict()
	tp.add(signedBy(people[1], "o", "only "+people[0]+" production", set))
	if v := tp.verdict(); v.state == GateOpen || !strings.Contains(strings.Join(v.reasons, "; "), "board 1 of 2") {
		t.Errorf("%q: %q", v.state, v.reasons)
	}
}

// A key that runs out while a run waits is asked about again.
func TestVouchedAnew(t *testing.T) {
	tp := trusting(t, plan.Trust{Approvals: true, Checkpoints: true}, 1)
	end := tp.now.Add(time.Hour)
	tp.s.Trust(func(_ Approved, at time.Time) error {
		if at.After(end) {
			return errors.New("run out")
		}
		return nil
	})
	tp.add(signedBy(people[0], "j", "1", tp.setOf("production")))
	if v := tp.verdict(); v.state != GateOpen {
		t.Fatalf("%q", v.reasons)
	}
	tp.now = end.Add(time.Minute)
	if v := tp.verdict(); v.state == GateOpen {
		t.Errorf("open with a key that has run out: %q", v.reasons)
	}
}
