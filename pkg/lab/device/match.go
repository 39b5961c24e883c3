package device

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// compiled is a command with its patterns.
type compiled struct {
	*Command
	forms [][]token
	modes map[string]bool
}

// token is one word of a pattern.
type token struct {
	words  []string       // of a literal, each alternative
	name   string         // of an argument
	prefix string         // that the argument's word begins with
	fits   *regexp.Regexp // of an argument
	rest   bool           // the argument takes all that follows
}

var errPattern = errors.New("a pattern is words and <name>, <name:regexp> or, at the end, <name...>")

// pattern reads the words of `in`.
func pattern(text string) ([]token, error) {
	var tokens []token
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if len(tokens) > 0 && tokens[len(tokens)-1].rest {
			return nil, errPattern
		}
		word := text
		begin, at := strings.IndexByte(text, '<'), strings.IndexByte(text, ' ')
		if begin >= 0 && (at < 0 || begin < at) {
			end := closing(text)
			if end < 0 {
				return nil, errPattern
			}
			word = text[:end+1]
		} else if at >= 0 {
			word = text[:at]
		}
		text = text[len(word):]
		t, err := newToken(word)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	if len(tokens) == 0 {
		return nil, errPattern
	}
	return tokens, nil
}

// closing finds the > that belongs to the first <.
func closing(text string) int {
	depth := 0
	for i, c := range []byte(text) {
		switch c {
		case '<':
			depth++
		case '>':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func newToken(word string) (token, error) {
	prefix, inner, ok := strings.Cut(word, "<")
	if !ok {
		if word == "|" {
			return token{words: []string{word}}, nil
		}
		return token{words: strings.Split(word, "|")}, nil
	}
	inner = strings.TrimSuffix(inner, ">")
	if name, ok := strings.CutSuffix(inner, "..."); ok && name != "" {
		return token{name: name, rest: true, prefix: prefix}, nil
	}
	name, re, given := strings.Cut(inner, ":")
	if name == "" {
		return token{}, errPattern
	}
	if !given {
		return token{name: name, prefix: prefix}, nil
	}
	fits, err := regexp.Compile("^(?:" + re + ")$")
	if err != nil {
		return token{}, fmt.Errorf("the pattern %s: %w", word, err)
	}
	return token{name: name, fits: fits, prefix: prefix}, nil
}

// fit is how well a line fits.
type fit int

const (
	fitsNot fit = iota
	fitsShort
	fitsExactly
)

// fits gives the arguments too. known is how many words were understood.
func fitForm(form []token, words []string, shorten bool) (args map[string]string, how fit, known int) {
	how = fitsExactly
	args = map[string]string{}
	for i, t := range form {
		if t.rest {
			if i >= len(words) {
				return nil, fitsNot, i
			}
			rest, ok := strings.CutPrefix(strings.Join(words[i:], " "), t.prefix)
			if !ok {
				return nil, fitsNot, i
			}
			args[t.name] = rest
			return args, how, len(words)
		}
		if i >= len(words) {
			return nil, fitsNot, i
		}
		one := t.fit(words[i], shorten)
		if one == fitsNot {
			return nil, fitsNot, i
		}
		how = min(how, one)
		if t.name != "" {
			args[t.name] = strings.TrimPrefix(words[i], t.prefix)
		}
	}
	if len(words) > len(form) {
		return nil, fitsNot, len(form)
	}
	return args, how, len(form)
}

func (t token) fit(word string, shorten bool) fit {
	if t.name != "" {
		word, ok := strings.CutPrefix(word, t.prefix)
		if !ok || t.fits != nil && !t.fits.MatchString(word) {
			return fitsNot
		}
		return fitsExactly
	}
	best := fitsNot
	for _, literal := range t.words {
		switch {
		case literal == word, shorten && strings.EqualFold(literal, word):
			return fitsExactly
		case shorten && len(word) >= 2 && len(word) < len(literal) && strings.EqualFold(literal[:len(word)], word):
			best = fitsShort
		}
	}
	return best
}
