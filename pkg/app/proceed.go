package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// What a run journals before it goes on: the calendar as the files say it today, and a
// person's word that the window does not hold.

// overrideFor is how long an override of the window lasts at most. It is for the run at
// hand, not for the rollout: the next run that does not ask for it ends it.
const overrideFor = 12 * time.Hour

// proceed brings the journal up to date with today's files and this run's options.
func (e Env) proceed(ctx context.Context, o RunOptions, f *fleet, src runSource, r *openRollout) error {
	var words []rollout.Entry
	if now := calendarOf(f, src, r); !r.over() && !plan.SameCalendar(r.state.Calendar(), now, e.Now()) {
		e.say("note: windows or freezes were changed since; the rollout keeps to the new ones")
		words = append(words, rollout.CalendarSet{Calendar: now})
	}
	switch inForce := e.Now().Before(r.state.Status(e.Now()).Override.Until); {
	case r.over():
	case o.OverrideWindow != "":
		words = append(words, rollout.WindowOverridden{Reason: o.OverrideWindow, Until: e.Now().UTC().Add(overrideFor)})
	case inForce:
		words = append(words, rollout.WindowOverridden{Reason: "ended: this run was not given an override", Until: e.Now().UTC()})
	}
	eng := &engine.Engine{Journal: r.journal, Actor: e.Actor, Now: e.Now}
	for _, word := range words {
		if err := eng.Record(ctx, word); err != nil {
			return fmt.Errorf("rollout %s: %w", r.ID, err)
		}
	}
	var err error
	r.state, err = o.fold(ctx, r.journal)
	return err
}

// over: words about the future mean nothing any more.
func (r *openRollout) over() bool {
	phase := r.state.Phase()
	return phase == rollout.PhaseFinished || phase == rollout.PhaseAborted
}

// calendarOf is the site's calendar by today's files. Without a playbook (a saved plan is
// carried out) its freezes are those that the plan knew.
func calendarOf(f *fleet, src runSource, r *openRollout) schedule.Calendar {
	if src.book != nil {
		return plan.CalendarOf(f.inv, src.book.Playbook, r.Site)
	}
	cal := plan.CalendarOf(f.inv, &playbook.Playbook{}, r.Site)
	for _, old := range r.plan.Calendar.Freezes {
		if !slices.ContainsFunc(cal.Freezes, func(f schedule.Freeze) bool { return equal(f, old) }) {
			cal.Freezes = append(cal.Freezes, old)
		}
	}
	return cal
}

// equal compares values as the journal would write them.
func equal(a, b any) bool {
	one, err := json.Marshal(a)
	two, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(one, two)
}

// supersede ends the rollout that is open: hosts at work are brought to their end first.
func (e Env) supersede(ctx context.Context, o RunOptions, f *fleet, r *openRollout) error {
	defer r.Close()
	if r.state.Phase() != rollout.PhaseAborted {
		eng := &engine.Engine{Journal: r.journal, Actor: e.Actor, Now: e.Now}
		if err := eng.Record(ctx, rollout.Aborted{Reason: "superseded by a new rollout"}); err != nil {
			return fmt.Errorf("rollout %s: %w", r.ID, err)
		}
	}
	e.say("rollout %s is superseded: hosts at work are brought to their end first", r.ID)
	quiet := o
	quiet.JUnit, quiet.Wait = "", 0
	_, err := e.carry(ctx, quiet, f, r)
	return err
}
