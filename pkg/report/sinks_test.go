package report

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

func TestInert(t *testing.T) {
	cases := map[string]string{
		"=HYPERLINK(\"http://x\")": "'=HYPERLINK(\"http://x\")", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": "'=1", "\"=1": "'\"=1", "a; =1": "a; '=1", "a;\"-1;b": "a;\"'-1;b", "\r=1": "'=1", " " + "=1": "'=1", "＝1": "'＝1", "1.2-3": "1.2-3", "": "",
	}
	for in, want := range cases {
		if got := inert(in); got != want {
			t.Errorf("inert(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestEveryFormatOfEveryDocument: what a document claims to support is well-formed.
func TestEveryFormatOfEveryDocument(t *testing.T) {
	for name, d := range samples() {
		markdownHolds(t, string(render(t, d, FormatMarkdown, Options{})))
		if r, ok := d.(interface{ records() records }); ok {
			if rows := parseCSV(t, render(t, d, FormatCSV, Options{})); len(rows) != len(r.records().rows)+1 || len(rows) < 2 {
				t.Errorf("%s has %d rows of CSV", name, len(rows))
			}
		}
		if _, ok := d.(interface{ suites() []suite }); ok && parseJUnit(t, render(t, d, FormatJUnit, Options{})).Tests == 0 {
			t.Errorf("%s has no testcase", name)
		}
	}
}

// hostile is a source in which every text that a host or a repository has a hand in is text.
func hostile(text string) Source {
	s := sampleSource()
	u := patch.Update{Name: text, Arch: text, From: text, To: text, Origin: text, Security: patch.Yes, Severity: patch.Severity(text)}
	host := fact.HostID{Site: "hq", Name: text}
	s.Status.Hosts = append(s.Status.Hosts, rollout.HostStatus{
		ID: host, Ring: "production", State: rollout.HostFailed, Touched: true, Reasons: []string{text, text}, Notes: []string{text},
		Began:  work([]patch.Update{u}, patch.Left{Update: u, Reason: patch.Reason(text), Detail: text}),
		Checks: []health.Result{{Check: text, Verdict: health.Fail, Seen: text}},
	})
	s.Status.Reasons, s.Status.Playbook = []string{text}, text
	s.Status.Rings[1].GateReasons = []string{text}
	s.Waits = append(s.Waits, rollout.Wait{For: text}, rollout.Wait{Ring: text, For: "x", Person: true, Until: at(9)})
	hostileGate(&s, text)
	return s
}

// hostileGate is the same of what gates, budgets and people say.
func hostileGate(s *Source, text string) {
	s.Plan.Quarantined = []plan.Quarantined{{ID: fact.HostID{Site: "hq", Name: text}, Ring: text, Owner: text, Reason: text}}
	st := &s.Status
	st.Out, st.Starter, st.Override = map[string]string{text: text}, text, rollout.WindowOverridden{Reason: text, Until: at(9)}
	st.Rings[1].Window, st.Rings[1].Progress = text, &rollout.GateProgress{
		Soak:      &rollout.SoakProgress{Samples: 1, Fail: 1, Sick: map[string]string{text: text}, Doubtful: true},
		Approval:  &rollout.ApprovalProgress{Approvers: text, Count: 2, Given: []rollout.Approved{{By: text, As: text, Reason: text}}},
		Inquiries: []rollout.InquiryProgress{{Name: text, When: playbook.When(text), Asked: 1, Seen: text}},
		Waived:    []rollout.Waived{{What: text, Reason: text}},
	}
	for _, e := range []rollout.Entry{
		rollout.Approved{Ring: text, As: text, By: text, Reason: text}, rollout.Waived{Ring: text, What: text, Reason: text},
		rollout.Sampled{Ring: text, Fail: 1, Changed: map[string]string{text: text, text + "x": ""}}, rollout.Asked{Ring: text, Check: text, Seen: text},
		rollout.WindowOverridden{Reason: text}, rollout.Retried{Hosts: []fact.HostID{{Site: "hq", Name: text}}, Reason: text},
		rollout.StepEnded{Host: fact.HostID{Site: "hq", Name: text}, Outcome: rollout.OutcomeBack, Out: map[string]string{text: text}},
		rollout.CalendarSet{Calendar: schedule.Calendar{Zone: text, Windows: map[string]schedule.Window{text: {}}}},
	} {
		s.Events = append(s.Events, rollout.Event{Seq: 99, Time: at(99), Actor: text, Entry: e})
	}
}

// FuzzSinks: whatever a host says, every format stays well-formed.
func FuzzSinks(f *testing.F) {
	for _, seed := range []string{
		"=cmd|' /C calc'!A0", "a\"b,c\nd\r\ne", "<script>alert(1)</script>&amp;]]>", "| a | b\n---|", "\x1b[2J\x1b]0;t\a", "\x00\x01\xff\xfe",
		"\u202egnp.exe", "\ufffe\uffff", "`${x}` [l](javascript:x) www.x.y http://x @all", strings.Repeat("w", 3000), "-", "日本語\u0301", "'; DROP--", "\u2028\u0085",
	} {
		f.Add(seed, 60)
	}
	f.Fuzz(func(t *testing.T, text string, width int) {
		doc := NewRollout(hostile(text))
		width = 40 + max(width, -width, 0)%200
		want := render(t, NewRollout(hostile("plain")), FormatCSV, Options{})
		rows := parseCSV(t, render(t, doc, FormatCSV, Options{}))
		if n := len(parseCSV(t, want)); len(rows) != n {
			t.Errorf("%d rows of CSV instead of %d", len(rows), n)
		}
		for _, row := range rows {
			cellsHold(t, row)
		}
		if n := parseJUnit(t, render(t, doc, FormatJUnit, Options{})).Tests; n != len(doc.Hosts)+len(doc.Quarantined) {
			t.Errorf("%d testcases for %d hosts and %d in quarantine", n, len(doc.Hosts), len(doc.Quarantined))
		}
		markdownHolds(t, string(render(t, doc, FormatMarkdown, Options{})))
		textHolds(t, string(render(t, doc, FormatTable, Options{Width: width})), width)
		textHolds(t, string(render(t, doc, FormatTable, Options{})), 0)
	})
}

func cellsHold(t *testing.T, row []string) {
	t.Helper()
	for _, c := range row {
		if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r") {
			t.Errorf("a formula: %q", c)
		}
		printable(t, c)
	}
}

// printable: one line, valid, nothing that moves a cursor or turns the reading direction.
func printable(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("not UTF-8: %q", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			t.Errorf("%U in %q", r, s)
			return
		}
	}
}

func textHolds(t *testing.T, s string, width int) {
	t.Helper()
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		printable(t, line)
		if width > 0 && Width(line) > width {
			t.Errorf("a line of %d on %d columns: %q", Width(line), width, line)
		}
	}
}

// markdownHolds: every row of a table has as many cells as its head.
func markdownHolds(t *testing.T, s string) {
	t.Helper()
	cells, fence := 0, ""
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		printable(t, line)
		if fence != "" || strings.HasPrefix(line, "```") { // nothing in there is markup
			fence = fenced(fence, line)
			continue
		}
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(strings.NewReplacer(`\\`, "", `\|`, "").Replace(line), "|")
		if cells != 0 && n != cells {
			t.Errorf("%d cells instead of %d: %q", n, cells, line)
		}
		cells = n
		if strings.Contains(strings.ReplaceAll(line, `\<`, ""), "<") || strings.Contains(line, "://") {
			t.Errorf("markup or a link: %q", line)
		}
	}
}

