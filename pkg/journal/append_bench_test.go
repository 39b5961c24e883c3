package journal_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/statedir"
)

// A whole ring's step ends cost one sync, not one each.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(map[int]string{1: "one", 100: "hundred", 1000: "thousand"}[n], func(b *testing.B) {
			dir := b.TempDir()
			if err := os.WriteFile(filepath.Join(dir, statedir.JournalName), nil, 0o600); err != nil {
				b.Fatal(err)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer root.Close()
			d, err := journal.Open(root)
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			batch := make([]journal.Record, n)
			for i := range batch {
				batch[i] = journaltest.Sample(i)
			}
			appendAll(b, d, batch)
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/record")
		})
	}
}

func appendAll(b *testing.B, d *journal.Dir, batch []journal.Record) {
	b.Helper()
	var after uint64
	for b.Loop() {
		if err := d.Append(context.WithoutCancel(b.Context()), after, batch...); err != nil {
			b.Fatal(err)
		}
		after += uint64(len(batch))
	}
}
