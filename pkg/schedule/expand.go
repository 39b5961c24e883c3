package schedule

import (
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

// mostDays is how many days may be looked at for one file.
const mostDays = 5_000_000

// expansion collects the occurrences of events.
type expansion struct {
	from, to int64 // seconds since 1970
	patience int   // how many more days may be looked at
	out      []Span
}

// add takes the occurrences of one event, but for those that another event stands for.
func (x *expansion) add(e event, moved map[int64]event) error {
	for _, o := range moved {
		if e.instead == nil && o.instead.day != e.start.day {
			return o.at.fault("its RECURRENCE-ID is another kind of value than DTSTART of the event that repeats")
		}
	}
	if e.cancelled {
		return nil
	}
	seen := map[int64]bool{}
	take := func(s stamp) error {
		key := s.key()
		_, elsewhere := moved[key]
		if seen[key] || e.without[key] || elsewhere && e.instead == nil {
			return nil
		}
		seen[key] = true
		return x.span(e, s)
	}
	if err := x.recur(e, take); err != nil {
		return err
	}
	for _, s := range e.also {
		if err := take(s); err != nil {
			return err
		}
	}
	return nil
}

func (x *expansion) recur(e event, take func(stamp) error) error {
	if e.rule == nil {
		return take(e.start)
	}
	days := e.long.days + e.long.seconds/dayLong + 2
	for date := range e.rule.dates(e.start, wall(x.from-days*dayLong), wall(x.to+2*dayLong), &x.patience) {
		s := e.start
		s.at = date
		if err := take(s); err != nil {
			return err
		}
	}
	if x.patience <= 0 {
		return e.rule.line.fault("it repeats too often to be followed")
	}
	return nil
}

// span keeps an occurrence that touches the time that is asked for. A day that the
// site's calendar skipped has no length.
func (x *expansion) span(e event, s stamp) error {
	from, to := s.unix(), e.long.end(s)
	if to <= x.from || from >= x.to || from >= to {
		return nil
	}
	if len(x.out) >= mostSpans {
		return fault.Usagef("export fewer events, or a shorter time", "the iCalendar file has more than %d occurrences", mostSpans)
	}
	x.out = append(x.out, Span{From: time.Unix(from, 0).UTC(), To: time.Unix(to, 0).UTC(), What: e.what})
	return nil
}
