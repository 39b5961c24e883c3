package rollout

import (
	"errors"
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/schedule"
)

// When hosts may be started: the calendar that holds, and a person's override.

func (e CalendarSet) check(s *State) error {
	if _, err := schedule.Compile(e.Calendar); err != nil {
		return fmt.Errorf("the calendar: %w", err)
	}
	return s.notOver()
}

func (e CalendarSet) apply(s *State, _ time.Time) { s.setCalendar(e.Calendar) }

func (s *State) setCalendar(c schedule.Calendar) {
	clock, err := schedule.Compile(c) // checked before
	if err == nil {
		s.calendar, s.clock = c, clock
	}
}

// Calendar is the one that holds: the plan's, or the last that was journaled.
func (s *State) Calendar() schedule.Calendar { return s.calendar }

func (e WindowOverridden) check(s *State) error {
	if e.Reason == "" {
		return errors.New("a window is overridden for a reason, or not at all")
	}
	return s.notOver()
}

func (e WindowOverridden) apply(s *State, _ time.Time) { s.override = e }