// fenced is the fence that a line leaves open.
func fenced(fence, line string) string {
	switch {
	case fence == "":
		return strings.TrimSuffix(line, "text")
	case line == fence:
		return ""
	}
	return fence
}

func parseCSV(t *testing.T, b []byte) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// parseJUnit reads the XML back, strictly, and checks its sums.
func parseJUnit(t *testing.T, b []byte) xmlSuites {
	t.Helper()
	var all xmlSuites
	if err := xml.NewDecoder(bytes.NewReader(b)).Decode(&all); err != nil {
		t.Fatalf("not XML: %v\n%s", err, b)
	}
	sums := [4]int{}
	for _, s := range all.Suites {
		if s.Tests != len(s.Cases) {
			t.Errorf("suite %s says %d tests and has %d", s.Name, s.Tests, len(s.Cases))
		}
		for i, n := range []int{s.Tests, s.Failures, s.Errors, s.Skipped} {
			sums[i] += n
		}
	}
	if got := fmt.Sprint(sums); got != fmt.Sprint([4]int{all.Tests, all.Failures, all.Errors, all.Skipped}) {
		t.Errorf("the suites sum up to %s", got)
	}
	return all
}

func (x xmlSuites) cases(name string) (n int) {
	for _, s := range x.Suites {
		for _, c := range s.Cases {
			if c.Name == name {
				n++
			}
		}
	}
	return n
}
