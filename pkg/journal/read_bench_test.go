package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
)

// typical are the lines of a journal like that of a rollout of many hosts: two
// records a step, the ends of some with more to tell.
func typical(tb testing.TB, n int) [][]byte {
	tb.Helper()
	var at Mark
	lines := make([][]byte, 0, n)
	for i := range n {
		payload := fmt.Sprintf(`{"host":"hq/production-%05d","step":"install","mode":"start"}`, i/16)
		if i%2 == 1 {
			payload = fmt.Sprintf(`{"host":"hq/production-%05d","step":"install","outcome":"ok","reasons":["installed and running: openssl 3.0.2-0ubuntu1.%d"]}`, i/16, i%20)
		}
		line, next, err := Line(at, Record{
			Time: time.Unix(1_800_000_000, int64(i)*1_234_567), Actor: "jane@desk", Kind: [2]string{"step_started", "step_ended"}[i%2],
			Payload: json.RawMessage(payload),
		})
		if err != nil {
			tb.Fatal(err)
		}
		lines, at = append(lines, line), next
	}
	return lines
}

// BenchmarkParse holds the reading of 160,000 records, a rollout of 10,000 hosts,
// against the strict reading of every line, in one run.
func BenchmarkParse(b *testing.B) {
	lines := typical(b, 160_000)
	b.SetBytes(int64(len(bytes.Join(lines, nil))))
	var fast, strict time.Duration
	for b.Loop() {
		fast += taken(b, lines, Parse)
		strict += taken(b, lines, parseStrictly)
	}
	b.ReportMetric(float64(fast.Nanoseconds())/float64(b.N*len(lines)), "ns/record")
	b.ReportMetric(float64(strict)/float64(fast), "times-as-fast-as-strict")
}

func taken(b *testing.B, lines [][]byte, parse func(Mark, []byte) (Record, Mark, error)) time.Duration {
	b.Helper()
	var at Mark
	var err error
	began := time.Now()
	for _, line := range lines {
		if _, at, err = parse(at, line); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// parseStrictly is Parse without canonical.
func parseStrictly(after Mark, line []byte) (Record, Mark, error) {
	r, err := parse(line)
	if err != nil || r.Seq != after.Seq+1 || r.Prev != after.Line {
		return Record{}, after, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	return r, Mark{Seq: r.Seq, Line: patch.DigestOf(line)}, nil
}
