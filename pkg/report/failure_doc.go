package report

import (
	"errors"
	"fmt"

	"github.com/patchring/patchring/pkg/fault"
)

// Failure is the document of a command that ended with an error, so that --json
// gives JSON then too.
type Failure struct {
	Header
	Exit  Ending  `json:"exit"`
	Error Trouble `json:"error"`
	Host  string  `json:"host"` // empty: not about one host
	Step  string  `json:"step"`
}

// NewFailure builds the document of an error.
func NewFailure(err error) Failure {
	doc := Failure{Header: header("error"), Exit: ExitOf(err)}
	if t := newTrouble(err); t != nil {
		doc.Error = *t
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		doc.Host, doc.Step = clean(e.Host), clean(e.Step)
	}
	return doc
}

func (d Failure) face(bool) face {
	return face{title: "Error: " + d.Error.What, lines: []pair{
		{"Host", text(d.Host)},
		{"Hint", text(d.Error.Hint)},
		{"Exit code", text(fmt.Sprintf("%d %s", d.Exit.Code, d.Exit.Word))},
	}}
}
