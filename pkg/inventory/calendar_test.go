package inventory

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/schedule"
)

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func TestWindowsFreezesAndApprovers(t *testing.T) {
	inv := parse(t, string(read(t, "testdata/good/rules.yaml")))
	hq := inv.Sites["hq"]
	if w := hq.Windows["weekend"].Rules; len(w) != 1 || len(w[0].Days) != 2 || w[0].Start != "22:00" || w[0].Length != 6*time.Hour {
		t.Errorf("weekend %+v", w)
	}
	if w := hq.Windows["2"].Rules[0]; len(w.Days) != 1+1+3+7 || w.Days[0] != (schedule.Day{Weekday: time.Tuesday, Nth: 2}) || w.Start != "06:30" {
		t.Errorf("2: %+v", w)
	}
	if len(hq.Windows["both"].Rules) != 2 || len(hq.Freezes) != 3 || hq.Freezes[1].From != "2026-11-27 08:00" || hq.Freezes[1].Reason != "sales" {
		t.Errorf("%+v", hq)
	}
	if !slices.Equal(hq.Approvers["board"], []string{"jane@hq.example", "omar@hq.example"}) || len(hq.Approvers["1"]) != 1 {
		t.Errorf("approvers %v", hq.Approvers)
	}
	if a := inv.Sites["acme"]; len(a.Windows) != 0 || len(a.Freezes) != 0 || len(a.Approvers) != 0 {
		t.Errorf("acme %+v", a)
	}
	top := parse(t, string(read(t, "testdata/good/top-rules.yaml")))
	if s := top.Sites["default"]; len(s.Windows) != 1 || len(s.Freezes) != 1 || len(s.Approvers) != 1 || top.Budgets[0].Name != "site default" {
		t.Errorf("at the top: %+v", s)
	}
}

func TestBudgetsInOrder(t *testing.T) {
	var got []string
	for _, b := range parse(t, string(read(t, "testdata/good/rules.yaml"))).Budgets {
		got = append(got, b.Name+" | "+b.Hosts+" | "+b.Most.String()+" | "+b.Where)
	}
	want := []string{
		"site hq | hq/* | 10% | inv.yaml:5", "group web | web | 1 | inv.yaml:30", "group core | core | 50% | inv.yaml:31",
		"label tier=front | tier=front | 25% | inv.yaml:34", "web:!hq/* | web:!hq/* | 100% | inv.yaml:35",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestUnitsAndPaths(t *testing.T) {
	inv := parse(t, string(read(t, "testdata/good/rules.yaml")))
	for name, want := range map[string][2]string{
		"hq/core-sw1": {"core", ""}, "hq/core-sw2": {"spare", ""}, "acme/core-sw1": {"core", ""}, "hq/edge": {"7", ""},
		"hq/web-1": {"", "hq/core-sw1"}, "hq/lb1": {"", "hq/core-sw1"}, "acme/web-1": {"", ""},
		"hq/behind": {"", "hq/core-sw1 hq/core-sw2 hq/edge"},
	} {
		h := find(t, inv, name)
		var on []string
		for _, id := range inv.dependsOn(h) {
			on = append(on, id.String())
		}
		if h.Unit != want[0] || strings.Join(on, " ") != want[1] {
			t.Errorf("%s: unit %q, depends on %q", name, h.Unit, on)
		}
	}
}

// TestBastionsByAddress: a hop may be a name or an address, of the same site alone.
func TestBastionsByAddress(t *testing.T) {
	inv := parse(t, "version: 1\nsites:\n  a:\n    jump: [\"ops@10.0.0.1:2222\"]\n    hosts: {b: {address: 10.0.0.1, jump: []}, c: }\n  z: {hosts: {b: {address: 10.0.0.1}}}\n")
	if on := inv.dependsOn(find(t, inv, "c")); len(on) != 1 || on[0].String() != "a/b" {
		t.Errorf("c depends on %v", on)
	}
}

func event(start, end, what string) string {
	return "BEGIN:VEVENT\r\nUID:" + what + "\r\nDTSTAMP:20260101T000000Z\r\nDTSTART" + start + "\r\nDTEND" + end + "\r\nSUMMARY:" + what + "\r\nEND:VEVENT\r\n"
}

func ics(events ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + strings.Join(events, "") + "END:VCALENDAR\r\n"
}

func TestCalendarFiles(t *testing.T) {
	const src = `version: 1
sites:
  hq:
    timezone: America/New_York
    windows:
      file:
        - {ical: later.ics}
        - {ical: sub/windows.ics}
    freezes:
      - {ical: freezes.ics, reason: change freeze}
      - {ical: over.ics, reason: long gone}
    hosts: {a: }
`
	files := map[string]string{
		"later.ics":       ics(event(":20270101T220000", ":20270102T040000", "new year")),
		"sub/windows.ics": ics(event(":20261128T220000Z", ":20261129T040000Z", "night")),
		"freezes.ics":     ics(event(";VALUE=DATE:20261225", ";VALUE=DATE:20261227", "Christmas")),
		"over.ics":        ics(event(";VALUE=DATE:20201225", ";VALUE=DATE:20201227", "Christmas")),
	}
	read := func(name string) ([]byte, error) { return []byte(files[name]), nil }
	inv, err := ParseFiles("inv.yaml", []byte(src), read, now())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range slices.Concat(inv.Sites["hq"].Windows["file"].Spans, inv.Sites["hq"].Freezes[0].Spans) {
		got = append(got, s.From.UTC().Format("2006-01-02T15")+" "+s.What)
	}
	if want := []string{"2026-11-28T22 night", "2027-01-02T03 new year", "2026-12-25T05 Christmas"}; !slices.Equal(got, want) {
		t.Errorf("spans %q", got)
	}
	if n := len(inv.Sites["hq"].Freezes); n != 1 {
		t.Errorf("%d freezes: one that is over counts for nothing", n)
	}
}

// TestCalendarFilesThatFail: the place is that of the file's name.
func TestCalendarFilesThatFail(t *testing.T) {
	const src = "version: 1\nfreezes:\n  - {ical: x.ics, reason: r}\nhosts: {a: }\n"
	gone := errors.New("no such file")
	for name, tt := range map[string]struct {
		read       func(string) ([]byte, error)
		want, hint string
	}{
		"refused":    {nil, "inv.yaml:3:12: an iCalendar file can't be read in this place", "write days"},
		"gone":       {func(string) ([]byte, error) { return nil, gone }, "inv.yaml:3:12: `x.ics` can't be read: no such file", "the folder of this file"},
		"no text":    {func(string) ([]byte, error) { return []byte("hello"), nil }, "inv.yaml:3:12: `x.ics` is not a calendar that can be used: ", ""},
		"cut in two": {func(string) ([]byte, error) { return []byte(ics("BEGIN:VEVENT\r\n")), nil }, "inv.yaml:3:12: ", ""},
	} {
		_, err := ParseFiles("inv.yaml", []byte(src), tt.read, now())
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(fault.HintOf(err), tt.hint) || fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: %v, hint %q", name, err, fault.HintOf(err))
		}
	}
}
