package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/patchring/patchring/pkg/patch"
)

// What is signed is text that a person can read: a first line that says what it is, then one
// line a value, all of them, in one order. A value can't hold a line's end, so that each text
// says one thing only, and no text of one kind reads as one of another.

// maxMessage bounds what is read as a message.
const maxMessage = 64 << 10

// line is one value of a message.
type line struct {
	name  string
	value string
	empty bool // may it be?
}

// write gives the message. What can't be written so that it is read back as it is, is refused.
func write(first string, lines []line) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(first + "\n")
	for _, l := range lines {
		switch {
		case l.value == "" && !l.empty:
			return nil, fmt.Errorf("nothing to sign: the %s is missing", l.name)
		case !shown(l.value):
			return nil, fmt.Errorf("what is signed must be plain text of one line, and the %s %q is not", l.name, l.value)
		}
		out.WriteString(l.name + ":")
		if l.value != "" {
			out.WriteString(" " + l.value)
		}
		out.WriteByte('\n')
	}
	if out.Len() > maxMessage {
		return nil, fmt.Errorf("what is signed may have %d bytes, and this has %d", maxMessage, out.Len())
	}
	return out.Bytes(), nil
}

// shown: all of it is seen as it is, by whoever is asked to sign it.
func shown(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
	})
}

// read takes the values out of a message, by the names of its lines. Whether they are what
// write would write is seen by writing them again: see same.
func read(message []byte, first string, names ...string) ([]string, error) {
	if len(message) > maxMessage {
		return nil, fmt.Errorf("a message of more than %d bytes", maxMessage)
	}
	rest, ok := strings.CutPrefix(string(message), first+"\n")
	if !ok {
		return nil, fmt.Errorf("this is no %q", first)
	}
	rows := strings.Split(rest, "\n")
	if len(rows) != len(names)+1 || rows[len(names)] != "" {
		return nil, fmt.Errorf("%q has %d lines", first, len(names)+1)
	}
	values := make([]string, len(names))
	for i, name := range names {
		value, ok := strings.CutPrefix(rows[i], name+":")
		if !ok {
			return nil, fmt.Errorf("line %d of %q is not %q", i+2, first, name)
		}
		values[i] = strings.TrimPrefix(value, " ")
	}
	return values, nil
}

// same: the message is, byte for byte, what is written for what was read from it.
func same(message, again []byte, err error) error {
	switch {
	case err != nil:
		return err
	case !bytes.Equal(message, again):
		return errors.New("not written as patchring writes it")
	}
	return nil
}

// digest is a digest, or what no writing gives back.
func digest(text string) patch.Digest {
	d, err := patch.ParseDigest(text)
	if err != nil {
		return ""
	}
	return d
}

// whole gives a digest's text, or nothing where it is none.
func whole(d patch.Digest) string { return string(digest(string(d))) }

// stamp writes a time so that it reads back as the same instant; the zero time is nothing.
func stamp(t time.Time) string {
	if t.IsZero() || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
