package device

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/remote"
)

// What a value may look like. Anything else was read at the wrong place, and is left out.
var (
	saneVersion  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._()+:~/, -]{0,79}$`)
	saneModel    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+/()&#*, -]{0,63}$`)
	saneSerial   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{2,47}$`)
	saneHostname = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	saneWord     = regexp.MustCompile(`^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$`)
	emptyForm    = regexp.MustCompile(`(?i)^(n/?a|none|null|unknown|unspecified|not (available|set|present|specified|applicable)|unavailable|-+|0+|to be filled by o\.e\.m\.?|system serial number|default string)$`)
	digitForm    = regexp.MustCompile(`[0-9]`)
)

// sane tells whether a value can be of a kind of fact.
func sane(kind, value string) bool {
	if kind == "version" || kind == "model" || kind == "serial" || kind == "hostname" || kind == "build" {
		if emptyForm.MatchString(value) {
			return false
		}
	}
	switch kind {
	case "version":
		return saneVersion.MatchString(value) && digitForm.MatchString(value)
	case "model", "family":
		return saneModel.MatchString(value)
	case "serial":
		return saneSerial.MatchString(value)
	case "hostname":
		return saneHostname.MatchString(value)
	}
	return saneWord.MatchString(value)
}

// found is what became of one fact: a value, or why there is none.
type found struct {
	value   string
	why     string
	absent  bool   // the answers do not have it; they say nothing wrong
	refused string // why the value forbids an upgrade
}

// field reads a fact: of its ways, the first that matches with a sane value wins.
func (p *Platform) field(kind string, ways []Field, from sources) found {
	var got found
	for _, way := range ways {
		value, why, differ := p.agreed(kind, way, from(way.Cmd))
		if differ {
			return found{why: why, refused: required(kind, way, "")}
		}
		if value != "" {
			return found{value: value, refused: required(kind, way, value)}
		}
		if why != "" {
			got.why = why
		}
	}
	if got.why == "" && len(ways) > 0 {
		got.why, got.absent = absent(ways, from), true
	}
	for _, way := range ways {
		if got.refused == "" {
			got.refused = required(kind, way, "")
		}
	}
	return got
}

// agreed is the value that a way finds in texts. Recordings of one device may hold a
// command twice; where the values differ, there is none.
func (p *Platform) agreed(kind string, way Field, texts []string) (value, why string, differ bool) {
	for _, text := range texts {
		one, ok, contradiction := p.value(way, text)
		switch {
		case contradiction != "":
			return "", contradiction, true
		case !ok:
		case !sane(kind, one):
			why = fmt.Sprintf("%q can't be one", remote.Clean(one, 60))
		case value != "" && one != value:
			return "", fmt.Sprintf("both %q and %q", remote.Clean(value, 60), remote.Clean(one, 60)), true
		default:
			value = one
		}
	}
	return value, why, false
}

func absent(ways []Field, from sources) string {
	var asked []string
	for _, way := range ways {
		if len(from(way.Cmd)) > 0 && !slices.Contains(asked, way.Cmd) {
			asked = append(asked, way.Cmd)
		}
	}
	if len(asked) == 0 {
		return "not asked"
	}
	return strings.Join(asked, ", ") + ": not in the answer"
}

// value reads one way in one text. With AllEqual, why says that the matches differ.
func (p *Platform) value(way Field, text string) (value string, ok bool, why string) {
	matches := p.Re(way.Re).FindAllStringSubmatch(text, 1)
	if way.AllEqual {
		matches = p.Re(way.Re).FindAllStringSubmatch(text, -1)
	}
	for i, m := range matches {
		one := p.polish(way, captured(p.Re(way.Re), m))
		if i > 0 && one != value {
			return "", false, fmt.Sprintf("%s: both %q and %q", way.Cmd, remote.Clean(value, 60), remote.Clean(one, 60))
		}
		value = one
	}
	return value, len(matches) > 0 && value != "", ""
}

func (p *Platform) polish(way Field, value string) string {
	if way.Trim != "" {
		value = p.Re(way.Trim).ReplaceAllString(value, "")
	}
	return mapped(way.Map, strings.TrimSpace(value))
}

// captured is the group named value, else the first group that took part.
func captured(re *regexp.Regexp, m []string) string {
	if i := re.SubexpIndex("value"); i >= 0 {
		return m[i]
	}
	for _, group := range m[1:] {
		if group != "" {
			return group
		}
	}
	return ""
}

// mapped turns a device's word into ours; what the map does not know stays.
func mapped(words document.Map[string], value string) string {
	for _, e := range words.Entries {
		if strings.EqualFold(e.Key, value) {
			return e.Value
		}
	}
	return value
}

// required says why a value forbids an upgrade, or nothing. One that is not known does.
func required(kind string, way Field, value string) string {
	kind = strings.TrimPrefix(kind, "values.")
	switch {
	case len(way.Require) == 0 || slices.Contains(way.Require, value):
		return ""
	case value == "":
		return fmt.Sprintf("%s is not known, and must be %s", kind, strings.Join(way.Require, " or "))
	}
	return fmt.Sprintf("%s is %s, and must be %s", kind, remote.Clean(value, 60), strings.Join(way.Require, " or "))
}
