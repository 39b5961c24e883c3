// Package document reads the YAML files that people write. It decodes them into
// tagged Go structs that keep the position of every value, and reports all that is
// wrong at once: file, line, column, the source line with a caret, and a hint.
// The same structs give the JSON Schema. It is the only home of the yaml library.
//
// A struct field is described by its tags:
//
//	yaml:"port"            the key
//	doc:"TCP port of sshd" for the schema; for Unsupported and Elsewhere, the hint
//	enum:"a|b"             the only texts that are right
//	later:"c|d"            texts that are known, but that this build can't honour; "*" is every other text
//	why:"..."              the hint that goes with later
//	min:"1" max:"65535"    bounds of numbers and durations
//	count:"1"              the least number of a list's items, or of each list in a Map
//	with:"hosts"           the key may only stand beside this other one
//	keys:"^[a-z]+$"        for the schema: what the keys of a Map look like
//	flags:"required,raw"   the key must be there; the text may have several lines
//
// A field hides those of the same key in embedded structs.
// A struct with a method ExactlyOne() []string wants exactly one of those keys, one with
// AtLeastOne() []string at least one.
package document

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

// Limits of what is read. A file beyond them is refused with a clear error.
const (
	MaxBytes    = 16 << 20 // of one file
	maxNodes    = 4 << 20  // values decoded from one file, aliases expanded
	maxAliases  = 10_000   // aliases followed in one file
	maxText     = 4096     // runes of one text
	maxProblems = 20       // problems shown; the rest is counted
)

// Pos is a place in a file. Both numbers begin at 1; the column counts characters.
// The zero Pos means: not written.
type Pos struct{ Line, Col int }

// Written tells whether the value stands in the file.
func (p Pos) Written() bool { return p.Line > 0 }

// Compare orders by place in the file.
func (p Pos) Compare(o Pos) int {
	if p.Line != o.Line {
		return p.Line - o.Line
	}
	return p.Col - o.Col
}

// File is a document that was read, and the problems found in it so far.
type File struct {
	Path     string
	source   source
	problems []Problem
	seen     map[string]bool
	dropped  int
	broken   bool
}

// Decode reads src into the struct that into points at. It always returns a File;
// its Err tells what is wrong. What could be read was read, so the caller may look
// for further problems and report them with Errorf, unless Broken says that the
// file could not be read at all. Nothing that looks like a password is ever shown.
func Decode(path string, src []byte, into any) *File {
	f := &File{Path: path, seen: map[string]bool{}}
	root := f.parse(src)
	if root == nil {
		f.broken = true
		return f
	}
	d := &decoder{file: f, shapes: shapes{}, hidden: hideSecrets(f, root)}
	d.top(root, into)
	return f
}

// Broken tells that the file isn't YAML at all, so nothing was decoded.
func (f *File) Broken() bool { return f.broken }

// Place gives "path:line" for messages about other lines.
func (f *File) Place(at Pos) string { return fmt.Sprintf("%s:%d", f.Path, at.Line) }

// Errorf reports a mistake at a place. The hint says what to write instead.
func (f *File) Errorf(at Pos, hint, format string, args ...any) {
	f.report(at, fault.Usage, hint, fmt.Sprintf(format, args...))
}

// Unsupportedf reports a setting that is known, but that this build can't honour.
func (f *File) Unsupportedf(at Pos, hint, format string, args ...any) {
	f.report(at, fault.Unsupported, hint, fmt.Sprintf(format, args...))
}

// Report takes an error of a check over to the file: the code and hint of a
// *fault.Error are kept, anything else is a mistake in the file.
func (f *File) Report(at Pos, err error) {
	code := fault.CodeOf(err)
	if code != fault.Unsupported {
		code = fault.Usage
	}
	f.report(at, code, fault.HintOf(err), err.Error())
}

// keep is how many problems are held at most; they are sorted before they are cut.
const keep = 50 * maxProblems

func (f *File) report(at Pos, code fault.Code, hint, what string) {
	if len(f.problems) >= keep {
		f.dropped++
		return
	}
	key := fmt.Sprintf("%d:%d:%s", at.Line, at.Col, what)
	if f.seen[key] {
		return
	}
	f.seen[key] = true
	f.problems = append(f.problems, Problem{
		Path: f.Path, Line: at.Line, Col: at.Col, Code: code, What: clean(what, maxText), Hint: clean(hint, maxText),
	})
}

// Err is nil when nothing is wrong, else a *Problems.
func (f *File) Err() error {
	if len(f.problems) == 0 {
		return nil
	}
	return newProblems(f)
}

// clean makes text fit for a terminal: control characters become dots, and what is
// too long is cut.
func clean(text string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > most {
			return b.String() + "…"
		}
		b.WriteRune(visible(r))
	}
	return b.String()
}
