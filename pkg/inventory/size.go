package inventory

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

var sizeShape = regexp.MustCompile(`^[0-9]{1,6}%?$`)

// ParseSize reads a count or a whole percentage: "5" or "10%". what is counted stands
// in the errors.
func ParseSize(text, what string) (Size, error) {
	hint := "write a number of " + what + " (5) or a whole percentage (10%)"
	digits, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	switch {
	case err != nil || !sizeShape.MatchString(text):
		return Size{}, fault.Usagef(hint, "not a size")
	case percent && n > 100:
		return Size{}, fault.Usagef(hint, "more than 100%%")
	case n > maxHosts:
		return Size{}, fault.Usagef(hint, "more than %d %s", maxHosts, what)
	}
	return Size{N: n, Percent: percent}, nil
}

// SizeSchema is the JSON Schema of a Size of at least so many.
func SizeSchema(least int) map[string]any {
	percent := `^(100|[1-9]?[0-9])%$`
	if least > 0 {
		percent = `^(100|[1-9][0-9]?)%$`
	}
	return object{"anyOf": []object{
		{"type": "integer", "minimum": least, "maximum": maxHosts},
		{"type": "string", "pattern": percent},
	}}
}

// most is a budget. None at all would let nobody be patched.
type most struct{ Size }

func (m *most) UnmarshalText(b []byte) error {
	size, err := ParseSize(string(b), "units")
	if err == nil && size.N == 0 {
		err = fault.Usagef("write at least 1, or 1%; one unit may always be out", "nothing could ever be patched")
	}
	m.Size = size
	return err
}

func (most) Schema() map[string]any { return SizeSchema(1) }
