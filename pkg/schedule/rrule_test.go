package schedule_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/schedule"
)

type question struct {
	Rule  string `json:"rule"`
	Start string `json:"start"`
	From  string `json:"from"`
	To    string `json:"to"`
}

type answer struct {
	Start string   `json:"start"` // one that the rule names; empty: it names none
	Days  []string `json:"days"`
}

const icalForm = "20060102T150405"

// TestRecurrencesAgreeWithDateutil asks python's dateutil about random rules.
func TestRecurrencesAgreeWithDateutil(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 9))
	questions := make([]question, 150)
	for i := range questions {
		questions[i] = drawRule(draw)
	}
	named := 0
	for i, a := range dateutil(t, questions) {
		q := questions[i]
		if a.Start != q.Start {
			if _, err := occurrences(t, q, q.Start); err == nil || !strings.Contains(err.Error(), "DTSTART is not one") {
				t.Errorf("%s from %s: dateutil begins at %q, and we say %v", q.Rule, q.Start, a.Start, err)
			}
		}
		if a.Start == "" {
			continue
		}
		got, err := occurrences(t, q, a.Start)
		if err != nil || !slices.Equal(got, a.Days) {
			t.Errorf("%s from %s:\n got %v, %v\nwant %v", q.Rule, a.Start, got, err, a.Days)
		}
		named += len(got)
	}
	if named < 500 {
		t.Errorf("only %d days were compared", named)
	}
}

func occurrences(t *testing.T, q question, start string) ([]string, error) {
	t.Helper()
	spans, err := schedule.ParseICal(ics("DTSTART:"+start+"|DURATION:PT1S|RRULE:"+q.Rule), time.UTC, parsed(t, q.From), parsed(t, q.To))
	var out []string
	for _, s := range spans {
		out = append(out, s.From.Format(icalForm))
	}
	return out, err
}

func parsed(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(icalForm, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// drawRule leaves out where dateutil does not do as RFC 5545 says: numbered days beside
// plain ones, and BYSETPOS in the week that DTSTART cuts.
func drawRule(draw *rand.Rand) question {
	freq := []string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}[draw.IntN(4)]
	parts := []string{"FREQ=" + freq}
	some := func(chance int, key string, most int, value func() string) bool {
		if draw.IntN(chance) > 0 {
			return false
		}
		var values []string
		for range 1 + draw.IntN(most) {
			values = append(values, value())
		}
		parts = append(parts, key+"="+strings.Join(values, ","))
		return true
	}
	between := func(least, most int) func() string {
		return func() string {
			for {
				if n := least + draw.IntN(most-least+1); n != 0 {
					return strconv.Itoa(n)
				}
			}
		}
	}
	nth := draw.IntN(2) == 0 && (freq == "MONTHLY" || freq == "YEARLY")
	day := func() string {
		name := []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}[draw.IntN(7)]
		if nth {
			return between(-5, 5)() + name
		}
		return name
	}
	some(2, "INTERVAL", 1, between(1, 5))
	by := some(2, "BYDAY", 4, day)
	by = freq != "WEEKLY" && some(3, "BYMONTHDAY", 4, between(-31, 31)) || by
	by = some(4, "BYMONTH", 4, between(1, 12)) || by
	if by && (freq == "MONTHLY" || freq == "YEARLY") {
		some(4, "BYSETPOS", 2, between(-4, 4))
	}
	some(5, "WKST", 1, func() string { return []string{"SU", "MO", "WE"}[draw.IntN(3)] })
	start := time.Date(2015+draw.IntN(11), 1, 1+draw.IntN(365), draw.IntN(24), 30, 0, 0, time.UTC)
	if !some(4, "COUNT", 1, between(1, 200)) {
		some(4, "UNTIL", 1, func() string { return start.AddDate(0, draw.IntN(150), draw.IntN(30)).Format(icalForm) })
	}
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	return question{Rule: strings.Join(parts, ";"), Start: start.Format(icalForm), From: from.Format(icalForm), To: from.AddDate(3, 0, 0).Format(icalForm)}
}

func dateutil(t *testing.T, questions []question) []answer {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "python3", "-c", "import dateutil").CombinedOutput(); err != nil {
		t.Skipf("python3 with dateutil is not here: %v: %s", err, bytes.TrimSpace(out))
	}
	asked, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/rrule.py")
	cmd.Stdin = bytes.NewReader(asked)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, problems.String())
	}
	var answers []answer
	if err := json.Unmarshal(out.Bytes(), &answers); err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(questions) {
		t.Fatal(fmt.Errorf("%d answers to %d questions", len(answers), len(questions)))
	}
	return answers
}
