package linux

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// RootShell is the one program that patchring itself runs as root on a host with a shell.
// Looks, the lock, the start of jobs and files all are scripts on its standard input or in
// its arguments, so no narrower rule than the shell does: they change with every version.
const RootShell = "sh"

// shellPaths are where it is; which of them sudo finds depends on its secure_path.
func shellPaths() []string { return []string{"/bin/" + RootShell, "/usr/bin/" + RootShell} }

// Grant is what one user has to be allowed on a host.
type Grant struct {
	User     string // the login name
	Password bool   // sudo asks for the user's password before it runs the shell
	Shell    bool   // the shell as root: that is root
	Only     []Rule // single commands as root
}

// Rule is one command with all its arguments. Nobody can type a password for it: it is run
// by the user's own programs.
type Rule struct {
	Argv []string
	Keep []string // names of variables that it is given
}

// Sudoers gives the lines of a sudoers file that allow this and nothing more (sudoers(5)).
// It is an error where that can't be said: a rule that allows more than it shows is worse
// than none.
func (g Grant) Sudoers() (string, error) {
	user, err := sudoersUser(g.User)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	// No terminal is ever there.
	settings := []string{"!requiretty"}
	if g.Shell && g.Password {
		// The password of this user and nobody else's, once a command: a login that was taken
		// over must not ride on one that was typed, and one mistake counts once.
		settings = append(settings, "!rootpw", "!runaspw", "!targetpw", "timestamp_timeout=0", "passwd_tries=1")
	}
	fmt.Fprintf(&b, "Defaults:%s %s\n", user, strings.Join(settings, ", "))
	if g.Shell {
		fmt.Fprintf(&b, "%s ALL=(root) %s%s\n", user, free(!g.Password), strings.Join(shellPaths(), ", "))
	}
	for _, rule := range g.rules() {
		line, err := sudoersCommand(rule.Argv)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s ALL=(root) %s%s\n", user, free(true), line)
	}
	for _, program := range g.programs() {
		fmt.Fprintf(&b, "Defaults!%s env_keep += %q\n", escapeSudoers(program.Argv[0]), strings.Join(program.Keep, " "))
	}
	return b.String(), nil
}

// rules in a stable order, each once.
func (g Grant) rules() []Rule {
	all := slices.Clone(g.Only)
	slices.SortFunc(all, func(a, b Rule) int { return slices.Compare(a.Argv, b.Argv) })
	return slices.CompactFunc(all, func(a, b Rule) bool { return slices.Equal(a.Argv, b.Argv) })
}

// programs of the rules that are given variables, each once: sudo keeps them by program.
func (g Grant) programs() []Rule {
	all := slices.DeleteFunc(g.rules(), func(r Rule) bool { return len(r.Keep) == 0 })
	return slices.CompactFunc(all, func(a, b Rule) bool { return a.Argv[0] == b.Argv[0] })
}

func free(yes bool) string {
	if yes {
		return "NOPASSWD: "
	}
	return ""
}

// ErrNoRule means that a rule for it would not say what it seems to say.
var ErrNoRule = errors.New("no rule can say this exactly")

const (
	small = "abcdefghijklmnopqrstuvwxyz"
	plain = small + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@%+-"
	// sudoers' own and the pattern's: both take a backslash before them.
	special = `,:=*?[]!`
)

// sudoersUser is a login name as sudoers has it: in quotes, where it might be read as an
// alias, as ALL, or as more than a name.
func sudoersUser(name string) (string, error) {
	switch {
	case name == "", strings.Trim(name, plain+`$\`) != "" || strings.ContainsAny(name, "/"), strings.HasSuffix(name, `\`), strings.ContainsAny(name[:1], "%+-@"):
		return "", fmt.Errorf("user %q: %w", name, ErrNoRule)
	case strings.Trim(name, small+"0123456789_-") == "":
		return name, nil
	}
	return `"` + name + `"`, nil
}

// sudoersCommand is a command with exactly these arguments. sudo compares them as one text,
// in which a blank in a word and one between two look the same.
func sudoersCommand(argv []string) (string, error) {
	if len(argv) == 0 || !strings.HasPrefix(argv[0], "/") || strings.HasSuffix(argv[0], "/") {
		return "", fmt.Errorf("the command is no absolute path: %w", ErrNoRule)
	}
	// The program itself is a pattern (fnmatch), and sudoedit is a word of sudoers' own: sudo
	// 1.9.13 refuses the whole file for either.
	if strings.ContainsAny(argv[0], "*?[]!") || strings.HasSuffix(argv[0], "/sudoedit") {
		return "", fmt.Errorf("the program %q: %w", argv[0], ErrNoRule)
	}
	words := make([]string, 0, len(argv)+1)
	for _, word := range argv {
		if word == "" || strings.Trim(word, plain+special) != "" {
			return "", fmt.Errorf("the word %q: %w", word, ErrNoRule)
		}
		words = append(words, escapeSudoers(word))
	}
	if len(argv) == 1 {
		words = append(words, `""`) // without it any arguments would do
	}
	return strings.Join(words, " "), nil
}

func escapeSudoers(word string) string {
	var b strings.Builder
	for _, c := range []byte(word) {
		if strings.IndexByte(special, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Doas gives the lines for doas.conf(5). The last rule that fits decides, so they belong at
// the end of the file. doas takes passwords from a terminal alone.
func (g Grant) Doas() (string, error) {
	if name, err := sudoersUser(g.User); err != nil || g.Password || strings.HasPrefix(name, `"`) && strings.Contains(name, `\`) {
		return "", fmt.Errorf("user %q: %w", g.User, ErrNoRule)
	}
	var b strings.Builder
	if g.Shell {
		fmt.Fprintf(&b, "permit nopass %s as root cmd %s\n", doasWord(g.User), RootShell)
	}
	for _, rule := range g.rules() {
		if _, err := sudoersCommand(rule.Argv); err != nil {
			return "", err
		}
		keep := ""
		if len(rule.Keep) > 0 {
			keep = "setenv { " + strings.Join(rule.Keep, " ") + " } "
		}
		words := make([]string, 0, len(rule.Argv))
		for _, word := range rule.Argv {
			words = append(words, doasWord(word))
		}
		fmt.Fprintf(&b, "permit nopass %s%s as root cmd %s\n", keep, doasWord(g.User), strings.TrimSpace(words[0]+" args "+strings.Join(words[1:], " ")))
	}
	return b.String(), nil
}

// doasWord quotes what might be a word of doas' own language.
func doasWord(word string) string {
	if strings.Trim(word, plain) == "" && !slices.Contains([]string{"as", "cmd", "args", "permit", "deny", "nopass", "persist", "keepenv", "setenv"}, word) {
		return word
	}
	return `"` + word + `"`
}
