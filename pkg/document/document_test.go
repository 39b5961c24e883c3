package document

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample has a field of every kind.
type sample struct {
	Version Value[int]             `yaml:"version" doc:"write version: 1" flags:"required" min:"1" max:"1"`
	Text    Value[string]          `yaml:"text"`
	Mode    Value[mode]            `yaml:"mode" enum:"fast|slow" later:"turbo" why:"write fast"`
	On      Value[bool]            `yaml:"on_failure"`
	Ratio   Value[float64]         `yaml:"ratio" min:"0.5" max:"2"`
	Wait    Value[time.Duration]   `yaml:"wait" min:"1s" max:"2d"`
	List    Value[[]Value[string]] `yaml:"list" doc:"say one" count:"1"`
	Raw     Value[string]          `yaml:"raw" flags:"raw"`
	Hosts   Map[inner]             `yaml:"hosts"`
	Creds   Value[credentials]     `yaml:"credentials"`
	Budget  Unsupported            `yaml:"budget" doc:"remove it"`
	Host    Elsewhere              `yaml:"host" doc:"write hosts"`
	Extra   Value[string]          `yaml:"extra" doc:"write hosts too" with:"hosts"`
	Plain   plainOnes              `yaml:"plain"`
}

type mode string

type inner struct {
	Address Value[string] `yaml:"address"`
	Port    Value[int]    `yaml:"port" min:"1" max:"65535"`
}

type credentials struct {
	Password Value[string] `yaml:"password"`
}

// plainOnes are fields without positions, as files need that only tests read.
type plainOnes struct {
	A    string            `yaml:"a"`
	B    []int             `yaml:"b"`
	M    map[string]string `yaml:"m"`
	P    *inner            `yaml:"p"`
	D    time.Duration     `yaml:"d"`
	One  string            `yaml:"one"`
	Two  string            `yaml:"two"`
	Both *choice           `yaml:"both"`
}

type choice struct {
	One Value[string] `yaml:"one"`
	Two Value[string] `yaml:"two"`
}

func (*choice) ExactlyOne() []string { return []string{"one", "two"} }

func TestDecodeKeepsValuesAndPlaces(t *testing.T) {
	src := `version: 1
text: 9.10
mode: slow
on_failure: true
ratio: 1.5
wait: 1h30m
list: [a, "007", true]
raw: "a\nb"
hosts:
  web-01:
  web-02: {address: 10.0.0.1, port: 22}
plain: {a: x, b: [1, 2], m: {k: v}, p: {port: 1}, d: 3d, both: {two: x}}
extra: yes
`
	var s sample
	f := Decode("x.yaml", []byte(src), &s)
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	if s.Text.V != "9.10" || s.Text.At != (Pos{2, 7}) {
		t.Errorf("text = %+v", s.Text)
	}
	if s.Mode.V != "slow" || !s.On.V || s.Ratio.V != 1.5 || s.Wait.V != 90*time.Minute || s.Raw.V != "a\nb" || s.Extra.V != "yes" {
		t.Errorf("values: %+v", s)
	}
	if got := s.List.V[1]; got.V != "007" || got.At != (Pos{7, 11}) {
		t.Errorf("list[1] = %+v", got)
	}
	if e := s.Hosts.Entries[1]; e.Key != "web-02" || e.At != (Pos{11, 3}) || e.Value.Port.V != 22 {
		t.Errorf("hosts[1] = %+v", e)
	}
	want := plainOnes{A: "x", B: []int{1, 2}, M: map[string]string{"k": "v"}, D: 72 * time.Hour}
	s.Plain.P, s.Plain.Both = nil, nil
	if !reflect.DeepEqual(s.Plain, want) {
		t.Errorf("plain = %+v", s.Plain)
	}
	if s.Creds.Set() || s.Creds.Or(credentials{}).Password.Set() {
		t.Error("what isn't written is set")
	}
}

func TestAliasesAreFollowed(t *testing.T) {
	var s sample
	f := Decode("x", []byte("version: 1\nhosts:\n  a: &a {port: 22}\n  b: *a\n"), &s)
	if f.Err() != nil || s.Hosts.Entries[1].Value.Port.V != 22 {
		t.Fatalf("%v %+v", f.Err(), s.Hosts)
	}
}

