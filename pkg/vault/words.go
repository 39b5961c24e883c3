package vault

import (
	"errors"
	"fmt"
	"strings"
)

// splitWords splits as a shell does for plain words, '…', "…" and backslashes.
// Nothing is expanded: what would be in a shell is an error, not silently literal.
func splitWords(line string) ([]string, error) {
	var s splitter
	for i := range len(line) {
		if err := s.take(line[i]); err != nil {
			return nil, err
		}
	}
	return s.finish()
}

// splitter is a shell's reader of words, one byte at a time.
type splitter struct {
	words   []string
	word    strings.Builder
	inWord  bool
	quote   byte // ' or ", or 0 outside of quotes
	escaped bool // the byte before was a backslash
}

// special means something to a shell; within double quotes only $ and ` do.
const special = "$`|&;<>()*?"

func (s *splitter) take(c byte) error {
	switch {
	case s.escaped:
		s.escape(c)
	case s.quote != 0 && c == s.quote:
		s.quote = 0
	case s.quote == '\'':
		s.add(c)
	case c == '\\':
		s.escaped, s.inWord = true, true
	case s.isSpecial(c):
		return fmt.Errorf("%q has no meaning here without a shell; quote it, or write exec:sh -c '…'", c)
	case s.quote != 0:
		s.add(c)
	case c == '\'' || c == '"':
		s.quote, s.inWord = c, true
	case strings.IndexByte(" \t\n", c) >= 0:
		s.end()
	default:
		s.add(c)
	}
	return nil
}

func (s *splitter) isSpecial(c byte) bool {
	return c == '$' || c == '`' || (s.quote == 0 && strings.IndexByte(special, c) >= 0)
}

// escape takes what follows a backslash; in double quotes only some bytes lose it.
func (s *splitter) escape(c byte) {
	s.escaped = false
	if s.quote == '"' && strings.IndexByte("\"\\$`", c) < 0 {
		s.add('\\')
	}
	s.add(c)
}

func (s *splitter) add(c byte) {
	s.word.WriteByte(c)
	s.inWord = true
}

func (s *splitter) end() {
	if s.inWord {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.inWord = false
}

func (s *splitter) finish() ([]string, error) {
	s.end()
	switch {
	case s.escaped:
		return nil, errors.New("a backslash at the end")
	case s.quote != 0:
		return nil, errors.New("a quote is not closed")
	case len(s.words) == 0 || s.words[0] == "":
		return nil, errors.New("no command")
	}
	return s.words, nil
}
