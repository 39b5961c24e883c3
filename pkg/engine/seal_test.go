package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// notary signs what it is given, as long as it may, and keeps what was asked.
type notary struct {
	asked []string
	only  int // how many it signs; -1: all
}

var errRefused = errors.New("the agent refused")

func (n *notary) seal(_ context.Context, why string, at journal.Mark) (rollout.Sealed, error) {
	if n.only == 0 {
		return rollout.Sealed{}, errRefused
	}
	n.only--
	n.asked = append(n.asked, why)
	return rollout.Sealed{Seq: at.Seq, Line: at.Line, Why: why, As: "jane", Key: "SHA256:k", Signature: "signed"}, nil
}

// lines gives the digest of each line, and which records were sealed.
func lines(t *testing.T, j journal.Journal) (digests map[uint64]patch.Digest, kinds []string, sealed []rollout.Sealed) {
	t.Helper()
	digests = map[uint64]patch.Digest{}
	err := j.Read(t.Context(), 1, func(r journal.Record) error {
		_, mark, err := journal.Line(journal.Mark{Seq: r.Seq - 1, Line: r.Prev}, r)
		digests[r.Seq], kinds = mark.Line, append(kinds, r.Kind)
		if event, _ := engine.EventOf(r); event.Entry != nil {
			if s, ok := event.Entry.(rollout.Sealed); ok {
				sealed = append(sealed, s)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return digests, kinds, sealed
}

func TestCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journaltest.Memory{}
		e, p := setup(t, j, fleet())
		n := &notary{only: -1}
		e.Seal = n.seal
		s, _, err := e.Run(t.Context(), nil)
		if err != nil || summary(s) != allHealthy {
			t.Fatalf("%s, %v", summary(s), err)
		}
		if want := []string{"opened", "gate test", "gate production", "finished"}; !slices.Equal(n.asked, want) {
			t.Errorf("signed %q, want %q", n.asked, want)
		}
		digests, kinds, sealed := lines(t, j)
		for _, one := range sealed {
			if digests[one.Seq] != one.Line {
				t.Errorf("the checkpoint %q names %s at %d, and the line is %s", one.Why, one.Line, one.Seq, digests[one.Seq])
			}
		}
		for i, kind := range kinds {
			if kind == "gate_opened" && kinds[i+1] != "sealed" {
				t.Errorf("record %d: after a gate opened came %s, not its checkpoint", i+2, kinds[i+1])
			}
		}
		if last := kinds[len(kinds)-1]; last != "sealed" {
			t.Errorf("the last record is %s", last)
		}
		p.check(t)
	})
}

// What can't be signed is not begun; the next run signs first, and goes on.
func TestNothingBeginsWithoutItsCheckpoint(t *testing.T) {
	for may := range 4 {
		synctest.Test(t, func(t *testing.T) {
			j := &journaltest.Memory{}
			e, p := setup(t, j, fleet())
			n := &notary{only: may}
			e.Seal = n.seal
			_, _, err := e.Run(t.Context(), nil)
			if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "was not signed") {
				t.Fatalf("%d: %v", may, err)
			}
			ring := []string{"", "", "t", "p"}[may]
			for _, task := range p.begun() {
				if ring == "" || (ring == "t" && task[0] == 'p') {
					t.Errorf("%d: begun %s", may, task)
				}
			}
			n.only = -1
			again, _, err := e.Run(t.Context(), nil)
			if err != nil {
				t.Fatalf("%d: run again: %v", may, err)
			}
			if err := e.SealNow(t.Context()); err != nil { // where the end itself was not signed
				t.Fatal(err)
			}
			if summary(again) != allHealthy || len(n.asked) != 4 {
				t.Errorf("%d: %s, signed %q", may, summary(again), n.asked)
			}
			p.check(t)
		})
	}
}
