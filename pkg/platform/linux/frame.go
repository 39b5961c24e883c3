package linux

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

// Section is what one command of a script printed.
type Section struct {
	Out    string
	Err    string // what it printed to stderr
	Status int    // its exit status; -1: not known, then out is not whole
}

// OK tells that it ran, succeeded, and nothing was cut off.
func (s Section) OK() bool { return s.Status == 0 }

// Lines are the non-empty lines of stdout.
func (s Section) Lines() []string {
	var lines []string
	for line := range strings.Lines(s.Out) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// Why is what a section that failed said, cleaned, in one line.
func (s Section) Why() string {
	said := remote.CleanLines(s.Err, 3, 200)
	if len(said) == 0 {
		said = remote.CleanLines(s.Out, 2, 200)
	}
	if len(said) == 0 {
		if s.Status < 0 {
			return "its output was cut off"
		}
		return "exit status " + strconv.Itoa(s.Status)
	}
	return strings.Join(said, " | ")
}

// Report is a script's output taken apart. Only lines that carry the nonce of the
// first line divide it, so that no command's output can add or end a section.
type Report struct {
	sections map[string]Section
	Whole    bool // its last line came
}

// Get gives a section; one that never came has status -1.
func (r Report) Get(name string) Section {
	if s, ok := r.sections[name]; ok {
		return s
	}
	return Section{Status: -1}
}

// Has tells whether the section came, whole or not.
func (r Report) Has(name string) bool {
	_, ok := r.sections[name]
	return ok
}

// Fields reads a section of name=value lines. The first of a name counts.
func (r Report) Fields(name string) map[string]string {
	fields := map[string]string{}
	for _, line := range r.Get(name).Lines() {
		key, value, found := strings.Cut(line, "=")
		if _, twice := fields[key]; found && !twice {
			fields[key] = remote.Clean(value, 300)
		}
	}
	return fields
}

const opening = "patchring-report 1 "

// ReadReport takes a script's output apart; found is false when its opening line
// is not there: the script did not run. Shells that greet first are borne with.
func ReadReport(res remote.Result) (r Report, found bool) {
	nonce, rest, found := findNonce(res.Out)
	if !found {
		return Report{}, false
	}
	r.sections = map[string]Section{}
	whole := splitSections(rest, nonce, func(name, text string, status int) {
		if _, twice := r.sections[name]; !twice {
			r.sections[name] = Section{Out: text, Status: status}
		}
	})
	splitSections(res.Err, nonce, func(name, text string, _ int) {
		if s, ok := r.sections[name]; ok && s.Err == "" {
			s.Err = text
			r.sections[name] = s
		}
	})
	r.Whole = whole && !res.Truncated
	return r, true
}

func findNonce(out []byte) (nonce string, rest []byte, found bool) {
	for len(out) > 0 {
		line, after, _ := bytes.Cut(out, []byte("\n"))
		if nonce, ok := strings.CutPrefix(string(line), opening); ok && nonce != "" {
			return nonce, after, true
		}
		out = after
	}
	return "", nil, false
}

// splitSections calls emit for each section and tells whether the closing line came.
// The text of a section that never ended is emitted without a status.
func splitSections(out []byte, nonce string, emit func(name, text string, status int)) (whole bool) {
	prefix := []byte("@" + nonce + " ")
	var text strings.Builder
	name, status := "", -1
	for len(out) > 0 {
		line, after, _ := bytes.Cut(out, []byte("\n"))
		out = after
		frame, isFrame := bytes.CutPrefix(line, prefix)
		if !isFrame {
			text.Write(line)
			text.WriteByte('\n')
			continue
		}
		verb, arg, _ := strings.Cut(string(frame), " ")
		switch verb {
		case "begin":
			name, status = arg, -1
			text.Reset()
		case "status":
			status = readStatus(arg)
		case "end":
			emit(arg, text.String(), status)
			name = ""
			text.Reset()
		case "whole":
			whole = true
		}
	}
	if name != "" {
		emit(name, text.String(), -1)
	}
	return whole
}

func readStatus(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 255 {
		return -1
	}
	return n
}
