package journaltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/journal"
)

// Backend is a journal under test: Open gives further handles on the same journal,
// as another process would have them.
type Backend struct {
	Open func(t *testing.T) journal.Journal
}

// Conform is what every journal must pass. Each part gets a backend of its own.
func Conform(t *testing.T, fresh func(t *testing.T) Backend) {
	t.Helper()
	parts := []struct {
		name string
		run  func(t *testing.T, b Backend)
	}{
		{"empty", empty},
		{"round trip", roundTrip},
		{"compare and swap", compareAndSwap},
		{"another handle", anotherHandle},
		{"an append is whole", whole},
		{"cancelled", cancelled},
		{"fn ends the reading", fnEnds},
		{"cancelled while reading", cancelledWhileReading},
		{"racing", racing},
		{"one of many wins", oneWins},
		{"a batch is read whole, in order", batches},
		{"read while appending", readWhileAppending},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.run(t, fresh(t)) })
	}
}

// Sample is a record whose payload names n.
func Sample(n int) journal.Record {
	return journal.Record{
		Time: time.Date(2026, 11, 21, 22, 0, n, 0, time.UTC), Actor: "jane@desk", Kind: "sample",
		Payload: json.RawMessage(fmt.Sprintf(`{"n":%d,"text":"<&>"}`, n)),
	}
}

// All reads every record with seq ≥ from.
func All(t *testing.T, j journal.Journal, from uint64) []journal.Record {
	t.Helper()
	var out []journal.Record
	err := j.Read(t.Context(), from, func(r journal.Record) error { out = append(out, r); return nil })
	if err != nil {
		t.Fatalf("read from %d: %v", from, err)
	}
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func empty(t *testing.T, b Backend) {
	t.Helper()
	j := b.Open(t)
	if got := All(t, j, 1); len(got) != 0 {
		t.Errorf("a new journal has %d records", len(got))
	}
	must(t, j.Append(t.Context(), 0))
	if got := All(t, j, 0); len(got) != 0 {
		t.Errorf("appending nothing made %d records", len(got))
	}
}

func roundTrip(t *testing.T, b Backend) {
	t.Helper()
	j := b.Open(t)
	must(t, j.Append(t.Context(), 0, Sample(1), Sample(2)))
	must(t, j.Append(t.Context(), 2, Sample(3)))
	got := All(t, j, 1)
	if len(got) != 3 {
		t.Fatalf("%d records, want 3", len(got))
	}
	for i, r := range got {
		want := Sample(i + 1)
		if r.Seq != uint64(i+1) || r.Version != journal.Version || !r.Time.Equal(want.Time) || r.Actor != want.Actor || string(r.Payload) != string(want.Payload) {
			t.Errorf("record %d came back as %+v", i+1, r)
		}
	}
	if got[0].Prev != "" || got[1].Prev == "" || got[2].Prev == got[1].Prev {
		t.Error("the records are not chained")
	}
	if tail := All(t, j, 3); len(tail) != 1 || tail[0].Seq != 3 {
		t.Errorf("reading from 3 gave %d records", len(tail))
	}
	if tail := All(t, j, 4); len(tail) != 0 {
		t.Errorf("reading behind the end gave %d records", len(tail))
	}
}

func compareAndSwap(t *testing.T, b Backend) {
	t.Helper()
	j := b.Open(t)
	must(t, j.Append(t.Context(), 0, Sample(1)))
	for _, after := range []uint64{0, 2} {
		if err := j.Append(t.Context(), after, Sample(9)); !errors.Is(err, journal.ErrMoved) {
			t.Errorf("append behind %d: %v, want ErrMoved", after, err)
		}
	}
	must(t, j.Append(t.Context(), 1, Sample(2)))
	if got := All(t, j, 1); len(got) != 2 {
		t.Errorf("%d records, want 2: a refused append left something", len(got))
	}
}

func anotherHandle(t *testing.T, b Backend) {
	t.Helper()
	one, two := b.Open(t), b.Open(t)
	must(t, one.Append(t.Context(), 0, Sample(1)))
	must(t, two.Append(t.Context(), 1, Sample(2)))
	if err := one.Append(t.Context(), 1, Sample(9)); !errors.Is(err, journal.ErrMoved) {
		t.Errorf("append after another's: %v, want ErrMoved", err)
	}
	if got := All(t, one, 2); len(got) != 1 || string(got[0].Payload) != string(Sample(2).Payload) {
		t.Errorf("the other's record reads as %v", got)
	}
	must(t, one.Append(t.Context(), 2, Sample(3)))
	if got := All(t, two, 1); len(got) != 3 {
		t.Errorf("%d records, want 3", len(got))
	}
}

func whole(t *testing.T, b Backend) {
	t.Helper()
	j := b.Open(t)
	must(t, j.Append(t.Context(), 0, Sample(1)))
	bad := Sample(3)
	bad.Payload = json.RawMessage("{")
	if err := j.Append(t.Context(), 1, Sample(2), bad); err == nil {
		t.Error("a payload that is no JSON was taken")
	}
	bad.Payload = nil
	if err := j.Append(t.Context(), 1, Sample(2), bad); err == nil {
		t.Error("a record without a payload was taken")
	}
	if got := All(t, j, 1); len(got) != 1 {
		t.Errorf("%d records, want 1: half of a refused append counts", len(got))
	}
	must(t, j.Append(t.Context(), 1, Sample(2)))
}

func cancelled(t *testing.T, b Backend) {
	t.Helper()
	j := b.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	must(t, j.Append(ctx, 0, Sample(1)))
	cancel()
	if err := j.Append(ctx, 1, Sample(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("append with a cancelled context: %v", err)
	}
	if err := j.Read(ctx, 1, func(journal.Record) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("read with a cancelled context: %v", err)
	}
	if got := All(t, j, 1); len(got) != 1 {
		t.Errorf("%d records, want 1", len(got))
	}
}

func fnEnds(t *testing.T, b Backend) {
	t.Helper()
	j := b.Open(t)
	must(t, j.Append(t.Context(), 0, Sample(1), Sample(2)))
	enough := errors.New("enough")
	n := 0
	err := j.Read(t.Context(), 1, func(journal.Record) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("fn was called %d times, and Read gave %v", n, err)
	}
}
