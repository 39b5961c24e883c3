package document

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// plain matches texts that mean themselves anywhere in YAML: words, paths and IPv4
// addresses. Numbers are not among them: they are quoted, so that other readers keep
// them as written too.
var plain = regexp.MustCompile(`^(~?[A-Za-z_/][A-Za-z0-9_./@-]*|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)$`)

// Quote writes text as one YAML value: plain where it is safe in every place and
// for every YAML version, else in double quotes. Text must be valid UTF-8.
func Quote(text string) string {
	words := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
	if plain.MatchString(text) && len(text) < 200 && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}
