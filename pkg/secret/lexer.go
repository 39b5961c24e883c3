package secret

import "strings"

// lexer follows JSON byte by byte: only as much of it as tells a string that is a value
// from all the rest.
type lexer struct {
	open    []byte // { and [ that are not closed
	key     bool   // the next string is a key
	token   []byte // the string that is being read, from its quote on
	escaped bool
}

// lexed is what a byte of JSON turned out to be.
type lexed uint8

const (
	noJSON  lexed = iota // it can't stand there
	outside              // structure, a number, a literal: it leaves as it is
	within               // of a string that goes on
	ends                 // the end of a string, which stands in token
)

// Of one document. What goes beyond is filtered as text.
const (
	maxToken = 1 << 20
	maxDepth = 1000
)

func (l *lexer) next(c byte) lexed {
	if len(l.token) > 0 {
		return l.inString(c)
	}
	switch c {
	case '"':
		l.token = append(l.token, c)
		return within
	case '{', '[':
		if len(l.open) == maxDepth {
			return noJSON
		}
		l.open = append(l.open, c)
		l.key = c == '{'
	case '}', ']':
		l.open = l.open[:len(l.open)-1]
		l.key = false
	case ',':
		l.key = l.open[len(l.open)-1] == '{'
	case ':':
		l.key = false
	default:
		if strings.IndexByte(" \t\r\n0123456789+-.eEtrufalsn", c) < 0 {
			return noJSON
		}
	}
	return outside
}

func (l *lexer) inString(c byte) lexed {
	if c < ' ' || len(l.token) == maxToken {
		return noJSON
	}
	l.token = append(l.token, c)
	switch {
	case l.escaped:
		l.escaped = false
	case c == '\\':
		l.escaped = true
	case c == '"':
		return ends
	}
	return within
}

// take gives the string that has ended, and whether it is a key.
func (l *lexer) take() (token []byte, key bool) {
	token, l.token = l.token, nil
	return token, l.key
}

// over tells that the outermost object is closed.
func (l *lexer) over() bool { return len(l.open) == 0 }
