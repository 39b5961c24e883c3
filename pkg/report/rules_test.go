package report

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// TestEveryHostOnce: no renderer loses a host or counts it twice.
func TestEveryHostOnce(t *testing.T) {
	doc := NewRollout(sampleSource())
	junit := parseJUnit(t, render(t, doc, FormatJUnit, Options{}))
	rows := parseCSV(t, render(t, doc, FormatCSV, Options{}))
	table := string(render(t, doc, FormatTable, Options{Width: 80}))
	for _, h := range sampleHosts() {
		name := h.ID.String()
		if n := count1(doc.Hosts, func(h Host) bool { return h.Host == name }); n != 1 {
			t.Errorf("%s is in the document %d times", name, n)
		}
		if n := junit.cases(name); n != 1 {
			t.Errorf("%s is %d testcases", name, n)
		}
		if !slices.ContainsFunc(rows, func(row []string) bool { return row[4] == name }) {
			t.Errorf("%s is not in the CSV", name)
		}
		if !strings.Contains(table, name) {
			t.Errorf("%s is not in the table", name)
		}
	}
}

func count1(hosts []Host, is func(Host) bool) (n int) {
	for _, h := range hosts {
		if is(h) {
			n++
		}
	}
	return n
}

func TestTotalsAddUp(t *testing.T) {
	doc := NewRollout(sampleSource())
	states, left, installed, unconfirmed := 0, 0, 0, 0
	for _, n := range doc.Totals.ByState {
		states += n
	}
	for _, h := range doc.Hosts {
		for _, c := range h.Updates {
			switch c.Outcome {
			case "left":
				left++
			case "installed":
				installed++
			case "unconfirmed":
				unconfirmed++
			}
		}
	}
	if states != doc.Totals.Hosts || states != len(doc.Hosts) {
		t.Errorf("%d hosts, %d by state, %d in total", len(doc.Hosts), states, doc.Totals.Hosts)
	}
	if left != doc.Totals.Left || installed != doc.Totals.Installed || unconfirmed != doc.Totals.Unconfirmed {
		t.Errorf("totals %+v, counted %d left, %d installed, %d unconfirmed", doc.Totals, left, installed, unconfirmed)
	}
	rings := 0
	for _, r := range doc.Rings {
		rings += r.Hosts
	}
	if rings != len(doc.Hosts) {
		t.Errorf("%d hosts in the rings, %d in all", rings, len(doc.Hosts))
	}
}

// TestOutcomes: only what was seen on the host afterwards is called installed.
func TestOutcomes(t *testing.T) {
	cases := []struct {
		state   rollout.HostState
		touched bool
		seen    bool
		want    string
	}{
		{rollout.HostHealthy, true, true, "installed"},
		{rollout.HostHealthy, true, false, "unconfirmed"},
		{rollout.HostHealthy, false, false, "unconfirmed"},
		{rollout.HostFailed, true, true, "installed"},
		{rollout.HostFailed, true, false, "unconfirmed"},
		{rollout.HostFailed, false, false, "not_done"},
		{rollout.HostUnknown, true, false, "unconfirmed"},
		{rollout.HostUnreachable, false, false, "not_done"},
		{rollout.HostWaiting, false, false, "planned"},
		{rollout.HostWorking, false, false, "planned"},
		{rollout.HostWorking, true, false, "planned"},
		{"", true, false, "unconfirmed"},
		{"", false, false, "not_done"},
	}
	for _, c := range cases {
		if got := outcome(rollout.HostStatus{State: c.state, Touched: c.touched}, c.seen); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestNothingGetsLost: an update of the plan that the work does not name is told.
func TestNothingGetsLost(t *testing.T) {
	h := rollout.HostStatus{Began: work([]patch.Update{openssl()}, patch.Left{Update: curl(), Reason: patch.ReasonUntested})}
	planned := samplePlan().Hosts[0]
	planned.Left = held()
	s := shareOf(h, planned)
	got := map[string]patch.Reason{}
	for _, l := range s.left {
		got[l.Update.Name] = l.Reason
	}
	want := map[string]patch.Reason{"curl": patch.ReasonUntested, "postgresql-15": patch.ReasonHeld, "libssl3": unexplained, "linux-image-6.1.0-31-amd64": unexplained}
	if !maps.Equal(got, want) || len(s.install) != 1 {
		t.Errorf("left %v, install %v", got, s.install)
	}
}

// TestTablesFit: no line is wider than the terminal, nothing is lost at any width,
// and colour changes nothing but colour.
func TestTablesFit(t *testing.T) {
	for name, d := range samples() {
		for width := 40; width <= 200; width += 7 {
			plainText := string(render(t, d, FormatTable, Options{Width: width}))
			for line := range strings.Lines(plainText) {
				if w := Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Errorf("%s at %d: a line of %d: %q", name, width, w, line)
				}
			}
			colour := string(render(t, d, FormatTable, Options{Width: width, Colour: true}))
			if uncoloured(colour) != plainText {
				t.Errorf("%s at %d: colour changes the text", name, width)
			}
		}
	}
}

func uncoloured(s string) string {
	for _, code := range []string{"0", "2", "31", "32", "33"} {
		s = strings.ReplaceAll(s, "\x1b["+code+"m", "")
	}
	var out strings.Builder
	for line := range strings.Lines(s) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}

func TestWrap(t *testing.T) {
	cases := []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"one two three", 7, []string{"one two", "three"}},
		{"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"linux-image-6.1.0-31-amd64", 22, []string{"linux-image-6.1.0-31-", "amd64"}},
		{"1.0 -> 2.0", 6, []string{"1.0", "-> 2.0"}},
		{"日本語のパッケージ", 6, []string{"日本語", "のパッ", "ケージ"}},
		{"日本", 1, []string{"…"}},
	}
	for _, c := range cases {
		if got := Wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("Wrap(%q, %d) = %q", c.text, c.width, got)
		}
	}
	if got := wrap("a b c d e", 1, 3); !slices.Equal(got, []string{"a", "b", "…"}) {
		t.Errorf("a cut cell is %q", got)
	}
	if got := Truncate("日本語", 4); got != "日…" {
		t.Errorf("Truncate gives %q", got)
	}
}

func TestFormats(t *testing.T) {
	for _, f := range Formats() {
		if got, err := ParseFormat(string(f)); err != nil || got != f {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := ParseFormat("yaml"); ExitOf(err).Code != ExitUsage {
		t.Errorf("an unknown format: %v", err)
	}
	err := Write(io.Discard, NewInventory("", nil), FormatJUnit, Options{})
	if ExitOf(err).Code != ExitUsage {
		t.Errorf("JUnit of an inventory: %v", err)
	}
}

// TestJUnitKinds: a host that is not known to be well is never a pass.
func TestJUnitKinds(t *testing.T) {
	want := map[rollout.HostState]string{
		rollout.HostHealthy: "", rollout.HostFailed: "failure", rollout.HostUnknown: "error", rollout.HostUnreachable: "error",
		rollout.HostNothing: "skipped", rollout.HostWaiting: "skipped", rollout.HostWorking: "skipped", "": "error", "later": "error",
	}
	for state, kind := range want {
		doc := NewRollout(source(rollout.PhaseOpen, 0, host(state, "", false)))
		c := doc.suites()[0].cases[0]
		if c.kind != kind || kind != "" && c.message == "" {
			t.Errorf("%q is a %q with message %q", state, c.kind, c.message)
		}
	}
}
