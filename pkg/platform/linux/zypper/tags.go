package zypper

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

// tag is one opening or closing tag of zypper's XML, with the text that follows it.
type tag struct {
	name string // of a closing one with a slash before it
	attr map[string]string
	text string
}

// maxAttr bounds what one attribute may hold; names, versions and addresses are shorter.
const maxAttr = 2000

var errCut = errors.New("zypper's answer was cut off")

// readTags reads XML of which tags may have been dropped (zypper_tags does): each tag is
// read by itself. An answer that does not end its stream was cut off.
func readTags(text string, visit func(tag)) error {
	d := xml.NewDecoder(strings.NewReader(legible(text)))
	d.Strict = false
	var last tag
	flush := func() {
		if last.name != "" {
			visit(last)
		}
		last = tag{}
	}
	whole := false
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errCut
		}
		switch t := token.(type) {
		case xml.StartElement:
			flush()
			last = tag{name: t.Name.Local, attr: attributes(t.Attr)}
		case xml.EndElement:
			flush()
			last = tag{name: "/" + t.Name.Local}
			whole = whole || t.Name.Local == "stream"
		case xml.CharData:
			last.text += string(t)
		}
	}
	flush()
	if !whole {
		return errCut
	}
	return nil
}

func attributes(list []xml.Attr) map[string]string {
	attr := make(map[string]string, len(list))
	for _, a := range list {
		if len(a.Value) <= maxAttr {
			attr[a.Name.Local] = a.Value
		}
	}
	return attr
}

// legible takes out what XML has no room for: one bad byte in a summary would hide every
// update after it.
func legible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0xFFFE || r == 0xFFFF:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

// complaint is what zypper says is wrong: its first error, or the question that nobody
// was there to answer. Empty where it has none.
func complaint(text string) string {
	wrong := ""
	_ = readTags(text, func(t tag) { // of an answer that was cut what is there still tells
		says := t.name == "message" && t.attr["type"] == "error" || t.name == "description" && strings.HasPrefix(t.text, "Problem:")
		if says && wrong == "" {
			wrong = remote.Clean(strings.Join(strings.Fields(t.text), " "), 300)
		}
	})
	return wrong
}
