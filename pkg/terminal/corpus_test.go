package terminal_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

// recording is a recorded session: what the device printed at the login, and for each
// line that was sent what came back, echo and prompt included.
type recording struct {
	login string
	steps []step
}

type step struct{ line, back string }

var (
	stepLine   = regexp.MustCompile(`^ *(?:- )?"((?:[^"\\]|\\.)*)": ?(\|-?)? *("(.*)")?$`)
	escapeMark = regexp.MustCompile(`\\(x[0-9a-fA-F]{2}|.)`)
)

// parseSimulation reads the recordings of oxidized: blocks ("|-") of YAML whose text has
// escapes of Ruby in it. It goes by lines: package document, the yaml's only home, takes
// no text of this size and no such escapes.
func parseSimulation(src string) recording {
	var r recording
	var block []string
	indent, into := -1, -2 // -1: the login
	flush := func() {
		text := unescape(strings.Join(block, "\n"))
		switch {
		case into == -1:
			r.login = text
		case into >= 0:
			r.steps[into].back += text
		}
		block, indent, into = nil, -1, -2
	}
	for line := range strings.SplitSeq(strings.TrimRight(src, "\n"), "\n") {
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if into != -2 && (strings.TrimSpace(line) == "" || indent < 0 && depth > 0 || indent >= 0 && depth >= indent) {
			if indent < 0 && strings.TrimSpace(line) != "" {
				indent = depth
			}
			block = append(block, line[min(len(line), max(indent, 0)):])
			continue
		}
		flush()
		if strings.HasPrefix(line, "init_prompt:") && strings.Contains(line, "|") {
			into = -1
		} else if m := stepLine.FindStringSubmatch(line); m != nil {
			r.steps = append(r.steps, step{line: unescape(m[1]), back: unescape(m[4])})
			if m[2] != "" {
				into = len(r.steps) - 1
			}
		}
	}
	flush()
	return r
}

func unescape(text string) string {
	return escapeMark.ReplaceAllStringFunc(text, func(m string) string {
		if m[1] == 'x' && len(m) == 4 {
			n, _ := strconv.ParseUint(m[2:], 16, 8)
			return string([]byte{byte(n)})
		}
		if c, ok := map[byte]string{'e': "\x1b", 'r': "\r", 'n': "\n", 't': "\t", 'b': "\b", 'a': "\a"}[m[1]]; ok {
			return c
		}
		return m[1:]
	})
}

func recordings(t *testing.T) map[string]recording {
	t.Helper()
	dir := os.Getenv("PATCHRING_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		t.Skip("no recorded sessions: set PATCHRING_CORPORA to the folder that has them")
	}
	files, err := filepath.Glob(filepath.Join(dir, "sessions", "*simulation.yaml"))
	if err != nil || len(files) == 0 {
		t.Skip("no recorded sessions in " + dir)
	}
	all := map[string]recording{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if r := parseSimulation(string(src)); r.login != "" && len(r.steps) > 0 {
			all[strings.TrimSuffix(filepath.Base(file), "__simulation.yaml")] = r
		}
	}
	return all
}

// replay performs a recording and gives what each line led to.
func replay(t *testing.T, r recording, split func(string) []string) (lines []string, out []remote.Result) {
	t.Helper()
	dialect := terminal.Generic()
	dialect.Async = []remote.Pattern{`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d {3}ONU .*`}
	dialect.Login = append(dialect.Login, remote.Question{Ask: `(?i)^Password: ?$|enable password: ?$`, Secret: remote.SecretEnable})
	d := newDevice(t, dialect, split)
	d.print(r.login)
	lines, out = []string{"the login"}, []remote.Result{d.login()}
	for i := 0; i < len(r.steps); i++ {
		line := strings.TrimRight(r.steps[i].line, "\r\n")
		if line == "" || !strings.HasSuffix(r.steps[i].line, "\n") || d.term.Prompt() == "" {
			continue
		}
		d.replies = func(string) string {
			if i >= len(r.steps) || d.sent[len(d.sent)-1] == "<enable>\r" && r.steps[i].line != "\n" {
				return ""
			}
			back := r.steps[i].back
			i++
			return back
		}
		lines = append(lines, line)
		out = append(out, d.exchange(remote.Exchange{Send: line, Questions: dialect.Login[2:]}))
		i--
	}
	return lines, out
}

// unlike are recordings whose prompt was made unlike any by those who made them public, or
// is not in them, or that lost a page.
func unlike() []string {
	return []string{"ironware__ICX7150-48Z-HPOE", "junos__srx300_22.4", "mlnxos__Onyx_3.9.2504"}
}

var (
	leaving = regexp.MustCompile(`^(?:exit|quit|logout|end|n)$`)
	// junk is what must never be in the output: control codes and pagers.
	junk = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f]|--More--`)
)

// TestRecordedSessions: each line of each session ends at the prompt, without echo, pager
// or control codes in what it gave, however its bytes are cut.
func TestRecordedSessions(t *testing.T) {
	good, all := 0, 0
	for name, r := range recordings(t) {
		lines, whole := replay(t, r, inOne)
		for i, got := range whole {
			all++
			switch m := junk.Find(got.Out); {
			case m != nil:
				t.Errorf("%s: %q: %q is left", name, lines[i], m)
			case got.Ending == remote.Done:
				good++
			case !leaving.MatchString(lines[i]) && !slices.Contains(unlike(), name):
				t.Errorf("%s: %q: ending %d: %q", name, lines[i], got.Ending, tail(got.Out, 100))
			}
			if i > 0 && bytes.HasPrefix(bytes.TrimSpace(got.Out), []byte(lines[i]+"\n")) {
				t.Errorf("%s: %q: the echo is left", name, lines[i])
			}
		}
		for _, split := range []func(string) []string{everyByte, atRandom(rand.New(rand.NewPCG(1, 2)))} {
			_, again := replay(t, r, split)
			same(t, name, whole, again)
		}
	}
	t.Logf("%d of %d ended at the prompt", good, all)
}

func tail(p []byte, n int) []byte { return p[max(0, len(p)-n):] }
