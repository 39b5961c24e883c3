package document

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/patchring/patchring/pkg/fault"
)

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// keyPlace is where the key stands whose value is n.
func (d *decoder) keyPlace(n *yaml.Node) Pos {
	if d.key != nil {
		return place(d.key)
	}
	return place(n)
}

// wrong reports a value of the wrong kind.
func (d *decoder) wrong(n *yaml.Node, f *field, want, hint string) {
	d.file.Errorf(place(n), hint, "%s wants %s, not %s", f.label(), want, d.show(n))
}

// show names a value for a message. Secrets are never shown.
func (d *decoder) show(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	case d.hidden[n]:
		return hiddenText
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return "the text `\"" + clip(n.Value) + "\"`"
	}
	return "`" + clip(n.Value) + "`"
}

// clip shortens what is quoted in a message.
func clip(text string) string { return clean(text, 60) }

// scalar gives a scalar's text as it is written: 9.10 stays "9.10".
func (d *decoder) scalar(n *yaml.Node, f *field, want string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		hint := ""
		if n.Kind == yaml.MappingNode && want == "a text" {
			hint = "put a text that holds `{{` or `: ` in quotes"
		}
		d.wrong(n, f, want, hint)
	case n.Style&yaml.TaggedStyle != 0:
		d.file.Errorf(place(n), "remove it; for secrets write env:NAME, file:PATH, exec:COMMAND or prompt", "tags (%s) are not supported", clip(n.Tag))
	case isNull(n):
		d.file.Errorf(place(n), "write one, or remove the key", "%s has no value", f.label())
	default:
		return n.Value, true
	}
	return "", false
}

// custom lets a type read the text itself. Its error may be a *fault.Error.
func (d *decoder) custom(n *yaml.Node, target encoding.TextUnmarshaler, f *field) bool {
	text, ok := d.scalar(n, f, "a text")
	if !ok || !d.inEnum(n, text, f) {
		return false
	}
	if problem := textProblem(text, f.raw); problem != "" {
		d.file.Errorf(place(n), "", "%s %s", f.label(), problem)
		return false
	}
	err := target.UnmarshalText([]byte(text))
	if err == nil {
		return true
	}
	code := fault.Usage
	if fe, ok := errors.AsType[*fault.Error](err); ok && fe.Code == fault.Unsupported {
		code = fault.Unsupported
	}
	d.file.report(place(n), code, fault.HintOf(err), fmt.Sprintf("%s: %v", f.label(), err))
	return false
}

// inEnum checks a text against the tags enum and later.
func (d *decoder) inEnum(n *yaml.Node, text string, f *field) bool {
	switch {
	case len(f.enum) == 0 || slices.Contains(f.enum, text):
		return true
	case slices.Contains(f.later, text) || slices.Contains(f.later, "*"):
		d.file.Unsupportedf(place(n), f.why, "%s: %s is not supported yet", f.label(), d.show(n))
	default:
		d.wrong(n, f, oneOf(f.enum), DidYouMean(text, f.enum, ""))
	}
	return false
}

func oneOf(words []string) string {
	if len(words) == 1 {
		return "`" + words[0] + "`"
	}
	return "one of " + strings.Join(words, ", ")
}

// textProblem says what is wrong with a text of any kind, or "".
func textProblem(text string, raw bool) string {
	switch {
	case text == "" && !raw:
		return "is empty"
	case len([]rune(text)) > maxText:
		return fmt.Sprintf("is longer than %d characters", maxText)
	case raw && strings.ContainsRune(text, 0):
		return "holds a NUL character"
	case !raw && strings.ContainsFunc(text, unicode.IsControl):
		return "holds a line break or control character"
	}
	return ""
}

// scalarInto reads texts, numbers, yes-or-no and durations into plain Go values.
func (d *decoder) scalarInto(n *yaml.Node, rv reflect.Value, f *field) bool {
	if rv.Type() == reflect.TypeFor[time.Duration]() {
		return d.durationInto(n, rv, f)
	}
	switch rv.Kind() {
	case reflect.String:
		return d.textInto(n, rv, f)
	case reflect.Bool:
		return d.boolInto(n, rv, f)
	case reflect.Int, reflect.Int64:
		return d.intInto(n, rv, f)
	case reflect.Float64:
		return d.floatInto(n, rv, f)
	}
	panic("document: a field has the unsupported type " + rv.Type().String()) // a mistake in our own structs
}

func (d *decoder) textInto(n *yaml.Node, rv reflect.Value, f *field) bool {
	text, ok := d.scalar(n, f, "a text")
	if !ok || !d.inEnum(n, text, f) {
		return false
	}
	if problem := textProblem(text, f.raw); problem != "" {
		d.file.Errorf(place(n), "", "%s %s", f.label(), problem)
		return false
	}
	rv.SetString(text)
	return true
}

func (d *decoder) boolInto(n *yaml.Node, rv reflect.Value, f *field) bool {
	text, ok := d.scalar(n, f, "true or false")
	if !ok {
		return false
	}
	if n.Tag != "!!bool" || text != "true" && text != "false" {
		d.wrong(n, f, "true or false", "")
		return false
	}
	rv.SetBool(text == "true")
	return true
}

func (d *decoder) intInto(n *yaml.Node, rv reflect.Value, f *field) bool {
	text, ok := d.scalar(n, f, "a whole number")
	if !ok {
		return false
	}
	i, err := strconv.ParseInt(text, 10, rv.Type().Bits())
	if n.Tag != "!!int" || err != nil || strconv.FormatInt(i, 10) != text {
		d.wrong(n, f, "a whole number", "write decimal digits, without quotes")
		return false
	}
	if !d.within(n, f, float64(i), numberBound) {
		return false
	}
	rv.SetInt(i)
	return true
}

func (d *decoder) floatInto(n *yaml.Node, rv reflect.Value, f *field) bool {
	text, ok := d.scalar(n, f, "a number")
	if !ok {
		return false
	}
	x, err := strconv.ParseFloat(text, 64)
	if n.Tag != "!!int" && n.Tag != "!!float" || err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		d.wrong(n, f, "a number", "")
		return false
	}
	if !d.within(n, f, x, numberBound) {
		return false
	}
	rv.SetFloat(x)
	return true
}

func (d *decoder) durationInto(n *yaml.Node, rv reflect.Value, f *field) bool {
	text, ok := d.scalar(n, f, "a duration")
	if !ok {
		return false
	}
	length, err := ParseDuration(text)
	if err != nil {
		d.wrong(n, f, "a duration", "write a number and a unit: 90s, 5m, 48h or 3d")
		return false
	}
	if !d.within(n, f, float64(length), durationBound) {
		return false
	}
	rv.SetInt(int64(length))
	return true
}

// within checks the tags min and max.
func (d *decoder) within(n *yaml.Node, f *field, x float64, bound func(string) float64) bool {
	switch {
	case f.min != "" && x < bound(f.min):
		d.file.Errorf(place(n), "", "%s must be at least %s, not %s", f.label(), f.min, d.show(n))
	case f.max != "" && x > bound(f.max):
		d.file.Errorf(place(n), "", "%s must be at most %s, not %s", f.label(), f.max, d.show(n))
	default:
		return true
	}
	return false
}

func numberBound(text string) float64 {
	x, _ := strconv.ParseFloat(text, 64)
	return x
}

func durationBound(text string) float64 {
	length, _ := ParseDuration(text)
	return float64(length)
}
