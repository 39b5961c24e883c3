package schedule

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stamp is a DATE or a DATE-TIME: what a clock shows, and where that clock hangs.
type stamp struct {
	at   wall
	day  bool // a DATE
	zone *time.Location
}

// unix is the moment that a stamp names. A DATE-TIME that the clock skips is read with
// the offset from before the gap, and one that it shows twice is the first (RFC 5545,
// 3.3.5). A DATE is the first moment of the day.
func (s stamp) unix() int64 {
	first, _, shown := s.at.moments(s.zone)
	if !shown && !s.day {
		before, _ := s.at.offsets(s.zone)
		return int64(s.at) - before
	}
	return first
}

// key tells an occurrence from the others of its event.
func (s stamp) key() int64 {
	if s.day {
		return int64(s.at)
	}
	return s.unix()
}

// stamp reads the value of DTSTART and its like.
func (l line) stamp(site *time.Location) (stamp, error) {
	all, err := l.stamps(site)
	if err == nil && len(all) != 1 {
		return stamp{}, l.fault("one value is wanted, not %d", len(all))
	}
	if err != nil {
		return stamp{}, err
	}
	return all[0], nil
}

// stamps reads the list of EXDATE and RDATE.
func (l line) stamps(site *time.Location) ([]stamp, error) {
	zone := site
	if name, given := l.params["TZID"]; given {
		var err error
		if zone, err = loadZone(name); err != nil || name == "" {
			return nil, l.fault(`TZID %q is no name of the IANA list, such as "Europe/London"`, clip(name))
		}
	}
	values := strings.Split(l.value, ",")
	out := make([]stamp, 0, len(values))
	for _, text := range values {
		s, ok := parseStamp(strings.TrimSpace(text), zone, site)
		kind, given := l.params["VALUE"]
		switch {
		case given && !strings.EqualFold(kind, "DATE") && !strings.EqualFold(kind, "DATE-TIME"):
			return nil, l.fault("VALUE=%s can't be honoured", clip(kind))
		case !ok, given && s.day != strings.EqualFold(kind, "DATE"):
			return nil, l.fault("%q is no date or time", clip(text))
		}
		out = append(out, s)
	}
	return out, nil
}

// parseStamp tells a DATE by its shape: many a program leaves VALUE=DATE out. A time
// that ends in Z is UTC whatever the zone says.
func parseStamp(text string, zone, site *time.Location) (stamp, bool) {
	for _, layout := range []string{"20060102", "20060102T150405", "20060102T150405Z"} {
		if len(text) != len(layout) {
			continue
		}
		t, err := time.Parse(layout, text)
		if err != nil || t.Year() < 1 {
			return stamp{}, false
		}
		s := stamp{at: wall(t.Unix()), zone: zone}
		switch {
		case !strings.Contains(layout, "T"):
			s.day, s.zone = true, site
		case strings.HasSuffix(layout, "Z"):
			s.zone = time.UTC
		}
		return s, true
	}
	return stamp{}, false
}

// lasting is how long an occurrence is: days on the calendar, then real time.
type lasting struct {
	days    int64
	seconds int64
}

// end is where an occurrence that begins at s ends.
func (d lasting) end(s stamp) int64 {
	s.at += wall(d.days * dayLong)
	return s.unix() + d.seconds
}

var durationForm = regexp.MustCompile(`^\+?P(?:([0-9]{1,6})W|(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?)$`)

// lasting reads a DURATION. A week or a day of it is one on the calendar, even where
// the clock changes in it.
func (l line) lasting() (lasting, error) {
	found := durationForm.FindStringSubmatch(l.value)
	if found == nil || !strings.ContainsAny(l.value, "0123456789") || strings.HasSuffix(l.value, "T") {
		return lasting{}, l.fault("%q is no length of time, such as PT6H", clip(l.value))
	}
	number := func(i int) int64 { n, _ := strconv.ParseInt(found[i], 10, 64); return n } // only digits, or nothing
	d := lasting{days: number(1)*7 + number(2), seconds: number(3)*3600 + number(4)*60 + number(5)}
	if err := l.bounded(d); err != nil {
		return lasting{}, err
	}
	return d, nil
}

// bounded: nothing that lasts for years is a window or a freeze that anybody meant.
func (l line) bounded(d lasting) error {
	const most = 3660
	switch long := d.days + d.seconds/dayLong; {
	case long > most:
		return l.fault("the event lasts longer than ten years")
	case d.days <= 0 && d.seconds <= 0:
		return l.fault("the event takes no time: it ends where it begins, or before")
	}
	return nil
}
