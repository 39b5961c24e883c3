package posix

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// directive is one of printf's, "%%" included.
var directive = regexp.MustCompile(`%(?:%|[-+ #0]*[0-9]*(?:\.[0-9]+)?[a-zA-Z])`)

// upperHex does the interpreter's printf's work where it knows no %X: the argument is
// formatted here, and printed as a string. Only numbers are; the format is used once.
func upperHex(args []string) []string {
	out := slices.Clone(args)
	at := 1
	out[1] = directive.ReplaceAllStringFunc(args[1], func(verb string) string {
		if verb == "%%" {
			return verb
		}
		at++
		if !strings.HasSuffix(verb, "X") || at >= len(out) {
			return verb
		}
		n, err := strconv.ParseInt(out[at], 0, 64)
		if err != nil {
			return verb
		}
		out[at] = fmt.Sprintf(verb, n)
		return "%s"
	})
	return out
}
