package evidence_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
)

// TestWhole: a rollout that kept all rules is proven in all its parts.
func TestWhole(t *testing.T) {
	s := whole(t, "2026-11-21-monthly-7f3a", strict())
	v := verified(t, s.bundle())
	for _, p := range v.Parts {
		if p.Standing != evidence.Proven && p.Name != evidence.PartPublished {
			t.Errorf("%s is %s: %v", p.Name, p.Standing, p.Why)
		}
	}
	if v.Standing() != evidence.Proven || !v.Finished || len(v.Limits) == 0 {
		t.Errorf("the whole is %s, finished %v, limits %v", v.Standing(), v.Finished, v.Limits)
	}
}

// TestSameBytes: a bundle is a function of what it is made of.
func TestSameBytes(t *testing.T) {
	s := whole(t, "2026-11-21-monthly-7f3a", strict())
	if !bytes.Equal(s.bundle(), s.bundle()) {
		t.Error("the same rollout gave two bundles")
	}
}

// TestStockZip: anybody's unzip reads it.
func TestStockZip(t *testing.T) {
	archive := whole(t, "2026-11-21-monthly-7f3a", strict()).bundle()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, f := range r.File {
		if f.Method != zip.Store || len(f.Extra) > 0 || f.Name <= last {
			t.Errorf("%s: method %d, extra %x, behind %s", f.Name, f.Method, f.Extra, last)
		}
		last = f.Name
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := out.ReadFrom(content); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if len(r.File) < 20 {
		t.Errorf("only %d files", len(r.File))
	}
}

// TestUnsigned: without signatures everything hangs together, and nothing is proven.
func TestUnsigned(t *testing.T) {
	s := whole(t, "2026-11-21-monthly-7f3a", plan.Trust{})
	v := verified(t, built(t, s.source(), nil))
	if v.Standing() != evidence.NotProven || v.Part(evidence.PartManifest).Standing != evidence.Absent || v.Part(evidence.PartCheckpoints).Standing != evidence.Absent {
		t.Errorf("%s: %+v", v.Standing(), v.Parts)
	}
}

// TestNobodyKnown: good signatures of unknown people prove nothing.
func TestNobodyKnown(t *testing.T) {
	v := audited(t, evidence.Check{Archive: whole(t, "2026-11-21-monthly-7f3a", strict()).bundle()})
	for _, name := range []string{evidence.PartManifest, evidence.PartApprovals, evidence.PartCheckpoints, evidence.PartPlanSigned} {
		if p := v.Part(name); p.Standing != evidence.NotProven {
			t.Errorf("%s is %s: %v", name, p.Standing, p.Why)
		}
	}
	if v.Standing() != evidence.NotProven {
		t.Errorf("the whole is %s", v.Standing())
	}
}

// BenchmarkLarge builds and verifies the bundle of a rollout over 5,000 hosts.
func BenchmarkLarge(b *testing.B) {
	var web []fact.HostID
	for i := range 5000 {
		web = append(web, host(fmt.Sprintf("web-%05d", i)))
	}
	s := beginOf(b, first, strict(), web)
	s.carry()
	who := allowed(b, signers())
	var archive []byte
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			archive = built(b, s.source(), operator().signer)
		}
		b.ReportMetric(float64(len(archive))/(1<<20), "MiB")
	})
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v, err := evidence.Verify(evidence.Check{Archive: archive, Allowed: who, Now: noon()})
			if err != nil || v.Standing() != evidence.Proven {
				b.Fatal(err, v.Parts)
			}
		}
	})
}
