package view

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/rollout"
)

// FuzzHostText: whatever a host says, a pipe gets its columns, a machine its JSON,
// and the terminal only the sequences that this package sends.
func FuzzHostText(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[2J\x1b]0;title\a", "a\r\n22:00:00 hq/web1 host healthy", "\u202eabc\u0085", "\x9b2J", "日本語", strings.Repeat("x", 2000), "", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var lines, objects, live bytes.Buffer
		ticks := make(chan time.Time)
		r := newRun(t)
		term := NewLive(LiveOptions{Out: &live, Clock: r.clock, Ticks: ticks, Colour: true})
		r.views = []View{NewLines(&lines, nil), NewJSON(&objects), term}
		r.open()
		r.begin("canary1")
		r.tell(Progress(id("canary1"), "install", text))
		r.tell(Note(r.clock(), text))
		ticks <- r.clock()
		ticks <- r.clock() // the first has been drawn
		r.ended(time.Second, "canary1", "install", rollout.StepEnded{Outcome: rollout.OutcomeUnknown, Code: fault.Lost, Reasons: []string{text}, Notes: []string{text}})
		for _, v := range r.views {
			if err := v.Close(nil); err != nil {
				t.Fatal(err)
			}
		}
		pipeHolds(t, lines.String())
		for line := range strings.Lines(objects.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %q", line)
			}
		}
		known := regexp.MustCompile(`\x1b\[(\?25[lh]|\d+A|J|\d+m)`)
		noControls(t, strings.NewReplacer("\r\n", "", "\r", "").Replace(known.ReplaceAllString(live.String(), "")))
	})
}

func pipeHolds(t *testing.T, out string) {
	t.Helper()
	const events = 8 // opened, gate, begin twice, before, install, note, install's end
	if n := strings.Count(out, "\n"); n != events+1 {
		t.Errorf("%d lines instead of %d:\n%s", n, events+1, out)
	}
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		noControls(t, line)
		if f := strings.Fields(line); len(f) < 5 || len(f[0]) != len("22:00:00") {
			t.Errorf("not five columns: %q", line)
		}
	}
}

func noControls(t *testing.T, s string) {
	t.Helper()
	if i := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }); i >= 0 {
		t.Errorf("a control character in %q", s[i:])
	}
}
