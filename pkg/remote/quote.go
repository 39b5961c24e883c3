package remote

import "strings"

// Quote turns argv into one POSIX shell line that means exactly argv. It is the
// only place where a command becomes text for a shell.
func Quote(argv []string) string {
	var line strings.Builder
	for i, word := range argv {
		if i > 0 {
			line.WriteByte(' ')
		}
		quoteWord(&line, word)
	}
	return line.String()
}

func quoteWord(to *strings.Builder, word string) {
	if word != "" && strings.Trim(word, safeRunes) == "" {
		to.WriteString(word)
		return
	}
	to.WriteByte('\'')
	to.WriteString(strings.ReplaceAll(word, `'`, `'\''`))
	to.WriteByte('\'')
}

// safeRunes never mean anything to a shell. "=" and "~" are left out: "a=b" as a
// first word is an assignment, "~" expands.
const safeRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%"
