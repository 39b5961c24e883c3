package evidence_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/evidence"
)

var rewrite = flag.Bool("update", false, "write the golden files anew")

// TestGolden: what follows from a journal is a promise: bundles of yesterday are compared
// with it byte for byte. A change here needs another evidence.Version.
func TestGolden(t *testing.T) {
	archive := whole(t, first, strict()).bundle()
	for _, p := range evidence.Unpack(archive) {
		switch p.Name {
		case "hosts.json", "hosts.csv", "summary.json", "manifest.json", "README.txt":
		default:
			continue
		}
		path := filepath.Join("testdata", p.Name)
		if *rewrite {
			if err := os.WriteFile(path, p.Content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, p.Content) {
			t.Errorf("%s is\n%s", p.Name, p.Content)
		}
	}
}

func piece(t testing.TB, archive []byte, name string) []byte {
	t.Helper()
	for _, p := range evidence.Unpack(archive) {
		if p.Name == name {
			return p.Content
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

// TestHosts: versions before and after, the proof of the restart, and the checks.
func TestHosts(t *testing.T) {
	s := whole(t, first, strict())
	var doc struct {
		Hosts []struct {
			Host     string
			State    string
			Versions []struct{ Before, Planned, After, Digest string }
			Boot     struct {
				Restarted bool
				Before    string `json:"id_before"`
				After     string `json:"id_after"`
				Missing   string
			}
			Checks []struct{ Verdict, At string }
		}
	}
	if err := json.Unmarshal(piece(t, s.bundle(), "hosts.json"), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Hosts) != 2 {
		t.Fatalf("%d hosts", len(doc.Hosts))
	}
	for _, h := range doc.Hosts {
		v := h.Versions[0]
		if h.State != "healthy" || v.Before != "3.0.14-1" || v.After != v.Planned || v.Digest == "" || !h.Boot.Restarted || h.Boot.Before == h.Boot.After || h.Boot.After == "" {
			t.Errorf("%+v", h)
		}
		if len(h.Checks) != 1 || h.Checks[0].Verdict != "pass" || h.Checks[0].At == "" {
			t.Errorf("%+v", h.Checks)
		}
	}
}

// TestGone: what the store has lost is listed, and does not break the bundle; but what nobody
// can look at is not proven.
func TestGone(t *testing.T) {
	s := whole(t, first, strict())
	total := len(s.objects)
	clear(s.objects)
	archive := s.bundle()
	v := verified(t, archive)
	if p := v.Part(evidence.PartStore); v.Standing() != evidence.NotProven || !strings.Contains(strings.Join(v.Limits, " "), "are gone") || p.Standing != evidence.NotProven || len(v.Manifest.Missing) != total {
		t.Errorf("%s, store %+v, missing %d of %d", v.Standing(), p, len(v.Manifest.Missing), total)
	}
	if !strings.Contains(string(piece(t, archive, "hosts.json")), "not in the store any more") {
		t.Error("hosts.json does not say that the boot ids are missing")
	}
}

// TestTampered: a store that does not have what it says is no source.
func TestTampered(t *testing.T) {
	s := whole(t, first, strict())
	for d := range s.objects {
		s.objects[d] = []byte("something else")
	}
	if _, err := evidence.Build(s.source(), operator().signer); err == nil {
		t.Error("a bundle was made of it")
	}
}

// TestTable: no cell of a host becomes a formula.
func TestTable(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(piece(t, whole(t, first, strict()).bundle(), "hosts.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, c := range row {
			if strings.IndexAny(c, "=+-@") == 0 {
				t.Errorf("%q begins a formula", c)
			}
		}
	}
	if len(rows) != 3 {
		t.Errorf("%d rows", len(rows))
	}
}
