package secret

import (
	"fmt"
	"maps"
	"strings"
	"sync"
)

// Filter replaces the values it knows by [secret] in whatever is about to leave: as they
// are, in base64 and hex at any place and in lines of any length, URLs, JSON, HTML and
// quoted for a shell. Of a line of base64 or hex, less than 6 bytes of a value may be left at
// its end. Not filtered are values of less than 8 bytes, and those that stand in a public name: they are found
// in too many other words, and what is left would be of no use.
//
// It is the last line of defence, behind the rule that no secret is written at all. A nil
// Filter knows nothing and changes nothing. It may be used from several goroutines.
type Filter struct {
	mu     sync.RWMutex
	known  *trie
	values map[string]bool // those that were added
	public map[string]bool // in small letters
}

// NewFilter makes a Filter that knows nothing yet.
func NewFilter() *Filter {
	return &Filter{known: newTrie(), values: map[string]bool{}, public: map[string]bool{}}
}

// Add makes a value known. What has left before is not called back. Where the value can't
// be filtered, it says why, in words that follow "the secret".
func (f *Filter) Add(s Secret) (unfit string) {
	value := s.Reveal()
	switch {
	case f == nil || !s.Set():
		return ""
	case len(value) < leastValue:
		return fmt.Sprintf("is shorter than %d characters", leastValue)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isPublic(value) {
		return "is also a name here, or a part of one"
	}
	if !f.values[value] {
		f.values[value] = true
		f.learn(value)
	}
	return ""
}

// Public names are those of hosts, sites, groups, users, playbooks and the like: they stay
// as they are, even where a secret is the same or a part of them, in any case of letters. It
// tells how many secrets are not filtered any more because of that.
func (f *Filter) Public(names ...string) (dropped int) {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range names {
		f.public[strings.ToLower(name)] = true
	}
	before := len(f.values)
	maps.DeleteFunc(f.values, func(value string, _ bool) bool { return f.isPublic(value) })
	if dropped = before - len(f.values); dropped == 0 {
		return 0
	}
	f.known = newTrie()
	for value := range f.values {
		f.learn(value)
	}
	return dropped
}

func (f *Filter) isPublic(value string) bool {
	value = strings.ToLower(value)
	for name := range f.public {
		if strings.Contains(name, value) {
			return true
		}
	}
	return false
}

func (f *Filter) learn(value string) {
	for pattern := range forms(value) {
		f.known.add(pattern, whole)
	}
	for _, w := range wrapped(value) {
		f.known.add(w.text, w.repeats)
	}
}

// Text gives the text with every known value replaced.
func (f *Filter) Text(text string) string {
	if f == nil {
		return text
	}
	if out, changed := f.clean([]byte(text)); changed {
		return string(out)
	}
	return text
}

// Bytes gives raw with every known value replaced: raw itself where there is none.
func (f *Filter) Bytes(raw []byte) []byte {
	if f == nil {
		return raw
	}
	out, _ := f.clean(raw)
	return out
}

// Texts filters each text of a list, into a new list.
func (f *Filter) Texts(texts []string) []string {
	if f == nil || texts == nil {
		return texts
	}
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = f.Text(text)
	}
	return out
}

// Holds tells whether a known value stands in the text.
func (f *Filter) Holds(text string) bool {
	if f == nil {
		return false
	}
	_, changed := f.clean([]byte(text))
	return changed
}

func (f *Filter) clean(raw []byte) (out []byte, changed bool) {
	t := f.scan(nil, raw, true)
	if t.hits == 0 {
		return raw, false
	}
	return t.out, true
}

// taken is what scan has made of its input: what can leave, and what can't be told yet.
type taken struct {
	out, rest []byte
	hits      int
}

// scan appends what of raw can leave, values replaced, to out. Unless raw is the end, a
// tail that may be the beginning of a value is left.
func (f *Filter) scan(out, raw []byte, end bool) taken {
	f.mu.RLock()
	defer f.mu.RUnlock()
	t := taken{out: out}
	from := 0
	for i := 0; i < len(raw); {
		hit := f.known.at(raw, i)
		switch {
		case hit.more && !end:
			t.out, t.rest = append(t.out, raw[from:i]...), raw[i:]
			return t
		case hit.size == 0:
			i++
		default:
			t.out = append(append(t.out, raw[from:i]...), Hidden...)
			i += hit.size
			from = i
			t.hits++
		}
	}
	if t.hits > 0 || len(out) > 0 || !end {
		t.out = append(t.out, raw[from:]...)
	}
	return t
}
