package rollout

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/schedule"
)

// when asks another calendar, another ring, or for less time.
func when(ask func(s *State, r *ring, now time.Time, takes time.Duration) schedule.Answer) func(*tampered) {
	return func(b *tampered) { b.may = ask }
}

var ofTime = []mutation{
	{"rule 7: any time will do", when(func(*State, *ring, time.Time, time.Duration) schedule.Answer {
		return schedule.Answer{Open: true}
	})},
	{"rule 7: freezes do not count", when(func(s *State, r *ring, now time.Time, takes time.Duration) schedule.Answer {
		return withCalendar(s, func(c *schedule.Calendar) { c.Freezes = nil }).fits(r, now, takes)
	})},
	{"rule 7: nobody asks for how long it takes", when(func(s *State, r *ring, now time.Time, _ time.Duration) schedule.Answer {
		return s.fits(r, now, 0)
	})},
	{"rule 7: the way back is forgotten", when(func(s *State, r *ring, now time.Time, takes time.Duration) schedule.Answer {
		return s.fits(r, now, takes/2)
	})},
	{"rule 7: an override holds for ever", when(func(s *State, r *ring, now time.Time, takes time.Duration) schedule.Answer {
		other := *s
		if other.override.Reason != "" {
			other.override.Until = now.Add(time.Hour)
		}
		return other.fits(r, now, takes)
	})},
	{"rule 7: an override lets into a freeze", when(func(s *State, r *ring, now time.Time, takes time.Duration) schedule.Answer {
		if now.Before(s.override.Until) {
			return schedule.Answer{Open: true}
		}
		return s.fits(r, now, takes)
	})},
	{"rule 7: the calendar of the plan holds for ever", when(func(s *State, r *ring, now time.Time, takes time.Duration) schedule.Answer {
		return withCalendar(s, func(c *schedule.Calendar) { *c = s.opened.Calendar }).fits(r, now, takes)
	})},
	{"rule 7: in the clock of another zone", when(func(s *State, r *ring, now time.Time, takes time.Duration) schedule.Answer {
		return withCalendar(s, func(c *schedule.Calendar) { c.Zone = "Asia/Tokyo" }).fits(r, now, takes)
	})},
	{"rule 7: the gate does not ask for the window", func(b *tampered) {
		b.gate = func(s *State, r *ring, now time.Time) verdict {
			other, free := *s, *r
			other.setCalendar(schedule.Calendar{})
			free.Window = schedule.Any
			return other.judge(&free, now)
		}
	}},
}

func withCalendar(s *State, change func(*schedule.Calendar)) *State {
	other, c := *s, s.calendar
	change(&c)
	other.setCalendar(c)
	return &other
}

// touchUp changes hosts behind each event.
func touchUp(change func(*State, Entry, *host)) func(*tampered) {
	return func(b *tampered) {
		b.fold = func(s *State, e Entry) {
			for _, h := range s.hosts {
				change(s, e, h)
			}
		}
	}
}

var ofDrain = []mutation{
	{"drain: a sick host goes back into use", touchUp(func(_ *State, _ Entry, h *host) {
		h.Touched = h.Touched && !h.failed
	})},
	{"drain: what is drained is forgotten", touchUp(func(_ *State, _ Entry, h *host) {
		h.Drained = h.Drained && !h.ended
	})},
	{"drain: nobody says that a host is drained", touchUp(func(_ *State, _ Entry, h *host) {
		h.Notes = slices.DeleteFunc(h.Notes, func(n string) bool { return n == drainLeft })
	})},
	{"drain: silences are forgotten", touchUp(func(_ *State, _ Entry, h *host) { h.Silenced = false })},
	{"retry: what a host was before its first try is forgotten", touchUp(func(_ *State, e Entry, h *host) {
		if r, is := e.(Retried); is && slices.Contains(r.Hosts, h.ID) {
			h.Before = ""
		}
	})},
	{"wait: a rollout that waits for a time does not say when", func(b *tampered) {
		b.gate = func(s *State, r *ring, now time.Time) verdict {
			v := s.judge(r, now)
			v.wake = time.Time{}
			return v
		}
	}},
	{"wait: a gate promises a time and opens before", func(b *tampered) {
		b.gate = func(s *State, r *ring, now time.Time) verdict {
			v := s.judge(r, now)
			if !v.wait.Until.IsZero() {
				v.wait.Until = v.wait.Until.Add(24 * time.Hour)
			}
			return v
		}
	}},
	{"wait: it waits and does not say for what", func(b *tampered) {
		b.gate = func(s *State, r *ring, now time.Time) verdict {
			v := s.judge(r, now)
			v.wait.For = ""
			return v
		}
	}},
}
