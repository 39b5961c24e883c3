package vault

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// selection says which values are encrypted; one of the four is set. It comes from the
// file, which may be hostile: what its expression may cost is bounded.
type selection struct {
	plainSuffix, suffix string
	plain, matching     *regexp.Regexp
	steps               int             // of the expression's program
	spent               int             // steps times bytes of keys
	known               map[string]bool // by key
}

const (
	maxPattern = 4 << 10
	maxSteps   = 2000
	maxSpent   = 1 << 27 // a second or two
)

// names tells whether a key is one of those that the metadata tells of.
func (s *selection) names(key string) (bool, error) {
	if s.plainSuffix+s.suffix != "" {
		return strings.HasSuffix(key, s.plainSuffix+s.suffix), nil
	}
	if named, ok := s.known[key]; ok {
		return named, nil
	}
	if s.spent += s.steps * (len(key) + 1); s.spent > maxSpent {
		return false, errors.New("its regular expression and its keys take too much work")
	}
	named := s.plain != nil && s.plain.MatchString(key) || s.matching != nil && s.matching.MatchString(key)
	if s.known == nil {
		s.known = map[string]bool{}
	}
	s.known[key] = named
	return named, nil
}

// encrypted tells whether what stands at a place is.
func (s *selection) encrypted(at place) bool {
	return at.named == (s.suffix != "" || s.matching != nil)
}

// read takes what the file says of which values are encrypted; by default all but those
// whose key ends in _unencrypted.
func (s *selection) read(said func(string) string) error {
	s.plainSuffix, s.suffix = said("unencrypted_suffix"), said("encrypted_suffix")
	var err error
	for name, into := range map[string]**regexp.Regexp{"unencrypted_regex": &s.plain, "encrypted_regex": &s.matching} {
		if text := said(name); text != "" {
			var e error
			*into, e = s.compile(text)
			err = errors.Join(err, e)
		}
	}
	set := 0
	for _, one := range []bool{s.plainSuffix != "", s.suffix != "", s.plain != nil, s.matching != nil} {
		if one {
			set++
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("its metadata: %w", err)
	case set > 1:
		return errors.New("its metadata says in two ways what is encrypted")
	case set == 0:
		s.plainSuffix = "_unencrypted"
	}
	return nil
}

var errPattern = errors.New("a regular expression of unusual size")

// compile bounds an expression by its text first: counted repetitions multiply that.
func (s *selection) compile(text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, errPattern
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err //nolint:wrapcheck // its caller says of what
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err //nolint:wrapcheck // its caller says of what
	}
	if s.steps = len(program.Inst); s.steps > maxSteps {
		return nil, errPattern
	}
	return regexp.Compile(text) //nolint:wrapcheck // its caller says of what
}
