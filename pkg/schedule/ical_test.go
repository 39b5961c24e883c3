package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/schedule"
)

// ics is a calendar of events. An event is its lines, parted by "|".
func ics(events ...string) []byte {
	var out strings.Builder
	out.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	for _, e := range events {
		out.WriteString("BEGIN:VEVENT\r\n" + strings.ReplaceAll(e, "|", "\r\n") + "\r\nEND:VEVENT\r\n")
	}
	out.WriteString("END:VCALENDAR\r\n")
	return []byte(out.String())
}

func london(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// spansOf are the occurrences of 2026 for a site in London, in UTC.
func spansOf(t *testing.T, src []byte) ([]string, error) {
	t.Helper()
	spans, err := schedule.ParseICal(src, london(t), on(t, "UTC", "2026-01-01 00:00"), on(t, "UTC", "2027-01-01 00:00"))
	out := make([]string, 0, len(spans))
	for _, s := range spans {
		const form = "01-02T15:04"
		out = append(out, strings.TrimSpace(s.From.Format(form)+"/"+s.To.Format(form)+" "+s.What))
	}
	return out, err
}

func TestParseICal(t *testing.T) {
	for name, test := range map[string]struct {
		events []string
		want   string
	}{
		"UTC":                         {[]string{"DTSTART:20260606T210000Z|DTEND:20260607T030000Z|SUMMARY:Night"}, "06-06T21:00/06-07T03:00 Night"},
		"on the site's clock":         {[]string{"DTSTART:20260606T210000|DURATION:PT6H"}, "06-06T20:00/06-07T02:00"},
		"in a zone":                   {[]string{"DTSTART;TZID=America/New_York:20260606T210000|DTEND;TZID=Europe/London:20260607T030000"}, "06-07T01:00/06-07T02:00"},
		"a zone in quotes":            {[]string{`DTSTART;TZID="America/New_York":20260606T210000|DURATION:PT1H`}, "06-07T01:00/06-07T02:00"},
		"one whole day":               {[]string{"DTSTART;VALUE=DATE:20260606"}, "06-05T23:00/06-06T23:00"},
		"whole days, end not in it":   {[]string{"DTSTART;VALUE=DATE:20261024|DTEND;VALUE=DATE:20261027"}, "10-23T23:00/10-27T00:00"},
		"whole days by length":        {[]string{"DTSTART;VALUE=DATE:20260606|DURATION:P2W"}, "06-05T23:00/06-19T23:00"},
		"a date by its shape":         {[]string{"DTSTART:20260606"}, "06-05T23:00/06-06T23:00"},
		"a day is one on the clock":   {[]string{"DTSTART:20261024T120000|DURATION:P1D"}, "10-24T11:00/10-25T12:00"},
		"24 hours are real time":      {[]string{"DTSTART:20261024T120000|DURATION:PT24H"}, "10-24T11:00/10-25T11:00"},
		"the skipped hour":            {[]string{"DTSTART:20260329T013000|DURATION:PT1H"}, "03-29T01:30/03-29T02:30"},
		"the repeated hour":           {[]string{"DTSTART:20261025T013000|DURATION:PT1H"}, "10-25T00:30/10-25T01:30"},
		"folded":                      {[]string{"DTSTART:20260606T21| 0000Z|DURATION:PT\r\n\t6H|SUMMARY:a\r\n  b"}, "06-06T21:00/06-07T03:00 a b"},
		"escaped":                     {[]string{`DTSTART:20260606T210000Z|DURATION:PT6H|SUMMARY:a\, b\; c\nd \\n` + "\x1b[31m"}, `06-06T21:00/06-07T03:00 a, b; c d \n\x1b[31m`},
		"cancelled":                   {[]string{"DTSTART:20260606T210000Z|DURATION:PT6H|STATUS:CANCELLED"}, ""},
		"before and after the time":   {[]string{"DTSTART:20250606T210000Z|DURATION:PT6H", "DTSTART:20270101T000000Z|DURATION:PT6H"}, ""},
		"across the edges":            {[]string{"DTSTART:20251231T210000Z|DURATION:PT6H", "DTSTART:20261231T210000Z|DURATION:PT6H"}, "12-31T21:00/01-01T03:00 12-31T21:00/01-01T03:00"},
		"an alarm in it":              {[]string{"DTSTART:20260606T210000Z|DURATION:PT6H|BEGIN:VALARM|TRIGGER:-PT15M|DURATION:PT1H|END:VALARM"}, "06-06T21:00/06-07T03:00"},
		"weekly over a clock change":  {[]string{"DTSTART:20261017T220000|DURATION:PT6H|RRULE:FREQ=WEEKLY;COUNT=3"}, "10-17T21:00/10-18T03:00 10-24T21:00/10-25T03:00 10-31T22:00/11-01T04:00"},
		"the 2nd Tuesday":             {[]string{"DTSTART:20251014T200000|DURATION:PT1H|RRULE:FREQ=MONTHLY;BYDAY=2TU;UNTIL=20260310T200000Z"}, "01-13T20:00/01-13T21:00 02-10T20:00/02-10T21:00 03-10T20:00/03-10T21:00"},
		"the last workday":            {[]string{"DTSTART:20260130T200000Z|DURATION:PT1H|RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3"}, "01-30T20:00/01-30T21:00 02-27T20:00/02-27T21:00 03-31T20:00/03-31T21:00"},
		"year-end, for long":          {[]string{"DTSTART;VALUE=DATE:16041218|DURATION:P18D|RRULE:FREQ=YEARLY"}, "12-18T00:00/01-05T00:00 12-18T00:00/01-05T00:00"},
		"UNTIL a day, in it":          {[]string{"DTSTART:20260601T220000|DURATION:PT1H|RRULE:FREQ=DAILY;UNTIL=20260602"}, "06-01T21:00/06-01T22:00 06-02T21:00/06-02T22:00"},
		"UNTIL is counted in its way": {[]string{"DTSTART;VALUE=DATE:20260601|RRULE:FREQ=DAILY;UNTIL=20260602T235959Z"}, "05-31T23:00/06-01T23:00 06-01T23:00/06-02T23:00"},
		"EXDATE and RDATE": {[]string{"DTSTART:20260601T220000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=4|EXDATE:20260602T220000Z,20260604T220000Z|EXDATE;TZID=Europe/London:20260603T230000|RDATE:20260601T220000Z,20260701T220000Z"},
			"06-01T22:00/06-01T23:00 07-01T22:00/07-01T23:00"},
		"moved and cancelled occurrences": {[]string{
			"UID:a|DTSTART:20260601T220000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3|SUMMARY:Work",
			"UID:a|RECURRENCE-ID:20260602T220000Z|DTSTART:20260605T100000Z|DURATION:PT2H|SUMMARY:Moved",
			"UID:a|RECURRENCE-ID:20260603T220000Z|DTSTART:20260603T220000Z|DURATION:PT1H|STATUS:CANCELLED",
			"UID:b|DTSTART:20260602T220000Z|DURATION:PT1H|SUMMARY:Other",
		}, "06-01T22:00/06-01T23:00 Work 06-02T22:00/06-02T23:00 Other 06-05T10:00/06-05T12:00 Moved"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := spansOf(t, ics(test.events...))
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("\n got %s, %v\nwant %s", strings.Join(got, " "), err, test.want)
			}
		})
	}
}

