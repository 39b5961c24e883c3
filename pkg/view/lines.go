package view

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// Lines is the view for pipes and CI: one line per change of state, written once,
// no cursor movement, no colour. A line is
//
//	HH:MM:SS ring host step outcome detail
//
// The first five are single words, padded to columns, "-" where they say nothing;
// the detail is the rest of the line and may be empty.
type Lines struct {
	mu    sync.Mutex
	out   *queue
	last  time.Time // of what was told last
	zone  *time.Location
	ring  map[fact.HostID]string
	known bool // the rollout's rings and hosts, for the widths
	wide  [2]int
}

// NewLines writes to out. zone is the clock that the times are shown in; nil is UTC.
func NewLines(out io.Writer, zone *time.Location) *Lines {
	if zone == nil {
		zone = time.UTC
	}
	return &Lines{out: newQueue(out), zone: zone, wide: [2]int{len("production"), 16}}
}

// Event writes the line of an event, and one more when a host came to its end by it.
func (v *Lines) Event(e rollout.Event, s State) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.known {
		v.learn(s.Status(e.Time))
	}
	t := report.TellIn(e, s)
	if worthALine(e.Entry, s) {
		v.out.print(v.line(e.Time, t.Ring, t.Host, t.Step, t.Outcome, t.Text))
	}
	if id, state, text, ok := hostEnded(e, s); ok {
		v.out.print(v.line(e.Time, "", id, "host", state, text))
	}
}

// worthALine leaves out the beginnings of the quick steps that only look: their end
// follows at once. What changes the host is told when it begins, since it may take
// long; so are the user's own programs.
func worthALine(e rollout.Entry, s State) bool {
	started, ok := e.(rollout.StepStarted)
	if !ok || started.Mode == rollout.Reconcile || started.Step == rollout.FlowBegin {
		return true
	}
	switch started.Step {
	case rollout.FlowHooks, rollout.FlowDrain, rollout.FlowUndrain, rollout.FlowHooksEnd:
		return true
	}
	h, found := s.Host(started.Host)
	return !found || h.Began == nil || slices.Contains(h.Began.Changing, started.Step)
}

// learn takes the widths of the columns from the whole rollout, so that they stay the same.
func (v *Lines) learn(st rollout.Status) {
	v.known = true
	v.ring = map[fact.HostID]string{}
	for _, h := range st.Hosts {
		v.ring[h.ID] = h.Ring
		v.wide[0] = max(v.wide[0], min(len(token(h.Ring)), 20))
		v.wide[1] = max(v.wide[1], min(len(token(h.ID.String())), 40))
	}
}

func (v *Lines) line(at time.Time, ring string, host fact.HostID, step, outcome, detail string) string {
	v.last = at
	name := "-"
	if host != (fact.HostID{}) {
		name, ring = token(host.String()), v.ring[host]
	}
	line := fmt.Sprintf("%s  %-*s  %-*s  %-9s  %-11s  %s", at.In(v.zone).Format("15:04:05"),
		v.wide[0], token(ring), v.wide[1], name, token(step), token(outcome), clean(detail))
	return trimRight(line) + "\n"
}

// Tell writes notes; progress is not a change of state.
func (v *Lines) Tell(l Line) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if l.note {
		v.out.print(v.note(l.at, l.text))
	}
}

func (v *Lines) note(at time.Time, text string) string {
	return v.line(at, "", fact.HostID{}, "note", "-", text)
}

// Close writes the final document as a table as wide as its texts. It waits until
// everything is written, unless nobody reads.
func (v *Lines) Close(final report.Document) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if text := v.out.missing(); text != "" {
		v.out.last(v.note(v.last, text))
	}
	if final != nil {
		text, err := render(final, report.FormatTable, report.Options{Brief: true})
		if err != nil {
			v.out.fail(err)
		}
		v.out.last("\n" + text)
	}
	return v.out.end()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// stepName is a step for the eye; a host between two steps is at none.
func stepName(id platform.StepID) string { return token(string(id)) }
