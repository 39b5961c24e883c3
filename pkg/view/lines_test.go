package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update makes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update accepts it):\n%s", path, got)
	}
}

func final(r *run) report.Document {
	return report.NewRollout(report.Source{Status: r.state.Status(r.clock())})
}

func TestLinesGolden(t *testing.T) {
	var out bytes.Buffer
	v := NewLines(&out, nil)
	r := newRun(t, v)
	r.middle()
	r.last()
	if err := v.Close(final(r)); err != nil {
		t.Fatal(err)
	}
	golden(t, "lines.txt", out.Bytes())
	linesHold(t, out.String())
}

// linesHold are the promises to whoever parses the lines.
func linesHold(t *testing.T, out string) {
	t.Helper()
	form := regexp.MustCompile(`^\d\d:\d\d:\d\d +\S+ +\S+ +\S+ +\S+( +\S.*)?$`)
	ends := map[string]int{}
	lines, _, _ := strings.Cut(out, "\n\n")
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		if !form.MatchString(line) {
			t.Errorf("not a line of five columns and a detail: %q", line)
		}
		if f := strings.Fields(line); f[3] == "host" {
			ends[f[2]]++
		}
	}
	for _, host := range []string{"hq/canary1", "hq/web1", "hq/web2", "hq/web3"} {
		if ends[host] != 1 {
			t.Errorf("%s came to its end %d times", host, ends[host])
		}
	}
	if strings.ContainsAny(out, "\x1b\r") {
		t.Error("a pipe got control characters")
	}
}

func TestJSONLines(t *testing.T) {
	var out bytes.Buffer
	v := NewJSON(&out)
	r := newRun(t, v)
	r.middle()
	r.last()
	if err := v.Close(final(r)); err != nil {
		t.Fatal(err)
	}
	golden(t, "events.ndjson", out.Bytes())
	all := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for i, line := range all {
		var m struct {
			Version    int
			Type, Kind string
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		last := i == len(all)-1
		if m.Version != 1 || (m.Type == "") == !last || last && m.Kind != "rollout" {
			t.Errorf("line %d: version %d, type %q, kind %q", i+1, m.Version, m.Type, m.Kind)
		}
	}
}

func TestMessageFields(t *testing.T) {
	line, err := json.Marshal(Message{Seq: 1, Actor: "a", Event: "e", Ring: "r", Host: "h", Step: "s", Outcome: "o", HostState: "s", Text: "t"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"version":0,"type":"","seq":1,"time":"0001-01-01T00:00:00Z","actor":"a","event":"e","ring":"r","host":"h","step":"s","outcome":"o","host_state":"s","text":"t"}`
	if string(line) != want {
		t.Errorf("the fields of a message changed:\n%s\n%s", line, want)
	}
}

// broken fails every write.
type broken struct{ writes int }

func (b *broken) Write([]byte) (int, error) {
	b.writes++
	return 0, errors.New("no space left")
}

func TestBrokenWriterDoesNotDisturb(t *testing.T) {
	w := &broken{}
	for _, v := range []View{NewLines(w, nil), NewJSON(w)} {
		w.writes = 0
		r := newRun(t, v)
		r.middle()
		if err := v.Close(final(r)); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%T.Close: %v", v, err)
		}
		if w.writes != 1 {
			t.Errorf("%T wrote %d times though the first write failed", v, w.writes)
		}
	}
}

func TestClosedViewIsSilent(t *testing.T) {
	var out bytes.Buffer
	for _, v := range []View{NewLines(&out, nil), NewJSON(&out)} {
		if err := v.Close(nil); err != nil {
			t.Fatal(err)
		}
		newRun(t, v).middle()
		if out.Len() > 0 {
			t.Errorf("%T wrote after Close: %q", v, out.String())
		}
	}
}