func TestICalComponentsThatAreNoEventsAreLeftOut(t *testing.T) {
	src := strings.Replace(string(ics("DTSTART;TZID=Europe/London:20260606T210000|DURATION:PT1H")), "BEGIN:VEVENT", strings.ReplaceAll(
		"BEGIN:VTIMEZONE|TZID:Europe/London|BEGIN:DAYLIGHT|DTSTART:19700101T000000|RRULE:FREQ=HOURLY|END:DAYLIGHT|END:VTIMEZONE|BEGIN:VTODO|DUE:junk|END:VTODO|BEGIN:VEVENT", "|", "\n"), 1)
	if got, err := spansOf(t, []byte("\xef\xbb\xbf"+src+"\n \n")); err != nil || len(got) != 1 || got[0] != "06-06T20:00/06-06T21:00" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestWhatICalCannotHonourIsAnError names the line: the event's first is the 5th.
func TestWhatICalCannotHonourIsAnError(t *testing.T) {
	const once = "DTSTART:20260606T210000Z|DURATION:PT6H|"
	for body, want := range map[string]string{
		"SUMMARY:no start":                                                       "line 4, BEGIN: the event has no DTSTART",
		"DTSTART:20260606T210000":                                                "line 5, DTSTART: the event takes no time",
		"DTSTART:20260606T210000Z|DTEND:20260606T210000Z":                        "line 6, DTEND: the event takes no time",
		"DTSTART:20260606T210000Z|DTEND:20260606T200000Z":                        "the event takes no time",
		"DTSTART:20260606T210000Z|DTEND;VALUE=DATE:20260607":                     "line 6, DTEND: it is another kind",
		"DTSTART:20260606T210000Z|DTEND:20400606T210000Z":                        "longer than ten years",
		"DTSTART:20260606T210000Z|DURATION:-PT1H":                                "is no length of time",
		"DTSTART:20260606T210000Z|DURATION:P1DT":                                 "is no length of time",
		"DTSTART:20260606T210000Z|DURATION:P":                                    "is no length of time",
		"DTSTART:20260606T210000Z|DURATION:PT0S":                                 "takes no time",
		"DTSTART;VALUE=DATE:20260606|DURATION:PT5H":                              "must last whole days",
		"DTSTART:20260230T210000Z|DURATION:PT1H":                                 `"20260230T210000Z" is no date or time`,
		"DTSTART;VALUE=DATE-TIME:20260606|DURATION:P1D":                          `"20260606" is no date or time`,
		"DTSTART;VALUE=PERIOD:20260606T210000Z/PT1H":                             "VALUE=PERIOD can't be honoured",
		"DTSTART;TZID=W. Europe Standard Time:20260606T210000|DURATION:PT1H":     `TZID "W. Europe Standard Time"`,
		"DTSTART;TZID=Local:20260606T210000|DURATION:PT1H":                       `TZID "Local"`,
		"DTSTART;TZID=:20260606T210000|DURATION:PT1H":                            `TZID ""`,
		once + "DTEND:20260607T210000Z":                                          "line 6, DURATION: an event has DTEND or DURATION",
		once + "DTSTART:20260606T210000Z":                                        "line 7, DTSTART: it stands twice",
		once + "RRULE:FREQ=DAILY|RRULE:FREQ=WEEKLY":                              "line 8, RRULE: it stands twice",
		once + "EXRULE:FREQ=DAILY":                                               "line 7, EXRULE",
		once + "RRULE:FREQ=HOURLY":                                               "line 7, RRULE: FREQ=HOURLY can't be honoured",
		once + "RRULE:FREQ=DAILY;BYHOUR=9":                                       "BYHOUR=9 can't be honoured",
		once + "RRULE:FREQ=YEARLY;BYWEEKNO=20":                                   "BYWEEKNO=20 can't be honoured",
		once + "RRULE:FREQ=DAILY;INTERVAL=0":                                     "INTERVAL=0",
		once + "RRULE:FREQ=DAILY;COUNT=x":                                        "COUNT=X",
		once + "RRULE:FREQ=DAILY;COUNT=2;COUNT=3":                                "COUNT stands twice",
		once + "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20260607":                         "only one may stand",
		once + "RRULE:FREQ=DAILY;UNTIL=soon":                                     "UNTIL=SOON",
		once + "RRULE:FREQ=MONTHLY;BYMONTHDAY=0":                                 "BYMONTHDAY=0",
		once + "RRULE:FREQ=MONTHLY;BYMONTHDAY=32":                                "BYMONTHDAY=32",
		once + "RRULE:FREQ=WEEKLY;BYDAY=2SA":                                     "numbered BYDAY",
		once + "RRULE:FREQ=WEEKLY;BYDAY=XX":                                      "BYDAY=XX",
		once + "RRULE:FREQ=WEEKLY;BYMONTHDAY=6":                                  "BYMONTHDAY can't stand with",
		once + "RRULE:FREQ=MONTHLY;BYSETPOS=1":                                   "BYSETPOS needs another",
		once + "RRULE:FREQ=WEEKLY;BYDAY=MO":                                      "DTSTART is not one of the days",
		once + "RRULE:INTERVAL=2":                                                "it has no FREQ",
		once + "RRULE:":                                                          "can't be honoured",
		once + "RRULE:FREQ=DAILY|EXDATE;VALUE=DATE:20260607":                     "line 8, EXDATE: it is another kind",
		once + "RDATE;VALUE=PERIOD:20260606T210000Z/PT1H":                        "line 7, RDATE: VALUE=PERIOD",
		once + "UID:a|RECURRENCE-ID;RANGE=THISANDFUTURE:20260606T210000Z":        "RANGE can't be honoured",
		once + "UID:a|RECURRENCE-ID:20260606T210000Z|RRULE:FREQ=DAILY":           "line 4, BEGIN: an event with RECURRENCE-ID that repeats",
		once + "RECURRENCE-ID:20260606T210000Z":                                  "must have a UID",
		once + "BEGIN:VEVENT|END:VEVENT":                                         "stands in another component",
		once + "END:VTODO":                                                       `"VTODO" has not begun`,
		once + "no line":                                                         `line 7: "no line" is no line`,
		once + "X;A=1;A=2:twice":                                                 "is no line",
		"DTSTART:19000101T000000Z|DURATION:PT1S|RRULE:FREQ=YEARLY;COUNT=1000000": "",
	} {
		t.Run(body, func(t *testing.T) {
			_, err := spansOf(t, ics(body))
			if want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
				t.Errorf("got %v; want %s", err, want)
			}
		})
	}
}

