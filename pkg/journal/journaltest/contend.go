package journaltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/patchring/patchring/pkg/journal"
)

// racing: many handles append at once; every record is there exactly once.
func racing(t *testing.T, b Backend) {
	t.Helper()
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for w := range writers {
		j := b.Open(t)
		wg.Go(func() {
			for i := range each {
				if err := insist(t.Context(), j, Sample(w*each+i)); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	var payloads []string
	for _, r := range All(t, b.Open(t), 1) {
		payloads = append(payloads, string(r.Payload))
	}
	slices.Sort(payloads)
	if n := len(payloads); n != writers*each || len(slices.Compact(payloads)) != n {
		t.Errorf("%d records, want %d different ones", n, writers*each)
	}
}

// insist appends one record, however often others come first.
func insist(ctx context.Context, j journal.Journal, r journal.Record) error {
	for {
		var last uint64
		if err := j.Read(ctx, 1, func(r journal.Record) error { last = r.Seq; return nil }); err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if err := j.Append(ctx, last, r); !errors.Is(err, journal.ErrMoved) {
			return err
		}
	}
}

// cancelledWhileReading: a long reading ends soon after its context, with its error.
func cancelledWhileReading(t *testing.T, b Backend) {
	t.Helper()
	const records = 5000
	j := b.Open(t)
	must(t, j.Append(t.Context(), 0, many(records)...))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	err := j.Read(ctx, 1, func(journal.Record) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n >= records {
		t.Errorf("%d records were read after the context had ended, and Read gave %v", n, err)
	}
	if got := All(t, j, records); len(got) != 1 {
		t.Errorf("after that, %d records are read behind the last but one", len(got))
	}
}

func many(n int) []journal.Record {
	out := make([]journal.Record, n)
	for i := range out {
		out[i] = Sample(i)
	}
	return out
}

// oneWins: of many appends behind the same record, through one handle and through
// others, one is taken, and all others are told that the journal has moved on.
func oneWins(t *testing.T, b Backend) {
	t.Helper()
	const rounds, each = 10, 8
	shared := b.Open(t)
	handles := []journal.Journal{shared, shared, shared, shared, b.Open(t), b.Open(t), b.Open(t), b.Open(t)}
	for round := range rounds {
		after := uint64(round)
		var wg sync.WaitGroup
		results := make([]error, each)
		for i, j := range handles {
			wg.Go(func() { results[i] = j.Append(t.Context(), after, Sample(round*each+i)) })
		}
		wg.Wait()
		won := slices.IndexFunc(results, func(err error) bool { return err == nil })
		for i, err := range results {
			if i != won && !errors.Is(err, journal.ErrMoved) {
				t.Errorf("round %d, append %d: %v, want ErrMoved", round, i, err)
			}
		}
		got := All(t, b.Open(t), after+1)
		if won < 0 || len(got) != 1 || string(got[0].Payload) != string(Sample(round*each+won).Payload) {
			t.Fatalf("round %d: append %d won, and %v is there", round, won, got)
		}
	}
}

// batchSize is that of each append of the next two parts.
const batchSize = 7

// appendBatches appends batches whose records are numbered from 0.
func appendBatches(ctx context.Context, j journal.Journal, n int) error {
	all := many(n * batchSize)
	for at := 0; at < len(all); at += batchSize {
		if err := j.Append(ctx, uint64(at), all[at:at+batchSize]...); err != nil {
			return fmt.Errorf("batch at %d: %w", at, err)
		}
	}
	return nil
}

// checkNumbered: the records are those of whole batches, in the order of the appends.
func checkNumbered(t *testing.T, got []journal.Record) {
	t.Helper()
	if len(got)%batchSize != 0 {
		t.Errorf("%d records were read: a part of a batch of %d", len(got), batchSize)
	}
	for i, r := range got {
		if r.Seq != uint64(i+1) || string(r.Payload) != string(Sample(i).Payload) {
			t.Fatalf("record %d came as %d, %s", i+1, r.Seq, r.Payload)
		}
	}
}

// batches: when Append returns, all of its records are there for everybody, behind
// those of the appends before.
func batches(t *testing.T, b Backend) {
	t.Helper()
	const n = 5
	j := b.Open(t)
	all := many(n * batchSize)
	for at := 0; at < len(all); at += batchSize {
		must(t, j.Append(t.Context(), uint64(at), all[at:at+batchSize]...))
		got := All(t, b.Open(t), 1)
		checkNumbered(t, got)
		if len(got) != at+batchSize {
			t.Fatalf("%d records are there for others, %d were appended", len(got), at+batchSize)
		}
	}
}

// readWhileAppending: readers see whole batches, in order, and never fewer than before.
func readWhileAppending(t *testing.T, b Backend) {
	t.Helper()
	const n, readers = 40, 4
	writer, done := b.Open(t), make(chan struct{})
	var wg sync.WaitGroup
	for range readers {
		j := b.Open(t)
		wg.Go(func() { follow(t, j, done) })
	}
	err := appendBatches(t.Context(), writer, n)
	close(done)
	wg.Wait()
	must(t, err)
	if got := All(t, b.Open(t), 1); len(got) != n*batchSize {
		t.Errorf("%d records, want %d", len(got), n*batchSize)
	}
}

// follow reads again and again, only what is new, until the appends are done.
func follow(t *testing.T, j journal.Journal, done <-chan struct{}) {
	t.Helper()
	var seen []journal.Record
	for {
		select {
		case <-done:
			return
		default:
		}
		err := j.Read(t.Context(), uint64(len(seen))+1, func(r journal.Record) error {
			if r.Seq != uint64(len(seen))+1 || string(r.Payload) != string(Sample(len(seen)).Payload) {
				return fmt.Errorf("record %d stands where %d should", r.Seq, len(seen)+1)
			}
			seen = append(seen, r)
			return nil
		})
		if err != nil || len(seen)%batchSize != 0 {
			t.Errorf("%d records were read, in batches of %d: %v", len(seen), batchSize, err)
			return
		}
	}
}
