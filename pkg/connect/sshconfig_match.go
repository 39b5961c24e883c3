package connect

import "strings"

// verdict tells whether a block applies. Its zero value is that it can't be told.
type verdict int

const (
	untold verdict = iota
	applies
	differs
)

func verdictOf(yes bool) verdict {
	if yes {
		return applies
	}
	return differs
}

// and is sure of a no as soon as one of both is.
func (v verdict) and(w verdict) verdict {
	switch {
	case v == differs || w == differs:
		return differs
	case v == untold || w == untold:
		return untold
	}
	return applies
}

func (v verdict) not() verdict {
	switch v {
	case applies:
		return differs
	case differs:
		return applies
	}
	return untold
}

// hostLine judges a Host line: any pattern fits, and no negated one.
func hostLine(patterns []string, name string) verdict {
	if patterns == nil {
		return untold
	}
	hit := false
	for _, pattern := range patterns {
		bare, negated := strings.CutPrefix(pattern, "!")
		switch fits := fitsPattern(name, bare); {
		case fits && negated:
			return differs
		case fits:
			hit = true
		}
	}
	return verdictOf(hit)
}

// fitsList is OpenSSH's match_pattern_list: comma-separated, "!" negates.
func fitsList(text, list string) bool {
	hit := false
	for pattern := range strings.SplitSeq(list, ",") {
		bare, negated := strings.CutPrefix(pattern, "!")
		switch fits := fitsPattern(text, bare); {
		case fits && negated:
			return false
		case fits:
			hit = true
		}
	}
	return hit
}

// fitsPattern knows "*" and "?", byte by byte, in time that no pattern can blow up.
func fitsPattern(text, pattern string) bool {
	star, mark := -1, 0
	t, p := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			t, p = t+1, p+1
		case star >= 0:
			mark++
			t, p = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// scene is what the criteria of a Match line are held against.
type scene struct {
	name   string // as typed after ssh
	target string // HostName so far, else the name
	user   string // whom to log in as, so far
	me     string // who runs ssh
	final  bool   // the second pass
}

// matchLine judges a Match line. Final: it asks for a second pass over the file.
func (s scene) matchLine(rest string) (v, final verdict) {
	words, whole := criteria(rest)
	v, final = applies, differs
	if !whole {
		v = untold
	}
	if !whole && strings.Contains(strings.ToLower(rest), "final") {
		final = untold
	}
	for len(words) > 0 {
		name, negated := strings.CutPrefix(strings.ToLower(words[0]), "!")
		words = words[1:]
		one := untold
		switch name {
		case "all":
			one = applies
		case "canonical", "final":
			if name == "final" {
				final = applies
			}
			one = verdictOf(s.final)
		default:
			if len(words) > 0 {
				one, words = s.criterion(name, words[0]), words[1:]
			}
		}
		if negated {
			one = one.not()
		}
		v = v.and(one)
	}
	return v, final
}

// criterion judges one that has an argument. Those that run a program, look at the
// network or are not known here can't be told.
func (s scene) criterion(name, arg string) verdict {
	switch name {
	case "host":
		return verdictOf(fitsList(strings.ToLower(s.target), strings.ToLower(arg)))
	case "originalhost":
		return verdictOf(fitsList(strings.ToLower(s.name), strings.ToLower(arg)))
	case "user":
		return verdictOf(fitsList(s.user, arg))
	case "localuser":
		return verdictOf(fitsList(s.me, arg))
	}
	return untold
}

// criteria splits a Match line into words. Not whole: from some point on there are
// quotes, which versions of OpenSSH read differently.
func criteria(rest string) (words []string, whole bool) {
	plain := rest
	cut := strings.IndexAny(rest, "\"'\\")
	if cut >= 0 {
		plain = rest[:cut]
	}
	words = strings.FieldsFunc(plain, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '=' })
	for i, word := range words {
		if strings.HasPrefix(word, "#") {
			return words[:i], i > 0
		}
	}
	if cut > 0 && len(words) > 0 && !strings.ContainsAny(plain[cut-1:], " \t=") {
		words = words[:len(words)-1] // the quote is a part of this word
	}
	return words, cut < 0 && len(words) > 0
}