func TestWhatIsNoICalFileIsAnError(t *testing.T) {
	whole := string(ics("DTSTART:20260606T210000Z|DURATION:PT6H"))
	for name, test := range map[string]struct{ src, want string }{
		"empty":           {"", "no whole iCalendar file"},
		"cut":             {strings.TrimSuffix(whole, "END:VCALENDAR\r\n"), "no whole iCalendar file"},
		"HTML":            {"<!DOCTYPE html>\n<p>sign in</p>", "line 1"},
		"too large":       {strings.Repeat("\n", 4<<20+1), "larger than 4 MiB"},
		"outside":         {"DTSTART:20260606", "stands outside of VCALENDAR"},
		"event outside":   {"BEGIN:VEVENT\nEND:VEVENT", "stands outside of VCALENDAR"},
		"cancelled":       {strings.Replace(whole, "VERSION:2.0", "METHOD:CANCEL", 1), "line 2, METHOD"},
		"other calendar":  {strings.Replace(whole, "VERSION:2.0", "CALSCALE:HEBREW", 1), "line 2, CALSCALE"},
		"free and busy":   {strings.ReplaceAll(whole, "VEVENT", "VFREEBUSY"), `"VFREEBUSY" can't be honoured`},
		"deep":            {strings.Replace(whole, "DTSTART", strings.Repeat("BEGIN:X\n", 9)+"DTSTART", 1), "nested too deeply"},
		"two for one":     {string(ics("UID:a|RECURRENCE-ID:20260601|DTSTART:20260601", "UID:a|RECURRENCE-ID:20260601|DTSTART:20260602")), "two events stand for the same"},
		"another kind":    {string(ics("UID:a|DTSTART:20260601T100000|DURATION:PT1H|RRULE:FREQ=DAILY", "UID:a|RECURRENCE-ID:20260601|DTSTART:20260602")), "another kind of value than DTSTART of the event"},
		"too many events": {string(ics(slicesOf(28, "DTSTART:20250101T100000|DURATION:PT1H|RRULE:FREQ=DAILY|SUMMARY:%d")...)), "more than 10000 occurrences"},
		"too much work":   {string(ics(slicesOf(300, "DTSTART:18000101T100000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=1000000;BYMONTH=1|EXDATE:20260101T100000|SUMMARY:%d")...)), "repeats too often"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := spansOf(t, []byte(test.src)); err == nil || !strings.Contains(err.Error(), test.want) || fault.HintOf(err) == "" {
				t.Errorf("got %v; want %s", err, test.want)
			}
		})
	}
}

