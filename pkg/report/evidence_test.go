package report

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// sampleVerdict has parts that stand as given.
func sampleVerdict(checkpoints, manifest evidence.Standing) evidence.Verdict {
	return evidence.Verdict{
		Manifest: evidence.Manifest{
			Rollout: "2026-11-21-monthly-7f3a", Site: "hq", Playbook: "monthly", Tool: "v1.2.3", Opened: at(0), Changed: at(90), Phase: rollout.PhaseFinished,
			Records: 39, Line: patch.DigestOf([]byte("line")), Plan: patch.DigestOf([]byte("plan")), Source: patch.DigestOf([]byte("book")),
			Trust: plan.Trust{Approvals: true, Checkpoints: true, FourEyes: true},
		},
		Finished: true, Signer: "olga@hq.example (SHA256:kfmPNNJTGABIhGloUqnnfInBmzhMz6Oq3c+6xQUvk1I)",
		Parts: []evidence.Part{
			{Name: evidence.PartArchive, Standing: evidence.Proven, Demanded: true},
			{Name: evidence.PartManifest, Standing: manifest, Demanded: true, Why: []string{"signed by olga@hq.example (SHA256:kfmPNNJTGABIhGloUqnnfInBmzhMz6Oq3c+6xQUvk1I)"}},
			{Name: evidence.PartPlanSigned, Standing: evidence.Absent, Why: []string{"the plan was not signed"}},
			{Name: evidence.PartCheckpoints, Standing: checkpoints, Demanded: true, Why: []string{"record 23: signed for another record 22 than the one that stands there"}},
		},
		Limits: []string{"Times are those of the machine that ran patchring.", "A stolen key signs as well as its owner."},
	}
}

// TestEvidence shows the document as people and programs see it. Its golden files lie apart:
// those beside are of the documents that rollouts are made of.
func TestEvidence(t *testing.T) {
	unfinished := sampleVerdict(evidence.NotProven, evidence.Absent)
	unfinished.Finished, unfinished.Signer, unfinished.Manifest.Phase = false, "", rollout.PhaseHalted
	for name, v := range map[string]evidence.Verdict{
		"proven": sampleVerdict(evidence.Proven, evidence.Proven), "broken": sampleVerdict(evidence.Broken, evidence.Proven), "open": unfinished,
		"unread": {Parts: []evidence.Part{{Name: evidence.PartArchive, Demanded: true, Why: []string{"file 1 of the archive: not stored as patchring stores it"}}}},
	} {
		for suffix, format := range map[string]Format{"80.txt": FormatTable, "json": FormatJSON, "csv": FormatCSV, "md": FormatMarkdown} {
			got := render(t, NewEvidence(v), format, Options{Width: 80})
			path := filepath.Join("testdata", "evidence", name+"."+suffix)
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is\n%s", path, got)
			}
		}
	}
}

// TestEvidenceEnding: only what is proven exits with 0.
func TestEvidenceEnding(t *testing.T) {
	for name, tt := range map[string]struct {
		v    evidence.Verdict
		want int
	}{
		"proven":     {sampleVerdict(evidence.Proven, evidence.Proven), ExitDone},
		"broken":     {sampleVerdict(evidence.Broken, evidence.Proven), ExitError},
		"not proven": {sampleVerdict(evidence.NotProven, evidence.Proven), ExitNeedsPerson},
		"unsigned":   {sampleVerdict(evidence.Proven, evidence.Absent), ExitNeedsPerson},
		"both":       {sampleVerdict(evidence.Broken, evidence.Absent), ExitError},
		"nothing":    {evidence.Verdict{}, ExitError},
	} {
		if got := NewEvidence(tt.v).Exit; got.Code != tt.want {
			t.Errorf("%s: %+v, want %d", name, got, tt.want)
		}
	}
}

// TestEvidenceIsSafe: a bundle is foreign text from its first byte.
func TestEvidenceIsSafe(t *testing.T) {
	v := sampleVerdict(evidence.Broken, evidence.Proven)
	evil := "\x1b]0;x\x07<script>\u202e=cmd()" + strings.Repeat("long ", 500)
	v.Manifest.Rollout, v.Manifest.Site, v.Manifest.Tool, v.Signer, v.Manifest.Phase = evil, evil, evil, evil, rollout.Phase(evil)
	v.Parts[0].Why, v.Limits = []string{evil}, []string{evil}
	for _, format := range []Format{FormatTable, FormatJSON, FormatCSV, FormatMarkdown} {
		got := string(render(t, NewEvidence(v), format, Options{Width: 80}))
		if strings.ContainsAny(got, "\x1b\x07\u202e") {
			t.Errorf("%s lets through what a terminal obeys:\n%q", format, got)
		}
		for line := range strings.Lines(got) {
			if format == FormatTable && Width(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("wider than 80 columns: %s", line)
			}
		}
	}
	walk(t, "evidence", reflect.TypeFor[Evidence](), map[reflect.Type]bool{})
}
