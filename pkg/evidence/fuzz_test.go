package evidence_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/plan"
)

// FuzzUnpack: whatever comes as an archive, what is read of it has names of a bundle, in
// order, each once.
func FuzzUnpack(f *testing.F) {
	f.Add(evidence.Pack([]evidence.Piece{{Name: "README.txt", Content: []byte("read me")}, {Name: "hosts.csv"}}, noon()))
	f.Add([]byte("PK\x05\x06"))
	f.Add([]byte("PK\x03\x04\x0a\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		var names []string
		for _, p := range evidence.TryUnpack(archive) {
			names = append(names, p.Name)
		}
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || strings.Contains(strings.Join(names, ""), "..") {
			t.Errorf("read as %q", names)
		}
		if _, err := evidence.Verify(evidence.Check{Archive: archive}); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// FuzzManifest: there is one way to write a manifest.
func FuzzManifest(f *testing.F) {
	f.Add(piece(f, built(f, begin(f, first, plan.Trust{}).source(), nil), "manifest.json"))
	f.Add([]byte(`{"version":1,"kind":"patchring evidence","files":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if again, ok := evidence.Reread(raw); ok && !bytes.Equal(raw, again) {
			t.Errorf("%q is written %q", raw, again)
		}
	})
}

// FuzzPublished: what was published is a file of somebody else's.
func FuzzPublished(f *testing.F) {
	archive := whole(f, first, strict()).bundle()
	f.Add(statements(f, archive)[:700])
	f.Add([]byte(`{"message":"patchring checkpoint v1\n","signature":""} {}`))
	f.Add([]byte(`{"message": 1}`))
	who := allowed(f, signers())
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := evidence.Verify(evidence.Check{Archive: archive, Allowed: who, Published: raw, Now: noon()})
		if err != nil || len(v.Parts) != 12 {
			t.Errorf("%v, %+v", err, v)
		}
	})
}

// FuzzRecord: somebody with the keys of nobody appends a record to a journal, in a chain that
// holds: it breaks nothing, and is never taken for what others must sign.
func FuzzRecord(f *testing.F) {
	s := whole(f, first, strict())
	for line := range bytes.Lines(s.journal) {
		var r journal.Record
		if err := json.Unmarshal(line, &r); err != nil {
			f.Fatal(err)
		}
		f.Add(r.Kind, []byte(r.Payload), true)
		f.Add(r.Kind, []byte(r.Payload), false)
	}
	who := allowed(f, signers())
	f.Fuzz(func(t *testing.T, kind string, payload []byte, alone bool) {
		mark, text := s.mark, s.journal
		if alone {
			mark, text = journal.Mark{}, nil
		}
		line, _, err := journal.Line(mark, journal.Record{Time: noon(), Kind: kind, Payload: payload})
		if err != nil {
			return
		}
		source := s.source()
		source.Journal = slices.Concat(text, line, []byte("\n"))
		archive, err := evidence.Build(source, nil)
		if err != nil {
			return
		}
		v, err := evidence.Verify(evidence.Check{Archive: archive, Allowed: who, Now: noon()})
		if err != nil || v.Part(evidence.PartJournal).Standing != evidence.Proven || v.Standing() == evidence.Proven {
			t.Errorf("what was built is not verified, or proven without a signature: %v, %+v", err, v.Parts)
		}
	})
}
