package journal_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
)

var update = flag.Bool("update", false, "write golden files that are not there yet; an old one is never written again")

// goldens are the records of each golden journal. Those journals were written by earlier
// builds, and are read for ever; a new format gets files of its own.
func goldens() map[string][]journal.Record {
	at := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	rec := func(actor, kind, payload string) journal.Record {
		at = at.Add(90*time.Minute + 123456789)
		return journal.Record{Time: at, Actor: actor, Kind: kind, Payload: json.RawMessage(payload)}
	}
	return map[string][]journal.Record{
		"v1-plain.jsonl": {journaltest.Sample(1), journaltest.Sample(2), journaltest.Sample(3)},
		"v1-one.jsonl":   {rec("ci@runner-7", "began", `{}`)},
		"v1-payloads.jsonl": {
			rec("jane@desk", "list", `[1,2.5,-3e10,true,false,null]`),
			rec("jane@desk", "text", `"a \"word\" with a \\ and a \u2028"`),
			rec("jane@desk", "number", `0`),
			rec("jane@desk", "deep", strings.Repeat(`{"a":[`, 50)+strings.Repeat(`]}`, 50)),
			rec("jane@desk", "like_an_envelope", `{"v":9,"seq":9,"prev":"sha256:00","payload":{"prev":""}}`),
			rec("jane@desk", "long", `{"text":"`+strings.Repeat("long ", 8<<10)+`"}`),
		},
		"v1-actors.jsonl": {
			rec(`o"malley\@desk`, "quoted", `{}`),
			rec("ünal@büro", "letters", `{"city":"Zürich"}`),
			rec("", "nobody", `{}`),
			rec("line\nbreak\ttab", "control", `{}`),
			rec("sep\u2028arator", "kind with spaces", `{}`),
		},
		"v1-times.jsonl": {
			{Time: time.Unix(0, 0), Actor: "a", Kind: "epoch", Payload: json.RawMessage(`{}`)},
			{Time: time.Date(2028, 2, 29, 23, 59, 59, 999_999_999, time.UTC), Actor: "a", Kind: "leap", Payload: json.RawMessage(`{}`)},
			{Time: time.Date(2026, 10, 25, 2, 30, 0, 100, time.FixedZone("CEST", 7200)), Actor: "a", Kind: "zone", Payload: json.RawMessage(`{}`)},
			{Actor: "a", Kind: "never", Payload: json.RawMessage(`{}`)},
		},
	}
}

func textOf(t *testing.T, records []journal.Record) []byte {
	t.Helper()
	var text []byte
	var at journal.Mark
	for _, r := range records {
		line, next, err := journal.Line(at, r)
		if err != nil {
			t.Fatal(err)
		}
		text, at = append(append(text, line...), '\n'), next
	}
	return text
}

func TestGolden(t *testing.T) {
	for name, records := range goldens() {
		t.Run(name, func(t *testing.T) {
			text := goldenText(t, filepath.Join("testdata", "journals", name), textOf(t, records))
			if !bytes.Equal(text, textOf(t, records)) {
				t.Error("records are written in another way than they were")
			}
			got := journaltest.All(t, open(t, folder(t, text)), 1)
			if len(got) != len(records) {
				t.Fatalf("%d records were read, want %d", len(got), len(records))
			}
			for i, want := range records {
				checkRecord(t, got[i], want, uint64(i+1))
			}
		})
	}
}

func goldenText(t *testing.T, path string, text []byte) []byte {
	t.Helper()
	if _, err := os.Stat(path); err != nil && *update {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return golden
}

func checkRecord(t *testing.T, got, want journal.Record, seq uint64) {
	t.Helper()
	same := got.Version == 1 && got.Seq == seq && got.Time.Equal(want.Time) && got.Actor == want.Actor &&
		got.Kind == want.Kind && bytes.Equal(got.Payload, want.Payload)
	if !same {
		t.Errorf("record %d is read as %+v, want %+v", seq, got, want)
	}
}

// Every golden journal has its test: one that nobody reads proves nothing.
func TestGoldensAreAllRead(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "journals", "*"))
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"v1-torn.jsonl", "v2-newer.jsonl"}
	for name := range goldens() {
		known = append(known, name)
	}
	for _, f := range files {
		if !slices.Contains(known, filepath.Base(f)) {
			t.Errorf("no test reads %s", f)
		}
	}
}

func TestGoldenTorn(t *testing.T) {
	whole := written(t, 3)
	text := goldenText(t, filepath.Join("testdata", "journals", "v1-torn.jsonl"), whole[:len(whole)-40])
	d := open(t, folder(t, text))
	if got := journaltest.All(t, d, 1); len(got) != 2 {
		t.Errorf("%d records were read, want 2", len(got))
	}
	if told, ok := d.Damage(); !ok || told.After != 2 {
		t.Errorf("told was %+v, %v", told, ok)
	}
}

// A journal that a newer patchring has carried on: what we know of it is no reason to
// read on.
func TestGoldenNewer(t *testing.T) {
	newer := bytes.Replace(written(t, 1), []byte(`{"v":1`), []byte(`{"v":2,"node":"a"`), 1)
	text := goldenText(t, filepath.Join("testdata", "journals", "v2-newer.jsonl"), append(written(t, 1), newer...))
	d := open(t, folder(t, text))
	err := d.Read(t.Context(), 1, func(journal.Record) error { return nil })
	if fault.CodeOf(err) != fault.Unsupported || !strings.Contains(err.Error(), "version 2") || fault.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}
