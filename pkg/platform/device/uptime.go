package device

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longest is the longest time that anything has been up.
const longest = 100 * 365 * 24 * time.Hour

// A duration in words is made of numbers with a unit, and of at most one clock.
var (
	unitForm  = regexp.MustCompile(`^(\d{1,10})(?:\.\d+)? ?([A-Za-z]+)`)
	clockForm = regexp.MustCompile(`^(?:(\d{1,5}):)?(\d{1,6}):(\d\d)(?::(\d\d))?(?:\.\d+)?(?:\s|,|\.|\)|$)`)
)

// units are the words for spans of time, by what all of their spellings begin with. A
// year is 365 days: that is how vendors count it.
func unit(word string) time.Duration {
	const day = 24 * time.Hour
	word = strings.ToLower(word)
	for _, u := range []struct {
		length time.Duration
		words  string
	}{
		{365 * day, " y yr yrs year years "}, {7 * day, " w wk wks week weeks "}, {day, " d day days "},
		{time.Hour, " h hr hrs hour hours "}, {time.Minute, " m min mins minute minutes "},
		{time.Second, " s sec secs second seconds "}, {time.Millisecond, " ms msec msecs "},
	} {
		if strings.Contains(u.words, " "+word+" ") {
			return u.length
		}
	}
	return 0
}

// uptime reads a duration as devices print it: "1 year, 2 weeks, 3 days", "up 2 days,
// 3:04", "1d2h3m", "3 days 04:05:06". A clock of two numbers is hours and minutes, one of
// four begins with days. What holds anything else is not read at all.
func uptime(text string) (time.Duration, bool) {
	rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "up "))
	var total time.Duration
	seen := map[time.Duration]bool{}
	for rest != "" {
		step, length, left, ok := span(rest)
		if !ok || seen[length] || step < 0 || step > longest {
			return 0, false
		}
		seen[length] = true
		total += step
		rest = strings.TrimLeft(left, " ,.;)")
		rest = strings.TrimSpace(strings.TrimPrefix(rest, "and "))
	}
	return total, len(seen) > 0 && total >= 0 && total <= longest
}

// span cuts one number with its unit, or a clock, off the front.
func span(text string) (step, length time.Duration, rest string, ok bool) {
	if m := clockForm.FindStringSubmatch(text); m != nil {
		step, ok = clock(m[1:])
		return step, -1, text[len(strings.TrimRight(m[0], " ,.)\t")):], ok
	}
	m := unitForm.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, "", false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	length = unit(m[2])
	if err != nil || length == 0 || n > int64(longest/length) {
		return 0, 0, "", false
	}
	return time.Duration(n) * length, length, text[len(m[0]):], true
}

// clock reads D:H:M:S, H:M:S or H:M.
func clock(parts []string) (time.Duration, bool) {
	if parts[3] == "" && parts[0] != "" { // the form is D:H:M, or H:M:S with the first group greedy
		parts = []string{"", parts[0], parts[1], parts[2]}
	}
	var n [4]int64
	for i, p := range parts {
		n[i], _ = strconv.ParseInt("0"+p, 10, 64)
	}
	if n[2] > 59 || n[3] > 59 || n[1] > 100_000 || parts[0] != "" && n[1] > 23 {
		return 0, false
	}
	return time.Duration(n[0])*24*time.Hour + time.Duration(n[1])*time.Hour + time.Duration(n[2])*time.Minute + time.Duration(n[3])*time.Second, true
}

// layouts are the forms of absolute times. A second pass tries them without the zone.
func layouts() []string {
	return []string{
		time.RFC3339, "2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05",
		"2006/01/02 15:04:05", "2006/01/02 15:04:05 MST", "2006/01/02 15:04:05 -07:00", "15:04:05 MST Mon Jan 2 2006", "15:04:05 Mon Jan 2 2006", "15:04:05 MST Jan 2 2006",
		"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006", "Mon 2 Jan 2006 15:04:05", "Mon, 2 Jan 2006 15:04:05 MST", "Mon 2006-01-02 15:04:05 MST",
		"Mon Jan 2 15:04:05 MST 2006", "Jan 2 2006 15:04:05", "Jan 2 15:04:05 2006", "Jan/02/2006 15:04:05", "1/2/2006 15:04:05", "02.01.2006 15:04:05", "Monday January 2 15:04:05 2006",
	}
}

// absolute reads a time as devices print it. Zoned tells whether its zone is known: UTC,
// or an offset in numbers. An abbreviation such as CST names many.
func absolute(text string) (at time.Time, zoned, ok bool) {
	text = strings.Join(strings.Fields(strings.TrimLeft(strings.ReplaceAll(text, ",", ""), "*.")), " ")
	if len(text) > 60 {
		return time.Time{}, false, false
	}
	for _, layout := range layouts() {
		at, err := time.Parse(layout, text)
		if err != nil || at.Year() < 1990 || at.Year() > 2200 {
			continue
		}
		name, offset := at.Zone()
		numeric := strings.ContainsAny(layout, "Z") || strings.Contains(layout, "-07")
		named := strings.Contains(layout, "MST") && offset == 0 && (name == "UTC" || name == "GMT")
		return at, numeric || named, true
	}
	return time.Time{}, false, false
}
