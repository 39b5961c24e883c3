package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/engine/sim"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/statedir"
)

// BenchmarkLoad reads, verifies and folds the journal of a whole rollout from a file,
// as `status` does.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			root, records := journalOf(b, n)
			for b.Loop() {
				d, err := journal.Open(root)
				if err != nil {
					b.Fatal(err)
				}
				s, err := engine.Load(context.WithoutCancel(b.Context()), d)
				if err != nil || s.Phase() != rollout.PhaseFinished {
					b.Fatal(s, err)
				}
				if err := d.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(records), "records")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
		})
	}
}

// journalOf writes the journal of a rollout of n hosts.
func journalOf(b *testing.B, n int) (*os.Root, int) {
	b.Helper()
	o, f := rollout.Opened{Rollout: "r", Playbook: "monthly", Site: "hq"}, sim.Fleet{}
	for _, name := range []string{"test", "production"} {
		r := plan.Ring{Name: name, MaxInFlight: 200, FailureLimit: n}
		for i := range n / 2 {
			id := host(fmt.Sprintf("%s-%05d", name, i))
			r.Hosts = append(r.Hosts, id)
			f[id] = fleet()[host("t1")]
		}
		o.Rings = append(o.Rings, r)
	}
	events, _, _, err := sim.Play(o, time.Unix(0, 0), f)
	if err != nil {
		b.Fatal(err)
	}
	return written(b, events), len(events)
}

func written(b *testing.B, events []rollout.Event) *os.Root {
	b.Helper()
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, statedir.JournalName), nil, 0o600); err != nil {
		b.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = root.Close() })
	d, err := journal.Open(root)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	records := make([]journal.Record, 0, len(events))
	for _, e := range events {
		kind, payload, err := rollout.Marshal(e.Entry)
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, journal.Record{Time: e.Time, Actor: e.Actor, Kind: kind, Payload: payload})
	}
	if err := d.Append(context.WithoutCancel(b.Context()), 0, records...); err != nil {
		b.Fatal(err)
	}
	return root
}
