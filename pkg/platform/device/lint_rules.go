package device

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
)

func slotStates() []string {
	return []string{fact.SlotRunning, fact.SlotOld, fact.SlotNext, fact.SlotIdle, fact.SlotTrial}
}

// groups checks the named groups that the reader looks for.
func (l *linter) groups() {
	d := &l.p.Definition
	l.facts()
	for i, r := range d.Facts.Members {
		l.rows(fmt.Sprintf("facts.members[%d]", i), r.Re, r.Per, []string{"id", "model", "serial", "role", "state", "version"})
	}
	for i, r := range d.Facts.Slots {
		l.rows(fmt.Sprintf("facts.slots[%d]", i), r.Re, r.Per, []string{"member", "name", "state", "version"})
	}
	for i, b := range d.BootTime {
		l.needs(fmt.Sprintf("boot_time[%d].re", i), b.Re, "value")
		l.heading(fmt.Sprintf("boot_time[%d].per", i), b.Per)
	}
	for i, s := range d.Space {
		at := fmt.Sprintf("space[%d]", i)
		l.heading(at+".per", s.Per)
		if !has(l.p.Re(s.Re), "bytes") && !has(l.p.Re(s.Re), "amount") {
			l.errorf(at+".re", "(?P<bytes>\\d+), or (?P<amount>[\\d.]+) and (?P<unit>[KMGT])", "neither a group bytes nor amount")
		}
		if strings.Contains(strings.Join(s.FS, ""), "{n}") && len(d.Facts.Members) == 0 {
			l.errorf(at+".fs", "", "{n} is a member, and facts.members is empty")
		}
	}
	for i, h := range d.Hash {
		l.needs(fmt.Sprintf("hash[%d].re", i), h.Re, "value")
	}
	for _, e := range d.State.Entries {
		if !has(l.p.Re(e.Value.Re), "key") {
			l.errorf("state."+e.Key+".re", "name what tells the rows apart: (?P<key>…)", "no group key")
		}
		l.heading("state."+e.Key+".per", e.Value.Per)
	}
}

func (l *linter) facts() {
	for _, kind := range l.p.Definition.Facts.fields() {
		for i, f := range kind.list {
			l.needs(fmt.Sprintf("facts.%s[%d].re", kind.name, i), f.Re, "value")
		}
	}
}

// needs wants the named group, or any.
func (l *linter) needs(path, pattern, group string) {
	if re := l.p.Re(pattern); re != nothing && !has(re, group) && re.NumSubexp() == 0 {
		l.errorf(path, "put parentheses around the value", "no group holds the value")
	}
}

func (l *linter) rows(path, pattern, per string, groups []string) {
	l.heading(path+".per", per)
	re := l.p.Re(pattern)
	for _, name := range re.SubexpNames() {
		if name != "" && !slices.Contains(groups, name) {
			l.errorf(path+".re", "the groups here: "+strings.Join(groups, ", "), "nobody reads the group %s", name)
		}
	}
	if re != nothing && !slices.ContainsFunc(groups, func(g string) bool { return has(re, g) }) {
		l.errorf(path+".re", "the groups here: "+strings.Join(groups, ", "), "no named group")
	}
}

func (l *linter) heading(path, per string) {
	if per != "" && !has(l.p.Re(per), "id") {
		l.errorf(path, "(?P<id>\\d+)", "a heading needs the group id")
	}
}

func has(re *regexp.Regexp, group string) bool { return re.SubexpIndex(group) >= 0 }

// questions checks each list: of a sample, exactly its own row matches.
func (l *linter) questions() {
	d := &l.p.Definition
	l.rowsOf("session.login", d.Session.Login)
	l.rowsOf("session.shell", d.Session.Shell)
	l.rowsOf("session.pager", d.Session.Pager)
	if d.Session.Enable != nil {
		l.rowsOf("session.enable.ask", d.Session.Enable.Ask)
	}
	for _, e := range d.Questions.Entries {
		l.rowsOf("questions."+e.Key, e.Value)
	}
	for i, u := range d.Upgrade {
		for _, e := range u.Commands.Entries {
			l.rowsOf(fmt.Sprintf("upgrade[%d].commands.%s.ask", i, e.Key), e.Value.Ask)
		}
	}
}

func (l *linter) rowsOf(path string, rows []Question) {
	for i, q := range rows {
		at := fmt.Sprintf("%s[%d]", path, i)
		if q.Send != "" && q.Secret != "" {
			l.errorf(at, "keep one of them", "a text and a secret can't both be the answer")
		}
		if q.Sample != "" {
			l.sample(at, q, rows)
		}
	}
}

func (l *linter) sample(at string, own Question, rows []Question) {
	if !l.p.Re(own.Re).MatchString(own.Sample) {
		l.errorf(at+".sample", "", "the row's own pattern does not match its sample")
	}
	for i, other := range rows {
		if other.Re != own.Re && l.p.Re(other.Re).MatchString(own.Sample) {
			l.errorf(at+".sample", "make the patterns tell them apart", "row %d matches it as well", i)
		}
	}
}

// session checks what is sent without being asked: nothing in it may change a
// configuration.
func (l *linter) session() {
	s := &l.p.Definition.Session
	for i, open := range s.Open {
		words := strings.Fields(open)
		if len(words) == 0 || slices.Contains([]string{"config", "configure", "conf", "system-view", "edit", "sys", "delete", "reload", "write", "copy"}, words[0]) {
			l.errorf(fmt.Sprintf("session.open[%d]", i), "answer the pager instead", "%q changes the configuration", open)
		}
	}
	if s.Prompt != "" && l.p.Re(s.Prompt).MatchString("\n") {
		l.errorf("session.prompt", "", "the prompt's pattern matches an empty line")
	}
}