func TestAliasBombsAreBounded(t *testing.T) {
	src := "version: 1\ntext: &a x\nlist: [" + strings.Repeat("*a, ", maxAliases+10) + "]\n"
	var s sample
	err := Decode("x", []byte(src), &s).Err()
	if err == nil || !strings.Contains(err.Error(), "aliases") {
		t.Fatalf("err = %v", err)
	}
}

func TestFileIsBounded(t *testing.T) {
	var s sample
	f := Decode("x", make([]byte, MaxBytes+1), &s)
	if !f.Broken() || !strings.Contains(f.Err().Error(), "larger than") {
		t.Fatalf("err = %v", f.Err())
	}
}

// TestBadFiles renders the problems of each bad file. The golden file is the text
// that a person sees; the invariants hold whatever it says.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var s sample
			err = Decode(filepath.Base(path), src, &s).Err()
			problems, ok := errors.AsType[*Problems](err)
			if !ok {
				t.Fatalf("no problem found: %v", err)
			}
			checkProblems(t, problems, src)
			checkGolden(t, strings.TrimSuffix(path, ".yaml")+".golden", problems.Render())
		})
	}
}

// checkProblems holds for the problems of any file.
func checkProblems(t *testing.T, p *Problems, src []byte) {
	t.Helper()
	lines := len(splitLines(string(src)))
	if len(p.List) == 0 || len(p.List) > maxProblems {
		t.Errorf("%d problems", len(p.List))
	}
	if !slices.IsSortedFunc(p.List, func(a, b Problem) int { return Pos{a.Line, a.Col}.Compare(Pos{b.Line, b.Col}) }) {
		t.Error("the problems are not sorted")
	}
	for _, one := range p.List {
		if one.Line < 1 || one.Line > max(lines, 1) || one.Col < 1 {
			t.Errorf("%s: no such place in %d lines", one, lines)
		}
		if one.What == "" || one.Caret > len([]rune(one.Source))+2 {
			t.Errorf("%q: caret %d under %q", one.What, one.Caret, one.Source)
		}
	}
	text := p.Render()
	if strings.Contains(text, "hunter2") {
		t.Errorf("a secret is shown:\n%s", text)
	}
	for _, r := range text {
		if r != '\n' && r != '\t' && visible(r) != r {
			t.Errorf("the control character %U is shown", r)
		}
	}
	if code := fault.CodeOf(p); code != fault.Usage && code != fault.Unsupported {
		t.Errorf("code = %s", code)
	}
}

func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestCodes(t *testing.T) {
	tests := []struct {
		src  string
		want fault.Code
	}{
		{"version: 1\nbudget: 5\n", fault.Unsupported},
		{"version: 1\nmode: turbo\n", fault.Unsupported},
		{"version: 1\nbudget: 5\ntext:\n", fault.Usage},
		{"version: 2\n", fault.Usage},
		{"", fault.Usage},
	}
	for _, tt := range tests {
		var s sample
		if got := fault.CodeOf(Decode("x", []byte(tt.src), &s).Err()); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.src, got, tt.want)
		}
	}
}

func TestErrorIsBounded(t *testing.T) {
	var src bytes.Buffer
	src.WriteString("version: 1\n")
	for i := range 100 {
		src.WriteString("wrong" + strings.Repeat("x", i) + ": 1\n")
	}
	var s sample
	p, _ := errors.AsType[*Problems](Decode("x", src.Bytes(), &s).Err())
	if p == nil || len(p.List) != maxProblems || p.More != 80 {
		t.Fatalf("problems: %+v", p)
	}
	if p.List[0].Line != 2 {
		t.Errorf("the first problem is on line %d", p.List[0].Line)
	}
}

func TestReport(t *testing.T) {
	var s sample
	f := Decode("x.yaml", []byte("version: 1\ntext: abc\n"), &s)
	f.Errorf(s.Text.At, "a hint", "wrong %s", "text")
	f.Unsupportedf(s.Version.At, "", "too new")
	f.Report(s.Text.At, fault.Usagef("hint", "as said"))
	f.Errorf(s.Text.At, "a hint", "wrong %s", "text") // said already
	want := "x.yaml:1:10: too new\nx.yaml:2:7: wrong text\nx.yaml:2:7: as said"
	if got := f.Err().Error(); got != want {
		t.Errorf("got %q", got)
	}
	if hint := fault.HintOf(f.Err()); hint != "" {
		t.Errorf("hint of the first problem = %q", hint)
	}
	if f.Place(s.Text.At) != "x.yaml:2" {
		t.Error(f.Place(s.Text.At))
	}
}
