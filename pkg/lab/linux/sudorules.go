package linux

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// sudoersFolder of a simulated host is empty at first, and Config.Sudo decides. Once there is
// a file in it, what the files say decides, and nothing else is allowed: of sudoers(5) users,
// ALL=(root), NOPASSWD, commands with fixed words, passwd_tries and env_keep.
const sudoersFolder = "/etc/sudoers.d"

// sudoers is what the files say of the one user.
type sudoers struct {
	rules []sudoRule
	keep  map[string][]string // variables by program
	tries int
}

// sudoRule is one command of a rule.
type sudoRule struct {
	command string
	words   string // joined by blanks; only where fixed
	fixed   bool   // these words and no others
	free    bool   // no password
}

// rules reads the files; ok is false where there are none. One that can't be understood takes
// every right away, as with sudo.
func (m *Machine) rules() (s sudoers, ok bool, err error) {
	s = sudoers{keep: map[string][]string{}, tries: passwordTries}
	names := m.FS.Names(sudoersFolder)
	for _, name := range names {
		text, err := m.FS.ReadFile(memfs.Root, path.Join(sudoersFolder, name))
		if err != nil {
			return s, true, fmt.Errorf("read %s: %w", name, err)
		}
		for number, line := range strings.Split(string(text), "\n") {
			if err := s.read(strings.TrimSpace(line), m.conf.User); err != nil {
				return sudoers{}, true, fmt.Errorf("%s/%s:%d: %w", sudoersFolder, name, number+1, err)
			}
		}
	}
	return s, len(names) > 0, nil
}

var errSudoers = errors.New("syntax error")

func (s *sudoers) read(line, user string) error {
	switch {
	case line == "", strings.HasPrefix(line, "#"):
		return nil
	case strings.HasPrefix(line, "Defaults"):
		return s.defaults(strings.TrimPrefix(line, "Defaults"))
	}
	who, rest, err := sudoWord(line)
	if err != nil {
		return err
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(rest), "ALL=(root) ")
	if !ok {
		return errSudoers
	}
	rest, free := strings.CutPrefix(strings.TrimSpace(rest), "NOPASSWD:")
	for _, command := range splitUnescaped(rest, ',') {
		rule, err := readSudoRule(strings.TrimSpace(command), free)
		if err != nil {
			return err
		}
		if who == user {
			s.rules = append(s.rules, rule)
		}
	}
	return nil
}

// defaults understands those that change what a user sees here.
func (s *sudoers) defaults(text string) error {
	if program, ok := strings.CutPrefix(text, "!"); ok {
		program, list, found := strings.Cut(program, ` env_keep += "`)
		if !found || !strings.HasSuffix(list, `"`) {
			return errSudoers
		}
		s.keep[plainWord(program)] = strings.Fields(strings.TrimSuffix(list, `"`))
		return nil
	}
	for setting := range strings.SplitSeq(text, ",") {
		if _, number, found := strings.Cut(setting, "passwd_tries="); found {
			tries, err := strconv.Atoi(number)
			if err != nil {
				return errSudoers
			}
			s.tries = tries
		}
	}
	return nil
}

func readSudoRule(text string, free bool) (sudoRule, error) {
	words := splitUnescaped(text, ' ')
	rule := sudoRule{command: plainWord(words[0]), free: free}
	if rule.command != "ALL" && !strings.HasPrefix(rule.command, "/") {
		return rule, errSudoers
	}
	if len(words) == 1 {
		return rule, nil
	}
	rule.fixed = true
	if len(words) == 2 && words[1] == `""` {
		return rule, nil
	}
	for i, word := range words[1:] {
		words[i+1] = plainWord(word)
		if len(words[i+1])+strings.Count(word, `\`) != len(word) || strings.ContainsAny(strings.NewReplacer(`\*`, "", `\?`, "", `\[`, "").Replace(word), "*?[") {
			return rule, fmt.Errorf("%w: patterns are not simulated", errSudoers)
		}
	}
	rule.words = strings.Join(words[1:], " ")
	return rule, nil
}

// sudoWord takes a name, which may stand in quotes, from the beginning of a line.
func sudoWord(line string) (word, rest string, err error) {
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		word, rest, ok = strings.Cut(quoted, `"`)
		if !ok {
			return "", "", errSudoers
		}
		return word, rest, nil
	}
	word, rest, ok := strings.Cut(line, " ")
	if !ok {
		return "", "", errSudoers
	}
	return plainWord(word), rest, nil
}

func splitUnescaped(text string, at byte) []string {
	var parts []string
	begin := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case at:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:])
}

// plainWord is the word without its backslashes.
func plainWord(word string) string {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] == '\\' && i+1 < len(word) {
			i++
		}
		b.WriteByte(word[i])
	}
	return b.String()
}

// allows finds the rule for a command; file is where sudo has found it.
func (m *Machine) allows(s sudoers, file string, argv []string) (sudoRule, bool) {
	for _, rule := range s.rules {
		if rule.fixed && rule.words != strings.Join(argv[1:], " ") {
			continue
		}
		if rule.command == "ALL" || path.Base(rule.command) == path.Base(file) && m.sameFile(rule.command, file) {
			return rule, true
		}
	}
	return sudoRule{}, false
}

func (m *Machine) sameFile(a, b string) bool {
	first, err := m.FS.Real(memfs.Root, a)
	second, err2 := m.FS.Real(memfs.Root, b)
	return err == nil && err2 == nil && first == second
}

// byRules decides as the files say; what is not allowed asks for a password first, as sudo
// does. The names are the variables that the command is given.
func (m *Machine) byRules(p *posix.Proc, o posix.Options, s sudoers) (keep []string, code int) {
	if len(o.Args) == 0 {
		return nil, m.authenticate(p, o, s.tries, "")
	}
	file := o.Args[0]
	root := p.Child()
	root.UID, root.Env = memfs.Root, map[string]string{"PATH": rootPath}
	if found, code := root.Lookup(file); code == 0 {
		file = found
	}
	rule, ok := m.allows(s, file, o.Args)
	if ok && rule.free {
		return s.keep[rule.command], 0
	}
	denied := ""
	if !ok {
		denied = fmt.Sprintf("Sorry, user %s is not allowed to execute '%s' as root on %s.", m.conf.User, strings.Join(append([]string{file}, o.Args[1:]...), " "), m.conf.Name)
	}
	return s.keep[rule.command], m.authenticate(p, o, s.tries, denied)
}
