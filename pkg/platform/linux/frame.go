package linux

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

// section is what one command of a script printed.
type section struct {
	out    string
	err    string // what it printed to stderr
	status int    // its exit status; -1: not known, then out is not whole
}

// ok: it ran, succeeded, and nothing was cut off.
func (s section) ok() bool { return s.status == 0 }

// lines are the non-empty lines of stdout.
func (s section) lines() []string {
	var lines []string
	for line := range strings.Lines(s.out) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// why is what a section that failed said, cleaned, in one line.
func (s section) why() string {
	said := remote.CleanLines(s.err, 3, 200)
	if len(said) == 0 {
		said = remote.CleanLines(s.out, 2, 200)
	}
	if len(said) == 0 {
		if s.status < 0 {
			return "its output was cut off"
		}
		return "exit status " + strconv.Itoa(s.status)
	}
	return strings.Join(said, " | ")
}

// report is a script's output taken apart. Only lines that carry the nonce of the
// first line divide it, so that no command's output can add or end a section.
type report struct {
	sections map[string]section
	whole    bool // its last line came
}

// get gives a section; one that never came has status -1.
func (r report) get(name string) section {
	if s, ok := r.sections[name]; ok {
		return s
	}
	return section{status: -1}
}

func (r report) has(name string) bool {
	_, ok := r.sections[name]
	return ok
}

// fields reads a section of name=value lines. The first of a name counts.
func (r report) fields(name string) map[string]string {
	fields := map[string]string{}
	for _, line := range r.get(name).lines() {
		key, value, found := strings.Cut(line, "=")
		if _, twice := fields[key]; found && !twice {
			fields[key] = remote.Clean(value, 300)
		}
	}
	return fields
}

const opening = "patchring-report 1 "

// readReport takes a script's output apart; found is false when its opening line
// is not there: the script did not run. Shells that greet first are borne with.
func readReport(res remote.Result) (r report, found bool) {
	nonce, rest, found := findNonce(res.Out)
	if !found {
		return report{}, false
	}
	r.sections = map[string]section{}
	whole := splitSections(rest, nonce, func(name, text string, status int) {
		if _, twice := r.sections[name]; !twice {
			r.sections[name] = section{out: text, status: status}
		}
	})
	splitSections(res.Err, nonce, func(name, text string, _ int) {
		if s, ok := r.sections[name]; ok && s.err == "" {
			s.err = text
			r.sections[name] = s
		}
	})
	r.whole = whole && !res.Truncated
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
