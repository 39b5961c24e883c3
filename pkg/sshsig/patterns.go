package sshsig

import (
	"errors"
	"fmt"
	"strings"
)

// maxPattern is OpenSSH's own bound for one pattern of a list.
const maxPattern = 1024

// patterns is a pattern-list of OpenSSH (ssh_config(5), PATTERNS): * and ? are wildcards,
// and one negated pattern that matches outweighs all others.
type patterns []string

// parsePatterns reads a comma-separated list. Empty members, and lists that can match
// nothing, are refused: they are slips.
func parsePatterns(text string) (patterns, error) {
	list := patterns(strings.Split(text, ","))
	positive := false
	for _, p := range list {
		bare, negated := strings.CutPrefix(p, "!")
		switch {
		case bare == "":
			return nil, errors.New("an empty name in the list")
		case len(p) >= maxPattern:
			return nil, fmt.Errorf("a name of %d bytes", len(p))
		}
		positive = positive || !negated
	}
	if !positive {
		return nil, errors.New("the list only says who is not meant")
	}
	return list, nil
}

// match tells whether the list holds name.
func (l patterns) match(name string) bool {
	found := false
	for _, p := range l {
		bare, negated := strings.CutPrefix(p, "!")
		if !matchPattern(bare, name) {
			continue
		}
		if negated {
			return false
		}
		found = true
	}
	return found
}

// names are the members that name exactly one, and that the list as a whole holds.
func (l patterns) names() []string {
	var out []string
	for _, p := range l {
		if validPrincipal(p) && l.match(p) {
			out = append(out, p)
		}
	}
	return out
}

// matchPattern goes back to the last star only, so that its cost is the product of both
// lengths at most.
func matchPattern(pattern, name string) bool {
	star, resume := -1, 0
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			resume++
			p, n = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
