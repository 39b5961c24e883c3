package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/engine/sim"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// foreseenPlan is two test hosts, and ten of production at the weekend: after a soak, an
// approval, a check and a freeze.
func foreseenPlan(production int) *plan.Plan {
	days := []schedule.Day{{Weekday: time.Saturday}, {Weekday: time.Sunday}}
	pace := playbook.Pace{Interval: time.Hour}
	p := &plan.Plan{Version: plan.Version, Playbook: "monthly", Site: "hq", Made: at(0), Calendar: schedule.Calendar{
		Zone:    "Europe/London",
		Windows: map[string]schedule.Window{"weekend": {Rules: []schedule.Rule{{Days: days, Start: "22:00", Length: 3 * time.Hour}}}},
		Freezes: []schedule.Freeze{{From: "2026-03-14", Through: "2026-03-14", Reason: "fair"}},
	}}
	test := plan.Ring{Name: "test", MaxInFlight: 2, FailureLimit: 5}
	prod := plan.Ring{Name: "production", MaxInFlight: 3, FailureLimit: 5, Batches: []int{1, 3}, Window: "weekend", Gate: plan.Gate{
		Soak:     &playbook.Soak{For: 48 * time.Hour, MaxGap: 26 * time.Hour, Pace: pace},
		Approval: &plan.Approval{Approvers: "board", People: []string{"jane", "omar"}, Count: 2, Expires: 14 * 24 * time.Hour},
		Checks:   []playbook.Inquiry{{Name: "shop", When: playbook.WhenBefore, Pace: playbook.Pace{Interval: 10 * time.Minute, Successes: 3}}},
	}}
	for i := range 2 + production {
		ring := &prod
		if i < 2 {
			ring = &test
		}
		host := id(fmt.Sprintf("h%03d", i))
		ring.Hosts = append(ring.Hosts, host)
		p.Hosts = append(p.Hosts, plan.Host{ID: host, Ring: ring.Name, Domain: "debian 12 amd64", Takes: 30 * time.Minute, Install: []patch.Update{curl()}})
	}
	p.Rings = []plan.Ring{test, prod}
	return p
}

func foreseen(t *testing.T, p *plan.Plan, a sim.Assumptions) Forecast {
	t.Helper()
	f, err := sim.For(rollout.Open("r", p, planDigest), p, at(60*36), a)
	if err != nil {
		t.Fatal(err)
	}
	return NewForecast(f)
}

func forecasts(t *testing.T) map[string]Forecast {
	t.Helper()
	return map[string]Forecast{
		"forecast":         foreseen(t, foreseenPlan(10), sim.Assumptions{ApprovedAfter: 72 * time.Hour}),
		"forecast-stuck":   foreseen(t, foreseenPlan(10), sim.Assumptions{NotApproved: true, Until: at(60 * 24 * 12)}),
		"forecast-batches": foreseen(t, foreseenPlan(60), sim.Assumptions{}),
	}
}

func TestForecastGolden(t *testing.T) {
	all := forecasts(t)
	for name, d := range all {
		for suffix, f := range map[string]Format{"80.txt": FormatText, "svg": FormatSVG, "json": FormatJSON} {
			if suffix == "json" && name != "forecast" {
				continue
			}
			golden(t, name+"."+suffix, written(t, d, f, 80))
		}
	}
}

func written(t *testing.T, d Forecast, f Format, width int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WriteForecast(&out, d, f, Options{Width: width}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestForecastFits: no line is wider than the terminal, and every ring is in each.
func TestForecastFits(t *testing.T) {
	for name, d := range forecasts(t) {
		for width := 50; width <= 200; width += 7 {
			text := string(written(t, d, FormatText, width))
			for line := range strings.Lines(text) {
				if w := Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Errorf("%s at %d: a line of %d: %q", name, width, w, line)
				}
			}
			if !strings.Contains(text, "production") || !strings.Contains(text, "soak") {
				t.Errorf("%s at %d: something is missing:\n%s", name, width, text)
			}
		}
	}
}

// TestForecastRows: what a row shows follows from the spans, cell by cell, and the rows
// begin one after the other.
func TestForecastRows(t *testing.T) {
	for name, d := range forecasts(t) {
		c := d.chart()
		var last time.Time
		for _, r := range c.rows {
			if strings.HasPrefix(r.label, "gate") {
				last = time.Time{}
				continue
			}
			if len(r.spans) == 0 {
				continue
			}
			if r.spans[0].From.Before(last) {
				t.Errorf("%s: %s begins at %v, before the one above has ended (%v)", name, r.label, r.spans[0].From, last)
			}
			for i, s := range r.spans {
				if s.Until.Before(s.From) || i > 0 && s.From.Before(r.spans[i-1].Until) {
					t.Errorf("%s: %s: span %+v overlaps the one before", name, r.label, s)
				}
				last = s.Until
			}
		}
		const cells = 60
		for _, r := range c.rows {
			drawn := []rune(c.cells(r, cells))
			for i := range drawn {
				if worked := works(r, c.edge(i, cells), c.edge(i+1, cells)); worked != (drawn[i] == '#') {
					t.Errorf("%s: %s: cell %d shows %q, worked %v", name, r.label, i, drawn[i], worked)
				}
			}
		}
	}
}

func works(r chartRow, from, until time.Time) bool {
	return slices.ContainsFunc(r.spans, func(s ForecastSpan) bool {
		return s.Kind == string(sim.Working) && s.From.Before(until) && s.Until.After(from)
	})
}

// TestForecastPicture: the SVG is XML that runs nothing and loads nothing, its bars do not
// overlap within a row, and every one stands within the picture.
func TestForecastPicture(t *testing.T) {
	hostile := foreseenPlan(3)
	hostile.Playbook = `<script>alert("x")</script>&]]>`
	hostile.Rings[1].Name = `"><image href="http://x/"/>`
	for i := range hostile.Hosts {
		if hostile.Hosts[i].Ring == "production" {
			hostile.Hosts[i].Ring = hostile.Rings[1].Name
		}
	}
	all := forecasts(t)
	all["hostile"] = foreseen(t, hostile, sim.Assumptions{})
	for name, d := range all {
		elements := map[string]int{}
		dec := xml.NewDecoder(bytes.NewReader(written(t, d, FormatSVG, 0)))
		for {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e, ok := token.(xml.StartElement); ok {
				elements[e.Name.Local]++
				for _, a := range e.Attr {
					if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
						t.Errorf("%s: %s has %s", name, e.Name.Local, a.Name.Local)
					}
				}
			}
		}
		for _, e := range []string{"script", "image", "foreignObject", "style", "a"} {
			if elements[e] > 0 {
				t.Errorf("%s: it has %d elements %s", name, elements[e], e)
			}
		}
		if elements["svg"] != 1 || elements["title"] < 2 || elements["pattern"] != len(looks()) {
			t.Errorf("%s: elements %v", name, elements)
		}
		barsApart(t, name, d)
	}
}

