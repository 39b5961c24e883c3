package evidence_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/patch"
)

func anApproval() evidence.Approval {
	return evidence.Approval{
		Rollout: first, Site: "hq", Playbook: "monthly", Ring: "production", Plan: patch.DigestOf([]byte("plan")), Set: patch.DigestOf([]byte("set")),
		As: "jane@hq.example", Expires: noon(), Reason: "change 4711: Änderung, 変更",
	}
}

func aCheckpoint() evidence.Checkpoint {
	return evidence.Checkpoint{Rollout: first, Site: "hq", Why: "gate production", Seq: 42, Line: patch.DigestOf([]byte("line")), Plan: patch.DigestOf([]byte("plan"))}
}

// TestMessages: the texts are a promise: signatures rest on them.
func TestMessages(t *testing.T) {
	approval, err := evidence.ApprovalMessage(anApproval())
	if err != nil {
		t.Fatal(err)
	}
	want := `patchring approval v1
rollout: 2026-11-21-monthly-7f3a
site: hq
playbook: monthly
ring: production
plan: ` + string(patch.DigestOf([]byte("plan"))) + `
set: ` + string(patch.DigestOf([]byte("set"))) + `
as: jane@hq.example
expires: 2026-11-21T12:00:00Z
reason: change 4711: Änderung, 変更
`
	if string(approval) != want {
		t.Errorf("got\n%s\nwant\n%s", approval, want)
	}
	checkpoint, err := evidence.CheckpointMessage(aCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	want = `patchring checkpoint v1
rollout: 2026-11-21-monthly-7f3a
site: hq
why: gate production
seq: 42
line: ` + string(patch.DigestOf([]byte("line"))) + `
plan: ` + string(patch.DigestOf([]byte("plan"))) + "\n"
	if string(checkpoint) != want {
		t.Errorf("got\n%s\nwant\n%s", checkpoint, want)
	}
}

// TestRefusedApprovals: what can't be seen, or is not there, is not signed.
func TestRefusedApprovals(t *testing.T) {
	for name, change := range map[string]func(*evidence.Approval){
		"newline in the ring":     func(a *evidence.Approval) { a.Ring = "production\nset: none" },
		"newline in the reason":   func(a *evidence.Approval) { a.Reason = "fine\nring: test" },
		"carriage return":         func(a *evidence.Approval) { a.Reason = "fine\rring: test" },
		"escape":                  func(a *evidence.Approval) { a.Site = "hq\x1b[2J" },
		"right to left":           func(a *evidence.Approval) { a.As = "jane\u202e@hq" },
		"line separator":          func(a *evidence.Approval) { a.Reason = "a\u2028b" },
		"zero width":              func(a *evidence.Approval) { a.As = "ja\u200bne" },
		"not UTF-8":               func(a *evidence.Approval) { a.Reason = "\xff" },
		"no rollout":              func(a *evidence.Approval) { a.Rollout = "" },
		"no site":                 func(a *evidence.Approval) { a.Site = "" },
		"nobody":                  func(a *evidence.Approval) { a.As = "" },
		"no plan":                 func(a *evidence.Approval) { a.Plan = "" },
		"plan of another form":    func(a *evidence.Approval) { a.Plan = "sha256:ABC" },
		"set of another form":     func(a *evidence.Approval) { a.Set = "none" },
		"no end":                  func(a *evidence.Approval) { a.Expires = time.Time{} },
		"end beyond all calendar": func(a *evidence.Approval) { a.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"too long":                func(a *evidence.Approval) { a.Reason = strings.Repeat("x", 70000) },
	} {
		a := anApproval()
		change(&a)
		if message, err := evidence.ApprovalMessage(a); err == nil || message != nil {
			t.Errorf("%s: signed as %q", name, message)
		}
	}
}

// TestRefusedMessages: there is one way to write a message, and none of the other kind's.
func TestRefusedMessages(t *testing.T) {
	approval, _ := evidence.ApprovalMessage(anApproval())
	checkpoint, _ := evidence.CheckpointMessage(aCheckpoint())
	for name, change := range map[string][2]string{
		"another zone":     {"12:00:00Z", "13:00:00+01:00"},
		"longer time":      {"12:00:00Z", "12:00:00.0Z"},
		"two blanks":       {"ring: ", "ring:  "},
		"no blank":         {"ring: ", "ring:"},
		"another name":     {"ring:", "rinG:"},
		"one line more":    {"ring:", "extra: 1\nring:"},
		"one line less":    {"site: hq\n", ""},
		"another version":  {"approval v1", "approval v2"},
		"CR":               {"hq\n", "hq\r\n"},
		"capital digest":   {"set: sha256:", "set: SHA256:"},
		"no set at all":    {"set: sha256:", "set: none"},
		"something behind": {"変更\n", "変更\n\n"},
	} {
		forged := strings.Replace(string(approval), change[0], change[1], 1)
		if forged == string(approval) {
			t.Fatalf("%s changes nothing", name)
		}
		a, err := evidence.ParseApproval([]byte(forged))
		if again, e := evidence.ApprovalMessage(a); err == nil && (e != nil || string(again) != forged) {
			t.Errorf("%s is read as %+v", name, a)
		}
		if err == nil && name != "two blanks" { // a blank may begin a value
			t.Errorf("%s is read", name)
		}
	}
	if _, err := evidence.ParseApproval(checkpoint); err == nil {
		t.Error("a checkpoint is read as an approval")
	}
	if _, err := evidence.ParseCheckpoint(approval); err == nil {
		t.Error("an approval is read as a checkpoint")
	}
	for _, seq := range []string{"0", "042", "+42", "18446744073709551616", "4 2"} {
		if _, err := evidence.ParseCheckpoint(bytes.Replace(checkpoint, []byte("seq: 42"), []byte("seq: "+seq), 1)); err == nil {
			t.Errorf("seq %q is read", seq)
		}
	}
}

func digests() *rapid.Generator[patch.Digest] {
	return rapid.Custom(func(t *rapid.T) patch.Digest { return patch.DigestOf(rapid.SliceOf(rapid.Byte()).Draw(t, "content")) })
}

// words are mostly fit to be signed.
func words() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[ -~äß変]{1,20}`), rapid.StringMatching(`[a-z: ]{0,5}`), rapid.StringMatching(`(none|set: none|sha256:)`))
}

// TestRoundTrip: what is written is read as what it was, and two that differ are written
// differently.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := evidence.Approval{
			Rollout: words().Draw(t, "rollout"), Site: words().Draw(t, "site"), Playbook: words().Draw(t, "playbook"), Ring: words().Draw(t, "ring"),
			Plan: digests().Draw(t, "plan"), As: words().Draw(t, "as"), Reason: words().Draw(t, "reason"),
			Expires: time.Unix(rapid.Int64Range(0, 1<<36).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds")).UTC(),
		}
		if rapid.Bool().Draw(t, "set") {
			a.Set = digests().Draw(t, "set digest")
		}
		message, err := evidence.ApprovalMessage(a)
		if err != nil {
			t.Skip("not to be signed")
		}
		if again, err := evidence.ParseApproval(message); err != nil || again != a {
			t.Fatalf("%+v came back as %+v, %v", a, again, err)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		c := evidence.Checkpoint{
			Rollout: words().Draw(t, "rollout"), Site: words().Draw(t, "site"), Why: words().Draw(t, "why"),
			Seq: rapid.Uint64Min(1).Draw(t, "seq"), Line: digests().Draw(t, "line"), Plan: digests().Draw(t, "plan"),
		}
		message, err := evidence.CheckpointMessage(c)
		if err != nil {
			t.Skip("not to be signed")
		}
		if again, err := evidence.ParseCheckpoint(message); err != nil || again != c {
			t.Fatalf("%+v came back as %+v, %v", c, again, err)
		}
	})
}

func FuzzParseApproval(f *testing.F) {
	for _, change := range []func(*evidence.Approval){func(*evidence.Approval) {}, func(a *evidence.Approval) { a.Set, a.Reason = "", "" }, func(a *evidence.Approval) { a.Reason = " " }} {
		a := anApproval()
		change(&a)
		message, err := evidence.ApprovalMessage(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		a, err := evidence.ParseApproval(message)
		if err != nil {
			return
		}
		again, err := evidence.ApprovalMessage(a)
		if err != nil || !bytes.Equal(message, again) {
			t.Errorf("%q is read as %+v, which is written %q, %v", message, a, again, err)
		}
		if _, err := evidence.ParseCheckpoint(message); err == nil {
			t.Errorf("%q is an approval and a checkpoint", message)
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	message, err := evidence.CheckpointMessage(aCheckpoint())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(message)
	f.Fuzz(func(t *testing.T, message []byte) {
		c, err := evidence.ParseCheckpoint(message)
		if err != nil {
			return
		}
		if again, err := evidence.CheckpointMessage(c); err != nil || !bytes.Equal(message, again) {
			t.Errorf("%q is read as %+v, which is written %q, %v", message, c, again, err)
		}
	})
}
