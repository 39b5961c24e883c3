package sshsig

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// parseOptions reads the comma-separated options before the key and gives what follows.
func (l *line) parseOptions(text string) (rest string, err error) {
	seen := map[string]bool{}
	for {
		name, value, quoted, after, err := cutOption(text)
		if err != nil {
			return "", err
		}
		if seen[name] {
			return "", fmt.Errorf("option %s is there twice", name)
		}
		seen[name] = true
		if err := l.option(name, value, quoted); err != nil {
			return "", err
		}
		if after == "" || after[0] != ',' {
			return strings.TrimLeft(after, " \t"), l.checkTimes()
		}
		text = after[1:]
	}
}

// cutOption takes name or name="value" off the text, up to the comma or blank after it.
// Names are read in any case, as OpenSSH does; \" is a quote within a value.
func cutOption(text string) (name, value string, quoted bool, rest string, err error) {
	n := strings.IndexAny(text, "=, \t")
	if n < 0 {
		n = len(text)
	}
	name, rest = strings.ToLower(text[:n]), text[n:]
	if rest == "" || rest[0] != '=' {
		return name, "", false, rest, nil
	}
	if value, rest, err = cutQuoted(rest[1:]); err != nil {
		return "", "", false, "", fmt.Errorf("option %.32q: %w", name, err)
	}
	if rest != "" && !strings.ContainsAny(rest[:1], ", \t") {
		return "", "", false, "", fmt.Errorf("option %.32q: text after its closing quote", name)
	}
	return name, value, true, rest, nil
}

func cutQuoted(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", errors.New("its value must stand in double quotes")
	}
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return out.String(), text[i+1:], nil
		case strings.HasPrefix(text[i:], `\"`):
			i++
			out.WriteByte('"')
		default:
			out.WriteByte(text[i])
		}
	}
	return "", "", errors.New("its quote is never closed")
}

func (l *line) option(name, value string, quoted bool) error {
	if name == "cert-authority" && !quoted {
		l.authority = true
		return nil
	}
	if !quoted {
		return unknownOption(name)
	}
	var err error
	switch name {
	case "namespaces":
		l.namespaces, err = parsePatterns(value)
	case "valid-after":
		l.after, err = parseTime(value)
	case "valid-before":
		l.before, err = parseTime(value)
	default:
		return unknownOption(name)
	}
	if err != nil {
		return fmt.Errorf("option %s: %w", name, err)
	}
	return nil
}

func unknownOption(name string) error {
	return &mistake{
		fmt.Sprintf("neither an option nor a key type: %.64q", name),
		`options are cert-authority, namespaces="…", valid-after="…Z" and valid-before="…Z"; ` + hintLine,
	}
}

func (l *line) checkTimes() error {
	if !l.after.IsZero() && !l.before.IsZero() && !l.after.Before(l.before) {
		return errors.New("valid-before is not after valid-after")
	}
	return nil
}

// parseTime reads YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ. Without Z, ssh-keygen takes
// its own time zone, and the file would mean something else to everyone who reads it.
func parseTime(text string) (time.Time, error) {
	digits, utc := strings.CutSuffix(strings.ToUpper(text), "Z")
	if !utc {
		digits, utc = strings.CutSuffix(digits, "UTC")
	}
	layouts := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}
	t, err := time.Parse(layouts[len(digits)], digits)
	switch {
	case layouts[len(digits)] == "" || err != nil || t.Unix() <= 0:
		return time.Time{}, fmt.Errorf("%.32q is not YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ", text)
	case !utc:
		return time.Time{}, &mistake{
			fmt.Sprintf("%q names no time zone", text),
			"write " + text + "Z: UTC. Without Z, each reader of the file would take their own time zone",
		}
	}
	return t, nil
}
