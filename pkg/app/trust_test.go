package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sign"
	"github.com/patchring/patchring/pkg/sshsig"
	"github.com/patchring/patchring/pkg/statedir"
)

var sealedAt = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// sealing is a rollout in a folder of its own whose checkpoints a new key signs.
type sealing struct {
	t   *testing.T
	inv *inventory.Inventory
	r   *openRollout
	eng *engine.Engine
}

func newSealing(t *testing.T, open func(rollout.Opened) rollout.Opened) *sealing {
	t.Helper()
	base := t.TempDir()
	public, err := sign.Create(filepath.Join(base, "key"), "omar")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(base, "allowed"), []byte("omar@hq.example "+public+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &sealing{t: t, inv: &inventory.Inventory{Path: filepath.Join(base, "inventory.yaml"), Sites: map[string]inventory.Site{
		"hq": {Name: "hq", Trust: inventory.Trust{AllowedSigners: "allowed", Checkpoints: true}},
	}}}
	p := &plan.Plan{
		Version: plan.Version, Playbook: "monthly", Site: "hq", Trust: plan.Trust{Checkpoints: true},
		Rings: []plan.Ring{{Name: "test", Hosts: []fact.HostID{{Site: "hq", Name: "a"}}, Batches: []int{1}, MaxInFlight: 1}},
		Hosts: []plan.Host{{ID: fact.HostID{Site: "hq", Name: "a"}, Ring: "test", Install: []patch.Update{{Name: "bash", From: "1", To: "2"}}}},
	}
	raw, err := plan.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	s.open(filepath.Join(base, "state"), raw)
	e := Env{Now: func() time.Time { return sealedAt }, Err: t.Output()}
	if s.r.signer, err = e.signer(t.Context(), Options{SignKey: filepath.Join(base, "key")}, s.inv, "hq"); err != nil {
		t.Fatal(err)
	}
	s.eng = &engine.Engine{Journal: s.r.journal, Actor: "omar@desk", Now: e.Now}
	s.record(open(rollout.Open(s.r.ID, p, patch.DigestOf(raw))))
	if s.r.state, err = engine.Load(t.Context(), s.r.journal); err != nil {
		t.Fatal(err)
	}
	s.eng.Seal = e.sealer(s.inv, s.r)
	return s
}

func (s *sealing) open(state string, plan []byte) {
	s.t.Helper()
	dir, err := statedir.Open(state)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = dir.Close() })
	folder, err := dir.Create(statedir.About{ID: "2026-11-22-monthly-1111", Playbook: "monthly", Site: "hq", Created: sealedAt}, plan)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = folder.Close() })
	s.r = &openRollout{About: folder.About, folder: folder}
	if s.r.journal, err = journal.Open(folder.Root()); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = s.r.journal.Close() })
}

func (s *sealing) record(entries ...rollout.Entry) {
	s.t.Helper()
	for _, entry := range entries {
		if err := s.eng.Record(context.WithoutCancel(s.t.Context()), entry); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *sealing) seal() {
	s.t.Helper()
	if err := s.eng.SealNow(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func begun() rollout.StepStarted {
	return rollout.StepStarted{Host: fact.HostID{Site: "hq", Name: "a"}, Step: rollout.FlowBegin, Mode: rollout.Start}
}

// What a run carries on where checkpoints are demanded, and what not.
func TestChainTrusted(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(*sealing)
		want  string // of the refusal; "": it is carried on
	}{
		{"as it should be", func(s *sealing) { s.seal(); s.record(rollout.GateOpened{Ring: "test"}); s.seal(); s.record(begun()) }, ""},
		{"died before it could sign the gate", func(s *sealing) { s.seal(); s.record(rollout.GateOpened{Ring: "test"}) }, ""},
		{"just opened", func(*sealing) {}, ""},
		{"begun behind a gate that nobody signed", func(s *sealing) { s.seal(); s.record(rollout.GateOpened{Ring: "test"}, begun()) }, "without a checkpoint"},
		{"nothing signed at all", func(s *sealing) { s.record(rollout.GateOpened{Ring: "test"}, begun()) }, "without a checkpoint"},
		{"a checkpoint of another history", func(s *sealing) {
			other := newSealing(s.t, asPlanned)
			other.record(rollout.Paused{Reason: "another"}, rollout.Resumed{})
			other.seal()
			_, mark := other.last()
			s.record(rollout.Paused{Reason: "this"}, rollout.Resumed{}, mark)
		}, "not what was signed"},
		{"a checkpoint by somebody whom the site does not know", func(s *sealing) {
			s.seal()
			_, mark := s.last()
			other := newSealing(s.t, asPlanned)
			mark.Signature = func() string { other.seal(); _, m := other.last(); return m.Signature }()
			s.record(mark)
		}, "not what was signed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSealing(t, asPlanned)
			tt.write(s)
			err := chainTrusted(s.inv, s.r)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func asPlanned(o rollout.Opened) rollout.Opened { return o }

// A journal that was opened for less than the plan demands is somebody's own.
func TestOpenedForLess(t *testing.T) {
	s := newSealing(t, func(o rollout.Opened) rollout.Opened { o.Trust = plan.Trust{}; return o })
	s.seal()
	if err := chainTrusted(s.inv, s.r); err == nil || !strings.Contains(err.Error(), "other rings, gates or rules") {
		t.Errorf("got %v", err)
	}
}

// last gives the last checkpoint of the journal.
func (s *sealing) last() (seq uint64, mark rollout.Sealed) {
	s.t.Helper()
	err := s.r.journal.Read(s.t.Context(), 1, func(r journal.Record) error {
		event, err := engine.EventOf(r)
		if one, ok := event.Entry.(rollout.Sealed); ok {
			seq, mark = event.Seq, one
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return seq, mark
}

// A key that is taken out of the file while a run waits counts no more.
func TestVoucherReadsAnew(t *testing.T) {
	base := t.TempDir()
	key := filepath.Join(base, "key")
	public, err := sign.Create(key, "jane")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(base, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("inventory.yaml", "version: 1\nhosts: {a: {}}\ntrust: {allowed_signers: allowed}\n")
	write("allowed", "jane@hq.example "+public+"\n")
	opened := rollout.Opened{Rollout: "r", Site: "default", Playbook: "monthly"}
	a := rollout.Approved{Ring: "production", Plan: patch.DigestOf(nil), As: "jane@hq.example", Expires: sealedAt.Add(time.Hour)}
	message, err := evidence.ApprovalMessage(evidence.ApprovalOf(opened, a))
	if err != nil {
		t.Fatal(err)
	}
	jane, err := sign.Open(t.Context(), sign.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	armoured, err := jane.Sign(t.Context(), sshsig.NamespaceApproval, message)
	if err != nil {
		t.Fatal(err)
	}
	a.Signature, a.Key = string(armoured), jane.Fingerprint()
	vouch := Options{Inventory: filepath.Join(base, "inventory.yaml"), Today: sealedAt}.voucher(opened)
	if err := vouch(a, sealedAt); err != nil {
		t.Fatal(err)
	}
	write("allowed", "somebody@hq.example "+public+"\n")
	if err := vouch(a, sealedAt); err == nil {
		t.Error("she was taken out of the file, and her word still counts")
	}
}
