package device

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

// linter looks for what the form of a definition alone can't say.
type linter struct {
	file   *document.File
	places map[string]document.Pos
	p      *Platform
}

// errorf reports what is wrong at a path of the definition.
func (l *linter) errorf(path, hint, format string, args ...any) {
	l.file.Errorf(placeOf(l.places, path), hint, "%s: %s", path, fmt.Sprintf(format, args...))
}

func lint(f *document.File, places map[string]document.Pos, p *Platform) {
	l := &linter{file: f, places: places, p: p}
	for _, t := range texts(&p.Definition) {
		switch t.kind {
		case isPattern:
			l.pattern(t)
		case isCommand:
			l.command(t)
		}
	}
	l.names()
	l.match()
	l.groups()
	l.questions()
	l.session()
	l.rests()
	l.upgrades()
}

// pattern compiles one. What matches nothing at all would match everywhere: a prompt or a
// question that is seen where there is none.
func (l *linter) pattern(t text) {
	re, err := compile(t.text)
	switch {
	case err != nil:
		l.errorf(t.path, "RE2 has no look-ahead and no back-references", "%v", err)
	case re.MatchString(""):
		l.errorf(t.path, "at least one character must be needed", "the pattern matches the empty text")
	default:
		l.p.compiled[t.text] = re
	}
}

// command checks the placeholders, and that what stands where nothing may change begins
// with a word that only reads.
func (l *linter) command(t text) {
	for _, m := range placeholder.FindAllStringSubmatch(t.text, -1) {
		if _, ok := grammars()[m[1]]; !ok {
			l.errorf(t.path, "the placeholders are listed in the package's README.md", "{%s} is no placeholder", m[1])
		}
	}
	if strings.ContainsAny(t.text, "\r\n") {
		l.errorf(t.path, "one command in one line", "a command has several lines")
	}
	if !mayChange(t.path) && !reads(t.text, l.p.Definition.Reads) {
		l.errorf(t.path, "begin with a reading verb (show, display, get, dir …), or add the command's beginning, two words at least, to `reads`",
			"%q does not look as if it only read", t.text)
	}
}

// mayChange tells whether a path is one whose command may change the device.
func mayChange(path string) bool {
	part, rest, _ := strings.Cut(path, ".")
	switch head, _, _ := strings.Cut(part, "["); head {
	case "transfer":
		return !strings.HasSuffix(rest, "present")
	case "save":
		return rest == "cmd"
	case "upgrade":
		return !strings.HasPrefix(rest, "net.")
	}
	return part == "session" && strings.HasPrefix(rest, "enable.")
}

// names checks the name, and the words of roles and slots.
func (l *linter) names() {
	d := &l.p.Definition
	if !nameForm.MatchString(d.Name) {
		l.errorf("name", "lower case letters, digits and _: cisco_iosxe", "%q can't be a platform's name", d.Name)
	}
	for i, r := range d.Facts.Slots {
		l.words(fmt.Sprintf("facts.slots[%d].state", i), r.State, slotStates())
	}
	for i, r := range d.Facts.Members {
		l.words(fmt.Sprintf("facts.members[%d].role", i), r.Role, nil)
	}
	for i, f := range d.Facts.Synced {
		l.words(fmt.Sprintf("facts.synced[%d].map", i), f.Map, []string{"yes", "no"})
	}
	if len(d.Reads) > 0 {
		l.beginnings(d.Reads)
	}
}

func (l *linter) words(path string, m document.Map[string], known []string) {
	for _, e := range m.Entries {
		if known != nil && !slices.Contains(known, e.Value) {
			l.errorf(join(path, e.Key), document.DidYouMean(e.Value, known, "known: "+strings.Join(known, ", ")), "%q is none of ours", e.Value)
		}
	}
}

func (l *linter) beginnings(list []string) {
	for i, r := range list {
		words := strings.Fields(r)
		if len(words) < 2 || slices.ContainsFunc(words, changing) {
			l.errorf(fmt.Sprintf("reads[%d]", i), "two words at least, and none that changes: request system software info", "%q can't be trusted to only read", r)
		}
	}
}

// match checks that probes are no wild guess: one word as the whole proof of a platform.
func (l *linter) match() {
	m := l.p.Definition.Match
	for i, probe := range m.Probes {
		if placeholder.MatchString(probe.Cmd) {
			l.errorf(fmt.Sprintf("match.probes[%d].cmd", i), "a probe comes before anything is known", "a probe has no placeholders")
		}
	}
	for _, common := range []string{"SSH-2.0-OpenSSH_9.6", "sw1#", "sw1>", "sw1> ", "admin@sw1> ", "admin@sw1:~$ ", "<sw1>", "login:", "Password:"} {
		if l.p.Re(m.Hint).MatchString(common) {
			l.errorf("match.hint", "a pattern of what only this platform prints; its prompt belongs in `prompt`", "%q speaks for it as well: then everything does", common)
			break
		}
	}
	if slices.Contains(m.Over, l.p.Definition.Name) {
		l.errorf("match.over", "", "a platform is not over itself")
	}
}
