package connect

import (
	"fmt"
	"path/filepath"
	"strings"
)

// statement is one line of ssh_config. Its words are nil where the line is not
// written in a way that every version of OpenSSH reads alike.
type statement struct {
	where string // file:line
	key   string // lower case; oddKey: not even the keyword can be told
	words []string
	rest  string        // everything after the keyword, as it stands
	files [][]statement // what an Include brought in, file by file
}

// oddKey is a line that might begin a block, for all we know.
const oddKey = "?"

// maxIncludes is OpenSSH's depth (readconf.c, READCONF_MAX_DEPTH).
const maxIncludes = 16

// maxStatements bounds what Includes of Includes can add up to.
const maxStatements = 200_000

// includer expands Include lines, as deep as OpenSSH does.
type includer struct {
	home string
	read func(string) ([]byte, error) // nil, nil: there is no such file
	glob func(string) ([]string, error)

	count int
	odd   []string // Includes whose files can't be told
}

func (in *includer) expand(file, text string, depth int) ([]statement, error) {
	if depth > maxIncludes {
		return nil, fmt.Errorf("%s: Include is nested too deep", file)
	}
	var out []statement
	number := 0
	for raw := range strings.Lines(text) {
		number++
		st, ok := parseStatement(raw)
		if !ok {
			continue
		}
		if in.count++; in.count > maxStatements {
			return nil, fmt.Errorf("%s: more than %d lines", file, maxStatements)
		}
		st.where = fmt.Sprintf("%s:%d", file, number)
		if st.key == "include" {
			if err := in.include(&st, depth); err != nil {
				return nil, err
			}
		}
		out = append(out, st)
	}
	return out, nil
}

// include reads the files of one Include; a pattern that fits no file is no error.
func (in *includer) include(st *statement, depth int) error {
	if st.words == nil {
		in.odd = append(in.odd, st.where)
	}
	for _, word := range st.words {
		// Another user's home, and variables (OpenSSH 9.9 and later), are beyond us.
		if strings.ContainsAny(word, "%$") || (strings.HasPrefix(word, "~") && !strings.HasPrefix(word, "~/")) {
			in.odd = append(in.odd, st.where)
			st.words = nil
			return nil
		}
		names, err := in.glob(in.place(word))
		if err != nil {
			return fmt.Errorf("%s: %w", st.where, err)
		}
		for _, name := range names {
			more, err := in.file(name, depth+1)
			if err != nil {
				return fmt.Errorf("%s: %w", st.where, err)
			}
			st.files = append(st.files, more)
		}
	}
	return nil
}

func (in *includer) place(word string) string {
	full := inHome(word, in.home)
	if filepath.IsAbs(full) {
		return full
	}
	return filepath.Join(in.home, ".ssh", full)
}

func (in *includer) file(name string, depth int) ([]statement, error) {
	text, err := in.read(name)
	if err != nil || text == nil {
		return nil, err
	}
	return in.expand(name, string(text), depth)
}

// parseStatement splits "Key value" and "Key=value"; false for blank lines and comments.
func parseStatement(raw string) (statement, bool) {
	text := strings.TrimLeft(strings.TrimRight(raw, " \t\r\n\f"), " \t\r")
	if text == "" || text[0] == '#' {
		return statement{}, false
	}
	end := strings.IndexAny(text, " \t\r=\"")
	if strings.ContainsFunc(text, isOdd) || end == 0 || (end > 0 && text[end] == '"') {
		return statement{key: oddKey, rest: text}, true
	}
	if end < 0 {
		return statement{key: strings.ToLower(text)}, true
	}
	rest := strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(text[end:], " \t\r"), "="), " \t\r")
	st := statement{key: strings.ToLower(text[:end]), rest: rest}
	if !strings.HasPrefix(rest, "=") { // versions differ in what "Key == x" means
		st.words, _ = splitWords(rest)
	}
	return st, true
}

// isOdd are characters at which C and Go, or two versions of OpenSSH, part ways.
func isOdd(r rune) bool { return (r < ' ' && r != '\t' && r != '\r') || r == 0x7f || r == '\ufeff' }

// splitWords splits as OpenSSH does since 8.7 (misc.c, argv_split): quotes of both
// kinds, a backslash before a quote, a backslash or a blank, and comments at the end.
func splitWords(text string) (words []string, ok bool) {
	for i := 0; i < len(text); {
		switch text[i] {
		case ' ', '\t':
			i++
		case '#':
			return words, len(words) > 0
		default:
			word, next, closed := oneWord(text, i)
			if !closed {
				return nil, false
			}
			words, i = append(words, word), next
		}
	}
	return words, len(words) > 0
}

// oneWord reads the word at i. Not closed: a quote is missing.
func oneWord(text string, i int) (word string, next int, closed bool) {
	var out strings.Builder
	quote := byte(0)
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text) && escapable(text[i+1], quote):
			i++
			out.WriteByte(text[i])
		case quote == 0 && (c == ' ' || c == '\t'):
			return out.String(), i, true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), i, quote == 0
}

func escapable(c, quote byte) bool {
	return c == '\'' || c == '"' || c == '\\' || (quote == 0 && c == ' ')
}
