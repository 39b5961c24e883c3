package schedule

import (
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// event is one VEVENT.
type event struct {
	at        line // BEGIN:VEVENT
	start     stamp
	long      lasting
	rule      *recurrence
	without   map[int64]bool // EXDATE, by key
	also      []stamp        // RDATE
	uid, what string
	instead   *stamp // RECURRENCE-ID: it stands for that occurrence of the event with the same uid
	cancelled bool
}

// once are the properties that may stand only once in an event and decide when it is.
// The others in the switch of parseEvent may be repeated.
func once() []string {
	return []string{"DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "STATUS", "UID"}
}

// parseEvent reads a VEVENT. It leaves out what does not decide when.
func parseEvent(begin line, lines []line, site *time.Location) (event, error) {
	e := event{at: begin, without: map[int64]bool{}}
	found := map[string]line{}
	for _, l := range lines {
		if _, twice := found[l.name]; twice && slices.Contains(once(), l.name) {
			return event{}, l.fault("it stands twice in one event")
		}
		found[l.name] = l
	}
	if err := e.readTimes(found, site); err != nil {
		return event{}, err
	}
	for _, l := range lines {
		if err := e.read(l, site); err != nil {
			return event{}, err
		}
	}
	if e.instead != nil && (e.rule != nil || len(e.also) > 0) {
		return event{}, e.at.fault("an event with RECURRENCE-ID that repeats by itself can't be honoured")
	}
	return e, nil
}

// readTimes reads when the event begins and ends: all else is measured by that.
func (e *event) readTimes(found map[string]line, site *time.Location) (err error) {
	start, ok := found["DTSTART"]
	if !ok {
		return e.at.fault("the event has no DTSTART")
	}
	if e.start, err = start.stamp(site); err != nil {
		return err
	}
	end, ends := found["DTEND"]
	long, lasts := found["DURATION"]
	switch {
	case ends && lasts:
		return long.fault("an event has DTEND or DURATION, not both")
	case ends:
		return e.readEnd(end, site)
	case lasts:
		e.long, err = long.lasting()
		if err == nil && e.start.day && e.long.seconds != 0 {
			return long.fault("an event of whole days must last whole days")
		}
		return err
	case e.start.day:
		e.long = lasting{days: 1}
		return nil
	}
	return start.fault("the event takes no time: it has neither DTEND nor DURATION")
}

// readEnd: whole days are counted on the calendar, all else is as long as it is.
func (e *event) readEnd(l line, site *time.Location) error {
	end, err := l.stamp(site)
	switch {
	case err != nil:
		return err
	case end.day != e.start.day:
		return l.fault("it is another kind of value than DTSTART")
	case end.day:
		e.long = lasting{days: int64(end.at-e.start.at) / dayLong}
	default:
		e.long = lasting{seconds: end.unix() - e.start.unix()}
	}
	return l.bounded(e.long)
}

// read takes what one more line says about when the event is.
func (e *event) read(l line, site *time.Location) error {
	var err error
	switch l.name {
	case "RRULE":
		e.rule, err = parseRecurrence(l, e.start)
	case "EXDATE":
		err = e.eachStamp(l, site, func(s stamp) { e.without[s.key()] = true })
	case "RDATE":
		err = e.eachStamp(l, site, func(s stamp) { e.also = append(e.also, s) })
	case "RECURRENCE-ID":
		if _, ranged := l.params["RANGE"]; ranged {
			return l.fault("RANGE can't be honoured")
		}
		err = e.eachStamp(l, site, func(s stamp) { e.instead = &s })
	case "EXRULE":
		err = l.fault("it can't be honoured: write EXDATE")
	case "STATUS":
		e.cancelled = strings.EqualFold(l.value, "CANCELLED")
	case "UID":
		e.uid = l.value
	case "SUMMARY":
		e.what = remote.Clean(unescape(l.value), 120)
	}
	return err
}

// eachStamp: a date among times, or a time among dates, would match no occurrence.
func (e *event) eachStamp(l line, site *time.Location, take func(stamp)) error {
	all, err := l.stamps(site)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.day != e.start.day {
			return l.fault("it is another kind of value than DTSTART")
		}
		take(s)
	}
	return nil
}
