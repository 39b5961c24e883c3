package sshsig

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A pattern says the same as the regular expression that it is short for.
func TestMatchPattern(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?]{0,8}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "name")
		want := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + "$").MatchString(name)
		if got := matchPattern(pattern, name); got != want {
			t.Fatalf("%q matches %q: %v, want %v", pattern, name, got, want)
		}
	})
}

// Stars must not cost more than the product of the lengths.
func TestMatchPatternIsCheap(t *testing.T) {
	if matchPattern(strings.Repeat("*a", 500)+"b", strings.Repeat("a", 1000)) {
		t.Error("matched")
	}
}