func slicesOf(n int, format string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i)
	}
	return out
}

func FuzzParseICal(f *testing.F) {
	for _, event := range []string{
		"DTSTART:20260606T210000Z|DTEND:20260607T030000Z|SUMMARY:Night", "DTSTART;VALUE=DATE:20261218|DURATION:P18D|RRULE:FREQ=YEARLY",
		`UID:a|DTSTART;TZID="America/New_York":20260606T210000|DURATION:P1DT1H|RRULE:FREQ=MONTHLY;BYDAY=1SA,-1SU;BYSETPOS=1;COUNT=9|EXDATE:20260704T010000Z`,
		"UID:a|RECURRENCE-ID:20260606|DTSTART:20260606|STATUS:CANCELLED", "DTSTART:00010101|RRULE:FREQ=DAILY;INTERVAL=3;UNTIL=20270101|RDATE:20260505",
	} {
		f.Add(ics(event))
	}
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		spans, err := schedule.ParseICal(src, zone, from, to)
		if err != nil && (fault.HintOf(err) == "" || len(err.Error()) > 1000) {
			t.Errorf("no hint, or too long: %v", err)
		}
		if len(spans) > 10_000 {
			t.Errorf("%d spans", len(spans))
		}
		for i, s := range spans {
			if !s.From.Before(s.To) || !s.To.After(from) || !s.From.Before(to) || strings.ContainsAny(s.What, "\n\x00\x1b") {
				t.Errorf("span %+v", s)
			}
			if i > 0 && s.From.Before(spans[i-1].From) {
				t.Errorf("out of order: %+v", s)
			}
		}
		if _, err := schedule.Compile(schedule.Calendar{Windows: map[string]schedule.Window{"w": {Spans: spans}}}); err != nil {
			t.Error(err)
		}
	})
}
