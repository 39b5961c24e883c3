package workflow

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files of Junos, BIG-IP, ONTAP and FortiOS anew")

// gear answers commands from one hand-made sample of a definition, and what a test puts
// over it.
type gear struct {
	t        *testing.T
	platform *device.Platform
	dir      string
	over     map[string]string
	at       time.Time
}

// planned is when the facts of all tests were read.
var planned = time.Date(2026, 3, 10, 5, 7, 9, 0, time.UTC)

func gearOf(t *testing.T, name fact.Platform, sample string) *gear {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "definitions", string(name)+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := device.Parse(string(name)+".yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	return &gear{t: t, platform: p, dir: filepath.Join("..", "testdata", "samples", string(name), sample), over: map[string]string{}, at: planned}
}

// fileOf is the name of the sample of a command.
func fileOf(cmd string) string {
	return strings.NewReplacer(" ", "_", "/", "_", ":", "_", "*", "_", "?", "_", `"`, "_", "<", "_", ">", "_", "|", "_", `\`, "_").Replace(cmd) + ".txt"
}

// result is what a command prints; what has no sample is refused.
func (g *gear) result(cmd string) remote.Result {
	text, ok := g.over[cmd]
	if !ok {
		src, err := os.ReadFile(filepath.Join(g.dir, fileOf(cmd)))
		if err != nil {
			return remote.Result{Ending: remote.Failed, Out: []byte(g.unheard() + cmd), At: g.at}
		}
		text = string(src)
	}
	return remote.Result{Ending: remote.Done, Out: []byte(text), At: g.at}
}

// unheard is how a device refuses a command that it does not know.
func (g *gear) unheard() string {
	if v := g.platform.Definition.Vendor; v == "cisco" || v == "arista" {
		return "% Invalid input detected at '^' marker: "
	}
	return "syntax error: "
}

// say changes what a command prints: pairs of old and new.
func (g *gear) say(cmd string, pairs ...string) *gear {
	g.over[cmd] = strings.NewReplacer(pairs...).Replace(string(g.result(cmd).Out))
	return g
}

func (g *gear) print(cmd, text string) *gear {
	g.over[cmd] = text
	return g
}

func (g *gear) facts() fact.Facts {
	g.t.Helper()
	results := make([]remote.Result, 0, len(g.platform.Commands()))
	for _, cmd := range g.platform.Commands() {
		results = append(results, g.result(cmd))
	}
	facts, err := Driver{g.platform}.Read(results)
	if err != nil {
		g.t.Fatal(err)
	}
	facts.Host = fact.HostID{Site: "hq", Name: "box"}
	return facts
}

// image is work that installs a file.
func (g *gear) image(to, name string, edit ...func(*patch.Work)) patch.Work {
	w := patch.Work{
		ID:      "r1-box-1",
		Install: []patch.Update{{Name: patch.ImageName, From: g.facts().Version, To: to, Digest: patch.DigestOf([]byte(name))}},
		Image:   &patch.Image{Version: to, Name: name, Digest: patch.DigestOf([]byte(name)), Size: 1e9, Models: []string{"*"}},
	}
	for _, e := range edit {
		e(&w)
	}
	return w
}

func served(w *patch.Work) { w.Image.Serve = "10.0.0.1:8080" }

func back(w *patch.Work) { w.Back, w.Image = true, nil }

func (g *gear) steps(w patch.Work) []platform.Step {
	g.t.Helper()
	steps, err := Driver{g.platform}.Steps(g.facts(), w)
	if err != nil {
		g.t.Fatalf("%v", err)
	}
	return steps
}

// refused is why no steps are made.
func (g *gear) refused(w patch.Work) string {
	g.t.Helper()
	steps, err := Driver{g.platform}.Steps(g.facts(), w)
	if err == nil {
		g.t.Fatalf("%d steps, where none may be", len(steps))
	}
	return err.Error()
}

// judge looks with one step.
func (g *gear) judge(steps []platform.Step, id platform.StepID) platform.Standing {
	g.t.Helper()
	for _, s := range steps {
		if s.ID != id {
			continue
		}
		var results []remote.Result
		for _, op := range s.Look.Do {
			if op.Exchange.Effect != remote.Reads {
				g.t.Errorf("%s looks by %q, which is not marked as reading", id, op.Exchange.Send)
			}
			results = append(results, g.result(op.Exchange.Send))
		}
		return s.Look.Judge(results)
	}
	g.t.Fatalf("no step %s", id)
	return platform.Standing{}
}

// stands checks a state, and that a reason names the word.
func stands(t *testing.T, got platform.Standing, want platform.State, word string) {
	t.Helper()
	text := strings.Join(append(got.Reasons, got.Notes...), "; ")
	if got.State != want || !strings.Contains(text, word) {
		t.Errorf("got %s (%s), want %s with %q", got.State, text, want, word)
	}
}

// golden compares what the steps type, and what they answer, with a file. Beside it, what
// holds of all: nothing is answered blindly, looks only read, and there is always a judge.
func golden(t *testing.T, name string, steps []platform.Step) {
	t.Helper()
	var lines []string
	for _, s := range steps {
		lines = append(lines, platform.Show(s)...)
		invariants(t, s)
	}
	path := filepath.Join("testdata", name+".golden")
	got := strings.Join(lines, "\n") + "\n"
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: the steps are not those of the golden file; see with -rewrite:\n%s", name, got)
	}
}

func invariants(t *testing.T, s platform.Step) {
	t.Helper()
	if s.Look.Judge == nil || s.Deadline <= 0 || len(s.Look.Do) == 0 {
		t.Errorf("%s: no judge, no look or no deadline", s.ID)
	}
	for _, op := range s.Do {
		if op.Exchange == nil {
			continue
		}
		for _, q := range op.Exchange.Questions {
			if len(q.Ask) < 12 {
				t.Errorf("%s answers %q to nearly anything: %q", s.ID, q.Answer, q.Ask)
			}
		}
	}
	for _, r := range []remote.Result{{}, {Ending: remote.Done}, {Ending: remote.Done, Out: []byte("x"), Truncated: true}} {
		results := make([]remote.Result, len(s.Look.Do))
		for i := range results {
			results[i] = r
		}
		if got := s.Look.Judge(results); got.State == platform.Done {
			t.Errorf("%s: done by the answer %q alone", s.ID, r.Out)
		}
	}
}
