package report

import (
	"fmt"
	"io"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

// BenchmarkReport is the report of a rollout of 2,000 hosts as a table.
func BenchmarkReport(b *testing.B) {
	s := sampleSource()
	one := s.Status.Hosts[0]
	for i := range 2000 {
		h := one
		h.ID = fact.HostID{Site: "hq", Name: fmt.Sprintf("web%04d", i)}
		s.Status.Hosts = append(s.Status.Hosts, h)
	}
	doc := NewRollout(s)
	for b.Loop() {
		if err := Write(io.Discard, doc, FormatTable, Options{Width: 80}); err != nil {
			b.Fatal(err)
		}
	}
}
