// Package report holds the public documents of patchring (the rollout, the plan,
// what detection, the doctor and the checks found) and writes them as table, JSON,
// Markdown, CSV or JUnit. The documents have structs of their own: their JSON is a
// promise to users, and no internal type is ever marshalled into it.
//
// Documents are built by pure functions. No renderer decides anything: the exit
// code and the next command are worked out beside them (exit.go, next.go).
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

// Version of every document's JSON. New fields and new values of enumerations may
// be added within a version; nothing is renamed, removed or changes its meaning.
const Version = 1

// Header begins every document.
type Header struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"`
}

func header(kind string) Header { return Header{Version: Version, Kind: kind} }

// Document is one of the public documents of this package.
type Document interface{ face(brief bool) face }

// Format is an output format.
type Format string

const (
	FormatTable    Format = "table"
	FormatJSON     Format = "json"
	FormatMarkdown Format = "markdown"
	FormatCSV      Format = "csv"
	FormatJUnit    Format = "junit"
)

// Formats lists them in the order in which help shows them.
func Formats() []Format {
	return []Format{FormatTable, FormatJSON, FormatMarkdown, FormatCSV, FormatJUnit}
}

// ParseFormat reads the value of --format.
func ParseFormat(text string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if string(f) == text {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fault.Usagef("use one of: "+strings.Join(names, ", "), "unknown format %q", text)
}

// Options of the table; the other formats have none.
type Options struct {
	Width  int  // columns of the terminal; 0 or less: as wide as the texts are
	Colour bool // the state words in colour. The words and their signs are always there
	Brief  bool // only what needs attention: hosts that are well, updates and the timeline are left out
}

// Write renders a document. A format that the document has no meaning in (JUnit of
// an inventory) is a usage error.
func Write(w io.Writer, d Document, f Format, o Options) error {
	switch f {
	case FormatTable:
		return writeTable(w, d.face(o.Brief), o)
	case FormatJSON:
		return WriteJSON(w, d)
	case FormatMarkdown:
		return writeMarkdown(w, d.face(o.Brief))
	case FormatCSV:
		if t, ok := d.(interface{ records() records }); ok {
			return writeCSV(w, t.records())
		}
	case FormatJUnit:
		if t, ok := d.(interface{ suites() []suite }); ok {
			return writeJUnit(w, t.suites())
		}
	}
	return fault.Usagef("use --format table or --format json", "this document can't be written as %q", string(f))
}

// WriteJSON writes a document for machines and people: indented, with a newline at
// its end, and without HTML escapes; see EscapeJSON for what is escaped.
func WriteJSON(w io.Writer, d Document) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(d)
	if err == nil {
		_, err = w.Write(EscapeJSON(out.Bytes()))
	}
	if err != nil {
		return fmt.Errorf("write the document as JSON: %w", err)
	}
	return nil
}
