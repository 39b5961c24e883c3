package inventory

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/schedule"
)

var (
	clockShape  = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	momentShape = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])( ([01][0-9]|2[0-3]):[0-5][0-9])?$`)
	personShape = regexp.MustCompile(`^[^\s@]{1,100}@[^\s@]{1,253}$`)
)

// days is one entry of a window's days: it may stand for several.
type days struct{ list []schedule.Day }

func (d *days) UnmarshalText(b []byte) error {
	list, err := schedule.ParseDay(string(b))
	d.list = list
	if err != nil {
		return fault.Usagef(hintOr(err, `write sat, "2nd tue" or "last fri"`), "%v", err)
	}
	return nil
}

// Schema knows the words of schedule.ParseDay, which takes them in any case.
func (days) Schema() map[string]any {
	day := anyCase("sunday", "sun", "monday", "mon", "tuesday", "tue", "wednesday", "wed", "thursday", "thu", "friday", "fri", "saturday", "sat")
	several := anyCase("daily", "weekdays", "weekday", "weekends", "weekend")
	nth := anyCase("1st", "2nd", "3rd", "4th", "5th", "first", "second", "third", "fourth", "fifth", "last")
	return pattern("^ *(" + several + "|" + day + "(-" + day + ")?|" + nth + " +" + day + ") *$")
}

// anyCase is a regular expression of words, without the flag that not every editor knows.
func anyCase(words ...string) string {
	var b strings.Builder
	for _, r := range strings.Join(words, "|") {
		if unicode.IsLower(r) {
			b.WriteString("[" + string(r) + string(unicode.ToUpper(r)) + "]")
		} else {
			b.WriteRune(r)
		}
	}
	return "(" + b.String() + ")"
}

// clock is a time of the day.
type clock string

func (c *clock) UnmarshalText(b []byte) error {
	*c = clock(b)
	if !clockShape.Match(b) {
		return fault.Usagef(`write hours and minutes: "22:00"`, "not a time of the day")
	}
	return nil
}

func (clock) Schema() map[string]any { return pattern(clockShape.String()) }

// moment is a day, or a minute of it, on the site's clock.
type moment string

func (m *moment) UnmarshalText(b []byte) error {
	*m = moment(b)
	_, noDay := time.Parse(time.DateOnly, string(b))
	_, noMinute := time.Parse("2006-01-02 15:04", string(b))
	if !momentShape.Match(b) || noDay != nil && noMinute != nil {
		return fault.Usagef(`write year-month-day, with a time or without: 2026-12-18 or "2026-12-18 18:00"`, "not a day")
	}
	return nil
}

func (moment) Schema() map[string]any { return pattern(momentShape.String()) }

// icalPath names an iCalendar file; package app reads it.
type icalPath string

func (p *icalPath) UnmarshalText(b []byte) error {
	text := string(b)
	*p = icalPath(text)
	switch {
	case strings.Contains(text, "://"):
		return fault.Usagef("fetch it beforehand, and write the file's name: what is read must not depend on the network", "a web address, not a file")
	case len(text) > 1024 || strings.HasPrefix(text, "-"):
		return fault.Usagef("write the name of an .ics file", "not a file's name")
	}
	return nil
}

func (icalPath) Schema() map[string]any {
	return map[string]any{"type": "string", "minLength": 1, "maxLength": 1024, "not": object{"pattern": `://|^-|[\x00-\x1f]`}}
}

// approver is a person as `patchring approve` knows them.
type approver string

func (a *approver) UnmarshalText(b []byte) error {
	*a = approver(b)
	if !personShape.Match(b) || strings.ContainsFunc(string(b), func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fault.Usagef("write jane@hq.example, or user@machine", "not a person")
	}
	return nil
}

func (approver) Schema() map[string]any { return pattern(personShape.String()) }

// unitName names a pair, stack or cluster.
type unitName string

func (u *unitName) UnmarshalText(b []byte) error {
	*u = unitName(b)
	if !goodName(string(b)) {
		return fault.Usagef("letters, digits and . _ -, not beginning with a dot or hyphen, not all or ungrouped", "not a name")
	}
	return nil
}

func (unitName) Schema() map[string]any {
	return map[string]any{"type": []string{"string", "number"}, "pattern": namePattern}
}
