package device

import (
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
)

// least is how far all lines but the first must be indented for the first one to be of the
// same block: text that was put behind a quote.
const least = 4

// flush takes away the blanks that every line begins with: a recording that was put into a
// document, as an indented block.
func flush(text string) string {
	indents := indentsOf(text)
	if len(indents) == 0 {
		return text
	}
	cut := common(indents)
	if rest := common(indents[1:]); cut == "" && len(indents) > 2 && len(rest) >= least {
		cut = rest
	}
	if cut == "" {
		return text
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		own, ok := strings.CutPrefix(line, cut)
		if !ok {
			own = strings.TrimLeft(line, " \t")
		}
		out.WriteString(own)
	}
	return out.String()
}

// indentsOf are the blanks that each line begins with, but for empty ones.
func indentsOf(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if bare := strings.TrimLeft(line, " \t"); strings.TrimSpace(bare) != "" {
			list = append(list, line[:len(line)-len(bare)])
		}
	}
	return list
}

// common is what all of them begin with.
func common(list []string) string {
	if len(list) == 0 {
		return ""
	}
	begin := list[0]
	for _, one := range list {
		for !strings.HasPrefix(one, begin) {
			begin = begin[:len(begin)-1]
		}
	}
	return begin
}

// neighbours head what a device tells of another one, in tables of LLDP and CDP: there the
// other's first lines stand as they are.
var neighbours = regexp.MustCompile(`(?i)^[ \t]*(?:(?:neighbou?r )?(?:system|sys|chassis)[ -]?desc(?:r|ription)?|version|software version|platform)[ \t]*:`)

// tables are what such tables have besides, and a device that describes itself has not.
var tables = regexp.MustCompile(`(?i)^[ \t-]*(?:neighbou?r )?(?:(?:chassis|port|device)[ -]?id\b|hold ?time|time remaining|expired time|ttl\b|(?:system |chassis )?capabilities|management address|entry address)[^\n:]*:`)

// ofAnother tells whether a place in a text is in the description of a neighbour: one of the
// three lines before, or its own, begins it.
func ofAnother(text string, at int) bool {
	if !slices.ContainsFunc(strings.Split(text, "\n"), tables.MatchString) {
		return false
	}
	lines := strings.Split(strings.TrimRight(text[:at], " \t"), "\n")
	for _, line := range lines[max(len(lines)-4, 0):] {
		if head, about, found := strings.Cut(line, ":"); found && neighbours.MatchString(line) && (strings.TrimSpace(about) == "" || strings.Contains(strings.ToLower(head), "desc")) {
			return true
		}
	}
	return false
}

// typedWords begin what people type at a prompt, whole or cut short.
var typedWords = regexp.MustCompile(`^(?:sh|sho|show|dis|disp|displ|display|get|dir|term|terminal|en|enable|admin|run|do|/?system|/export|version|cat|exit|quit|screen-length|no page|diag|diagnose|scroll|vmware)\b`)

// maxEchoes bounds the lines that are looked at for a prompt.
const maxEchoes = 5000

// promptHost is the name in the prompts before typed commands, if all of them have the same.
func (p *Platform) promptHost(texts []labelled) string {
	if at := strings.Index(p.Definition.Session.Prompt, "(?P<host>"); at < 0 || strings.Contains(p.Definition.Session.Prompt[:at], `[^\n]{0,80}`) {
		return "" // nothing bounds the name on its left
	}
	host, seen := "", 0
	for _, t := range texts {
		for line := range strings.Lines(t.text) {
			if seen++; seen > maxEchoes {
				return host
			}
			switch name := p.hostIn(strings.TrimRight(line, " \t\n")); {
			case name == "" || name == host:
			case host == "":
				host = name
			default:
				return ""
			}
		}
	}
	return host
}

// HostAt is the device's name in a prompt of its own, "" where it does not stand there.
func (p *Platform) HostAt(prompt string) string {
	re := p.Re(p.Definition.Session.Prompt)
	m, group := re.FindStringSubmatch(prompt), re.SubexpIndex("host")
	if m == nil || group < 0 || !sane("hostname", m[group]) {
		return ""
	}
	return m[group]
}

// hostIn is the name in the prompt of a line on which a command was typed.
func (p *Platform) hostIn(line string) string {
	re := p.Re(p.Definition.Session.Prompt)
	group := re.SubexpIndex("host")
	for i, r := range line[:min(len(line), 160)] {
		if !strings.ContainsRune(">#$]%", r) || !typedWords.MatchString(strings.TrimLeft(line[i+1:], " ")) {
			continue
		}
		if m := re.FindStringSubmatch(line[:i+1] + " "); m != nil && group > 0 {
			return m[group]
		}
		if m := re.FindStringSubmatch(line[:i+1]); m != nil && group > 0 {
			return m[group]
		}
	}
	return ""
}

// named takes a name from a prompt, where the outputs tell none. Where they contradict each
// other about it, it stays unknown.
func (f *Finding) named(host string) {
	about := func(p fact.Problem) bool { return p.What == "hostname" }
	if i := slices.IndexFunc(f.Problems, about); host == "" || i >= 0 && strings.Contains(f.Problems[i].Detail, "both ") {
		return
	}
	f.Hostname, f.Problems = host, slices.DeleteFunc(f.Problems, about)
}
