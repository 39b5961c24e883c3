package device

import (
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
)

// Recording is the output of a command, of a device that is not at hand. The name may hold
// the command (cisco_show_version.txt); nothing depends on it.
type Recording struct {
	Name string
	Text []byte
}

// Finding is what recordings tell of a device. What they do not tell for certain is empty.
type Finding struct {
	Platform   fact.Platform  `json:"platform"`
	Vendor     string         `json:"vendor,omitempty"`
	Model      string         `json:"model,omitempty"`
	Version    string         `json:"version,omitempty"`
	Serial     string         `json:"serial,omitempty"`
	Serials    []string       `json:"serials,omitempty"` // of all members, where there is more than one
	Hostname   string         `json:"hostname,omitempty"`
	Confidence Confidence     `json:"confidence"` // "high", "medium", "low", or "" where the platform is not known
	Why        string         `json:"why"`
	Problems   []fact.Problem `json:"problems,omitempty"`
}

// Identify tells of which device recordings are: all of them are taken for one. With a
// hint only that platform's definition reads them, though no probe may speak for it.
// Where recordings contradict each other, the field is left out.
func (l Library) Identify(recordings []Recording, hint fact.Platform) Finding {
	texts := l.labelled(recordings)
	if p, ok := l.Find(hint); ok {
		_, held := p.holdsAny(texts)
		found := p.finding(texts)
		found.Confidence, found.Why = Low, "as it was said; no probe speaks for it"
		if held {
			found.Confidence, found.Why = High, "as it was said, and a probe agrees"
		}
		return found
	}
	held := slices.DeleteFunc(l.All(), func(p *Platform) bool { _, ok := p.holdsAny(texts); return !ok })
	all := len(held)
	held = special(held)
	switch len(held) {
	case 0:
		return Finding{Why: "no platform's probe matches"}
	case 1:
	default:
		return Finding{Vendor: vendorOf(held), Why: "it could be " + either(held)}
	}
	found := held[0].finding(texts)
	proof, _ := held[0].holdsAny(texts)
	found.Confidence, found.Why = High, "this is how "+held[0].Definition.Title+" answers "+proof
	if all > 1 {
		found.Confidence = Medium
	}
	return found
}

// vendorOf is the vendor of all of them, or nothing.
func vendorOf(list []*Platform) string {
	for _, p := range list {
		if p.Definition.Vendor != list[0].Definition.Vendor {
			return ""
		}
	}
	return list[0].Definition.Vendor
}

// labelled is a recording's text and, where its name or its first lines say so, the
// command that it is the output of.
type labelled struct {
	text string
	cmd  string
}

func (l Library) labelled(recordings []Recording) []labelled {
	commands := l.commands()
	var list []labelled
	for _, r := range recordings {
		text := flush(tidy(r.Text))
		if parts := sections(text, commands); len(parts) > 1 {
			list = append(list, parts...)
			continue
		}
		cmd := labelOf(r.Name, commands)
		if cmd == "" {
			cmd = echoed(text, commands)
		}
		list = append(list, labelled{text, cmd})
	}
	for _, t := range list {
		// Junos: the same command, asked of both routing engines.
		if one, _, both := strings.Cut(t.cmd, " invoke-on "); both {
			list = append(list, labelled{t.text, one})
		}
	}
	return list
}

// commands are all that facts and probes know, the longest first.
func (l Library) commands() []string {
	var list []string
	for _, p := range l.All() {
		for _, probe := range p.Definition.Match.Probes {
			list = append(list, command(probe.Cmd))
		}
		for _, cmd := range commandsOf(&p.Definition) {
			list = append(list, command(cmd))
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(list)
}

// plain is a name or command as words of letters and digits with one _ between them.
func plain(name string) string {
	return "_" + strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "_") + "_"
}

// labelOf is the command that a file's name holds: the longest of two words or more.
func labelOf(name string, commands []string) string {
	name = plain(name[strings.LastIndexAny(name, `/\`)+1:])
	for _, cmd := range commands {
		words := strings.TrimSuffix(plain(cmd), "_")
		if at := strings.Index(name, words); strings.Contains(cmd, " ") && at >= 0 && (name[at+len(words)] == '_' || name[at+len(words)] <= '9') {
			return cmd
		}
	}
	return ""
}

// echoed is the command that stands behind a prompt in one of the first lines.
func echoed(text string, commands []string) string {
	seen := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if seen++; seen > 3 {
			break
		}
		for _, cmd := range commands {
			before, ok := strings.CutSuffix(line, cmd)
			if before = strings.TrimSpace(before); ok && len(before) < 80 && (before == "" || strings.ContainsAny(before[len(before)-1:], ">#$%:)")) {
				return cmd
			}
		}
	}
	return ""
}

// holdsAny tells whether one of the platform's probes matches a text, and which command it
// is of. A text that is known to be another command's is not asked.
func (p *Platform) holdsAny(texts []labelled) (cmd string, held bool) {
	for _, probe := range p.Definition.Match.Probes {
		for _, t := range texts {
			if (t.cmd == "" || t.cmd == command(probe.Cmd)) && p.probed(probe, t.text) && !p.describes(probe, t.text) {
				return probe.Cmd, true
			}
		}
	}
	return "", false
}

// describes tells whether what a probe found is about a neighbour of the device.
func (p *Platform) describes(probe Probe, text string) bool {
	at := p.Re(probe.All[0]).FindStringIndex(text)
	return len(at) > 0 && ofAnother(text, at[0])
}

// finding reads the facts. A text that is known to be a command's is read as that
// command's alone; of the others, one that a probe matches is its command's, and the rest
// may be any command's.
func (p *Platform) finding(texts []labelled) Finding {
	known := slices.Clone(texts)
	for i, t := range known {
		if t.cmd == "" {
			known[i].cmd = p.probeOf(t.text)
		}
	}
	from := func(cmd string) []string {
		var sure, maybe []string
		for _, t := range known {
			switch t.cmd {
			case command(cmd):
				sure = append(sure, t.text)
			case "":
				maybe = append(maybe, t.text)
			}
		}
		if len(sure) > 0 {
			return sure
		}
		return maybe
	}
	found := findingOf(p.read(from, time.Time{}))
	if found.Hostname == "" {
		found.named(p.promptHost(texts))
	}
	return found
}

// probeOf is the command of the only probe that matches a text.
func (p *Platform) probeOf(text string) string {
	cmd := ""
	for _, probe := range p.Definition.Match.Probes {
		if !p.probed(probe, text) {
			continue
		}
		if cmd != "" && cmd != command(probe.Cmd) {
			return ""
		}
		cmd = command(probe.Cmd)
	}
	return cmd
}

func findingOf(f fact.Facts) Finding {
	found := Finding{
		Platform: f.Platform, Vendor: f.Vendor, Model: f.Model, Version: f.Version, Serial: f.Serial, Hostname: f.Hostname,
	}
	if serials := f.Device.Serials(); len(serials) > 1 {
		found.Serials = serials
	}
	for _, problem := range f.Problems {
		if slices.Contains([]string{"version", "model", "serial", "hostname"}, problem.What) {
			found.Problems = append(found.Problems, problem)
		}
	}
	return found
}