func barsApart(t *testing.T, name string, d Forecast) {
	t.Helper()
	p := &picture{chart: d.chart()}
	for _, r := range p.rows {
		last := 0.0
		for _, s := range r.bars() {
			if p.x(s.From) < last || p.x(s.From) < svgLeft || p.x(s.Until) > svgWidth-svgRight+0.01 {
				t.Errorf("%s: %s: bar %+v is out of place", name, r.label, s)
			}
			last = p.x(s.Until)
		}
	}
}

// TestLooks: nothing is told apart by its colour alone.
func TestLooks(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range looks() {
		pattern := l.lines + l.colour[:1]
		if seen[l.letter] || l.lines != "" && seen[pattern] {
			t.Errorf("%s looks like another", l.kind)
		}
		seen[l.letter], seen[pattern] = true, true
	}
}

func TestTicks(t *testing.T) {
	for _, hours := range []int{1, 5, 30, 100, 500, 5000} {
		for zone, name := range map[string]string{"": "UTC", "Europe/London": "Europe/London"} {
			c := chart{from: at(17), until: at(17).Add(time.Duration(hours) * time.Hour), zone: zoneOf(name)}
			for most := 4; most < 12; most++ {
				ticks := c.ticks(most)
				if len(ticks) > most {
					t.Errorf("%q, %d hours: %d ticks, at most %d were asked for", zone, hours, len(ticks), most)
				}
				for i, k := range ticks {
					if k.at.Before(c.from) || !k.at.Before(c.until) || i > 0 && !k.at.After(ticks[i-1].at) {
						t.Errorf("%q, %d hours: tick %v is out of place", zone, hours, k.at)
					}
				}
			}
		}
	}
}

func TestForecastFormats(t *testing.T) {
	for _, f := range ForecastFormats() {
		if got, err := ParseForecastFormat(string(f)); err != nil || got != f {
			t.Errorf("%s: %s, %v", f, got, err)
		}
	}
	if got, err := ParseForecastFormat("table"); err != nil || got != FormatText {
		t.Errorf("table: %s, %v", got, err)
	}
	if _, err := ParseForecastFormat("junit"); ExitOf(err).Code != ExitUsage {
		t.Errorf("junit: %v", err)
	}
}

// TestForecastDocument: the fields that users' scripts know, and no list that is null.
func TestForecastDocument(t *testing.T) {
	want := strings.Fields(`assumptions ends finished from kind phase plan playbook reasons rings rings[].batches rings[].batches[].batch
		rings[].batches[].begins rings[].batches[].ended rings[].batches[].ends rings[].batches[].hosts rings[].batches[].spans
		rings[].batches[].spans[].from rings[].batches[].spans[].kind rings[].batches[].spans[].open rings[].batches[].spans[].until
		rings[].batches[].spans[].why rings[].batches[].started rings[].begins rings[].ends rings[].gate_asked rings[].gate_opens
		rings[].gate_waits rings[].gate_waits[].from rings[].gate_waits[].kind rings[].gate_waits[].open rings[].gate_waits[].until
		rings[].gate_waits[].why rings[].hosts rings[].hosts_without_work rings[].name rings[].never_begun rings[].never_begun.hosts
		rings[].never_begun.names rings[].never_begun.why rings[].window rings[].window_openings rings[].window_openings[].from
		rings[].window_openings[].started rings[].window_openings[].until site until version waits zone`)
	raw := written(t, forecasts(t)["forecast"], FormatJSON, 0)
	var got any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	collect(names, "", got)
	for _, n := range want {
		if !names[n] {
			t.Errorf("%s is missing", n)
		}
		delete(names, n)
	}
	if len(names) > 0 || bytes.Contains(raw, []byte("null")) {
		t.Errorf("fields that nobody promised, or a null: %v", names)
	}
}
