package device

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// Expect is a sample's expect.yaml: what must come out of its outputs, exactly. What is
// not named is not looked at; an empty text must stay unknown.
type Expect struct {
	Version  document.Value[string]   `yaml:"version" flags:"raw"`
	Model    document.Value[string]   `yaml:"model" flags:"raw"`
	Serial   document.Value[string]   `yaml:"serial" flags:"raw"`
	Hostname document.Value[string]   `yaml:"hostname" flags:"raw"`
	Build    document.Value[string]   `yaml:"build" flags:"raw"`
	Mode     document.Value[string]   `yaml:"mode" flags:"raw"`
	Role     document.Value[string]   `yaml:"role" flags:"raw"`
	Synced   document.Value[string]   `yaml:"synced" flags:"raw"`
	Family   document.Value[string]   `yaml:"family" flags:"raw"`
	Members  document.Value[[]string] `yaml:"members"`
	Slots    document.Value[[]string] `yaml:"slots"`
	Uptime   document.Value[string]   `yaml:"uptime" flags:"raw"`
	Booted   document.Value[string]   `yaml:"booted" flags:"raw"`
	Refused  document.Value[bool]     `yaml:"refused"`
	// Values are other facts, by name.
	Values map[string]string `yaml:"values"`

	Identified document.Value[string] `yaml:"identified" doc:"unknown, where the texts alone can't tell it from others"`
	Ident      string                 `yaml:"ident"`
	Banner     string                 `yaml:"banner" flags:"raw"`
	Prompt     string                 `yaml:"prompt" flags:"raw"`
	Unknown    string                 `yaml:"unknown" flags:"raw" doc:"what it answers to a command that it does not know"`
}

// Outcome is what became of one sample. It is right when Wrong is empty.
type Outcome struct {
	Platform fact.Platform
	Sample   string   // its folder's name
	Wrong    []string // each one a line for a person: "version: got 1, not 2"
}

// sampled is when samples count as read. It stands for now in their uptimes.
func sampled() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// Test reads all samples of a folder: PLATFORM/SAMPLE/expect.yaml, with one file for each
// command's output beside it. Outcomes are in the order of their names.
func (l Library) Test(files fs.FS) ([]Outcome, error) {
	found, err := fs.Glob(files, "*/*/expect.yaml")
	if err != nil || len(found) > 10*maxFiles {
		return nil, fmt.Errorf("%d samples: %w", len(found), cmp.Or(err, fs.ErrInvalid))
	}
	var outcomes []Outcome
	for _, name := range found {
		outcomes = append(outcomes, l.sample(files, path.Dir(name)))
	}
	return outcomes, nil
}

func (l Library) sample(files fs.FS, dir string) Outcome {
	o := Outcome{Platform: fact.Platform(path.Dir(dir)), Sample: path.Base(dir)}
	p, ok := l.Find(o.Platform)
	if !ok {
		return o.wrong("there is no platform %q", o.Platform)
	}
	expect, err := readExpect(files, dir)
	if err != nil {
		return o.wrong("%v", err)
	}
	outputs, recordings, err := p.outputFiles(files, dir)
	if err != nil {
		return o.wrong("%v", err)
	}
	facts, err := p.Read(outputs, sampled())
	if err != nil {
		return o.wrong("%v", err)
	}
	o.Wrong = expect.compare(facts)
	l.identified(&o, expect, recordings)
	l.live(&o, expect, outputs)
	return o
}

func (o Outcome) wrong(format string, args ...any) Outcome {
	o.Wrong = append(o.Wrong, fmt.Sprintf(format, args...))
	return o
}

func readExpect(files fs.FS, dir string) (Expect, error) {
	var e Expect
	name := path.Join(dir, "expect.yaml")
	src, err := fs.ReadFile(files, name)
	if err != nil {
		return e, fmt.Errorf("sample: %w", err)
	}
	err = document.Decode(name, src, &e).Err()
	return e, err
}

// outputFiles reads the files beside expect.yaml, by the command that each is named after.
func (p *Platform) outputFiles(files fs.FS, dir string) (map[string][]byte, []Recording, error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, nil, fmt.Errorf("sample: %w", err)
	}
	byFile := map[string]string{}
	for _, t := range texts(&p.Definition) {
		if t.kind == isCommand {
			byFile[FileOf(t.text)] = t.text
		}
	}
	outputs, recordings := map[string][]byte{}, []Recording{}
	for _, e := range entries {
		base, isText := strings.CutSuffix(e.Name(), ".txt")
		if !isText {
			continue
		}
		base, _, _ = strings.Cut(base, "#")
		cmd, known := byFile[base+".txt"]
		if !known {
			return nil, nil, fmt.Errorf("%s: the definition has no command that is called so", path.Join(dir, e.Name()))
		}
		text, err := fs.ReadFile(files, path.Join(dir, e.Name()))
		if err != nil {
			return nil, nil, fmt.Errorf("sample: %w", err)
		}
		outputs[cmd] = text
		recordings = append(recordings, Recording{Text: text})
	}
	return outputs, recordings, nil
}

