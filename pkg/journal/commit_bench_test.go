package journal

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"
)

// counting counts the syncs of a journal.
type counting struct {
	*os.File
	syncs *int
}

func (c counting) Sync() error { *c.syncs++; return c.File.Sync() }

func counted(b *testing.B) (d *Dir, syncs *int) {
	b.Helper()
	d, syncs = fresh(b, newFolder(b)), new(int)
	d.over = func(f *os.File) disk { return counting{f, syncs} }
	return d, syncs
}

// BenchmarkGroupCommit lets 5,000 hosts journal what they do, each waiting for its record
// to be durable before the next, and one writer take whatever is ready into one append,
// as engine does. Beside it, in the same run, a few appends of one record each.
func BenchmarkGroupCommit(b *testing.B) {
	const hosts, each, alone = 5000, 3, 100
	ctx := context.WithoutCancel(b.Context())
	var records, syncs int
	var together, single time.Duration
	for b.Loop() {
		d, n := counted(b)
		began := time.Now()
		commitAll(ctx, b, d, hosts, each)
		together += time.Since(began)
		records, syncs = records+hosts*each, syncs+*n

		d, _ = counted(b)
		began = time.Now()
		for i := range alone {
			if err := d.Append(ctx, uint64(i), rec(i)); err != nil {
				b.Fatal(err)
			}
		}
		single += time.Since(began)
	}
	perSecond := float64(records) / together.Seconds()
	b.ReportMetric(perSecond, "records/s")
	b.ReportMetric(float64(syncs)/float64(records), "syncs/record")
	b.ReportMetric(perSecond*single.Seconds()/float64(alone*b.N), "times-as-fast-as-single")
}

// ready is a record of a host that waits for it to be durable.
type ready struct {
	record  Record
	durable chan<- struct{}
}

func commitAll(ctx context.Context, b *testing.B, d *Dir, hosts, each int) {
	b.Helper()
	queue := make(chan ready)
	var wg sync.WaitGroup
	for h := range hosts {
		wg.Go(func() {
			durable := make(chan struct{}, 1)
			for i := range each {
				queue <- ready{rec(h*each + i), durable}
				<-durable
			}
		})
	}
	for after := 0; after < hosts*each; {
		group := gather(queue)
		batch := make([]Record, 0, len(group))
		for _, r := range group {
			batch = append(batch, r.record)
		}
		if err := d.Append(ctx, uint64(after), batch...); err != nil {
			b.Fatal(err)
		}
		for _, r := range group {
			r.durable <- struct{}{}
		}
		after += len(group)
	}
	wg.Wait()
}

// gather waits for one, and takes what else is there.
func gather(queue <-chan ready) []ready {
	group := []ready{<-queue}
	for {
		select {
		case r := <-queue:
			group = append(group, r)
		default:
			return group
		}
	}
}
