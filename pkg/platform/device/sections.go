package device

import (
	"regexp"
	"slices"
	"strings"
)

// typedLine is a prompt and what was typed there. What stands before the prompt's last
// character may be nearly anything.
var typedLine = regexp.MustCompile(`^[\w.@:~/()\[\]<>{}* +-]{0,100}[>#$%\]] ?([a-z/][^\n]{1,100})$`)

// sections are the outputs of a recorded session with several commands, each with the line
// on which its command was typed. A session has two such lines at least.
func sections(text string, commands []string) []labelled {
	list := []labelled{{}}
	for line := range strings.Lines(text) {
		if cmd, ok := typedAt(line, commands); ok {
			list = append(list, labelled{cmd: cmd})
		}
		list[len(list)-1].text += line
	}
	if len(list) < 3 {
		return nil
	}
	return slices.DeleteFunc(list, func(l labelled) bool { return strings.TrimSpace(l.text) == "" })
}

// typedAt is the command that was typed on a line: one that is known, or as it stands.
func typedAt(line string, commands []string) (cmd string, ok bool) {
	m := typedLine.FindStringSubmatch(strings.TrimRight(line, " \t\n"))
	if len(m) < 2 || !typedWords.MatchString(m[1]) {
		return "", false
	}
	whole, _, _ := strings.Cut(m[1], "|")
	cmd = command(whole)
	if i := slices.IndexFunc(commands, func(known string) bool { return shortened(cmd, known) }); i >= 0 && !slices.Contains(commands, cmd) {
		return commands[i], true
	}
	return cmd, cmd != ""
}

// shortened tells whether what was typed is a command with its words cut short: sh ver.
func shortened(typed, known string) bool {
	short, long := strings.Fields(typed), strings.Fields(known)
	if len(short) != len(long) || len(short) < 2 {
		return false
	}
	for i, word := range short {
		if len(word) < 2 || !strings.HasPrefix(long[i], word) {
			return false
		}
	}
	return true
}