// FileOf is the name of the file that holds a command's output.
func FileOf(cmd string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" /:*?\"<>|\\#", r) {
			return '_'
		}
		return r
	}, command(cmd)) + ".txt"
}

// identified checks that the texts alone, whatever their names, are taken for this
// platform, or for none: never for another.
func (l Library) identified(o *Outcome, e Expect, recordings []Recording) {
	got, want := l.Identify(recordings, ""), o.Platform
	if e.Identified.Set() && e.Identified.V == "unknown" {
		want = ""
	}
	if got.Platform != want {
		*o = o.wrong("identified from the texts alone: got %q, not %q: %s", got.Platform, want, got.Why)
	}
}

// live plays the identification of a live host, where the sample says what its server
// says.
func (l Library) live(o *Outcome, e Expect, outputs map[string][]byte) {
	p, _ := l.Find(o.Platform)
	if e.Ident == "" && e.Prompt == "" && e.Banner == "" {
		return
	}
	c := l.Begin(Sight{Ident: e.Ident, Banner: e.Banner, Prompt: e.Prompt, Shell: p.Definition.Match.Shell})
	from := outputsOf(outputs)
	for cmd, more := c.Next(); more; cmd, more = c.Next() {
		answer := e.Unknown
		if known := from(cmd); len(known) > 0 {
			answer = known[0]
		}
		c.Observe(cmd, []byte(answer))
	}
	if v := c.Verdict(); v.Platform != o.Platform {
		*o = o.wrong("identified live: got %q, not %q: %s", v.Platform, o.Platform, v.Why)
	}
}

// compare gives a line for every fact that is not as expected.
func (e Expect) compare(f fact.Facts) []string {
	d := f.Device
	var wrong []string
	check := func(name string, want document.Value[string], got string) {
		if want.Set() && want.V != got {
			wrong = append(wrong, fmt.Sprintf("%s: got %q, not %q%s", name, got, want.V, problemOf(f, name)))
		}
	}
	check("version", e.Version, f.Version)
	check("model", e.Model, f.Model)
	check("serial", e.Serial, f.Serial)
	check("hostname", e.Hostname, f.Hostname)
	check("build", e.Build, d.Build)
	check("mode", e.Mode, d.Mode)
	check("role", e.Role, d.Role)
	check("synced", e.Synced, d.Synced.String())
	check("family", e.Family, d.Family)
	wrong = append(wrong, e.boot(f)...)
	for name, want := range e.Values {
		if got := d.Values[name]; got != want {
			wrong = append(wrong, fmt.Sprintf("values.%s: got %q, not %q", name, got, want))
		}
	}
	if e.Refused.Set() && e.Refused.V != (len(d.Refused) > 0) {
		wrong = append(wrong, fmt.Sprintf("refused: got %q", d.Refused))
	}
	wrong = append(wrong, list("members", e.Members, memberLines(d.Members))...)
	wrong = append(wrong, list("slots", e.Slots, slotLines(d.Slots))...)
	slices.Sort(wrong)
	return wrong
}

func problemOf(f fact.Facts, what string) string {
	for _, p := range f.Problems {
		if p.What == what {
			return " (" + p.Detail + ")"
		}
	}
	return ""
}

// boot compares the boot time, written as an uptime or as a time.
func (e Expect) boot(f fact.Facts) []string {
	got := f.Device.Booted
	if e.Uptime.Set() {
		want, ok := uptime(e.Uptime.V)
		if e.Uptime.V == "" && got.IsZero() || ok && got.Sub(f.Seen.Add(-want)).Abs() <= f.Device.Grain {
			return nil
		}
		return []string{fmt.Sprintf("uptime: got %s, not %s", f.Seen.Sub(got), e.Uptime.V)}
	}
	if e.Booted.Set() && got.Format(time.RFC3339) != e.Booted.V {
		return []string{fmt.Sprintf("booted: got %s, not %s", got.Format(time.RFC3339), e.Booted.V)}
	}
	return nil
}

func list(name string, want document.Value[[]string], got []string) []string {
	if !want.Set() || slices.Equal(want.V, got) {
		return nil
	}
	return []string{fmt.Sprintf("%s: got %q, not %q", name, got, want.V)}
}

func memberLines(members []fact.Member) []string {
	var lines []string
	for _, m := range members {
		lines = append(lines, strings.Join([]string{dash(m.ID), dash(m.Model), dash(m.Serial), dash(m.Role)}, " "))
	}
	return lines
}

func slotLines(slots []fact.Slot) []string {
	var lines []string
	for _, s := range slots {
		lines = append(lines, strings.Join(strings.Fields(s.Member+" "+s.Name+" "+s.Version+" "+s.State), " "))
	}
	return lines
}

func dash(text string) string {
	return cmp.Or(remote.Clean(text, 80), "-")
}
