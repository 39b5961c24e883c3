// Package view shows a run while it goes: a live view on a terminal, one stable
// line per change of state in a pipe, NDJSON for machines. Views are told what
// happened; they ask nothing of the world but their writer, a clock and a width.
//
// A view is safe for concurrent use. An error of its writer does not disturb the
// run; Close returns it.
package view

import (
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// View shows one run. Event is called after the event was folded into the state;
// the state must stay as it is during the call. After Close nothing is shown.
type View interface {
	Event(e rollout.Event, s State)
	Tell(l Line)
	// Close ends the view and shows the final document, if there is one: as the last
	// line of NDJSON, else as a brief table.
	Close(final report.Document) error
}

// State is what a view asks about the rollout; *rollout.State is one.
type State interface {
	Host(id fact.HostID) (rollout.HostStatus, bool)
	Status(now time.Time) rollout.Status
}

// Line is something to be told that is not an event of the journal.
type Line struct {
	at   time.Time
	host fact.HostID
	step platform.StepID
	text string
	note bool
}

// Progress is the last line of what a host's step prints. It is shown while it is
// news, by the live view only, and is kept nowhere.
func Progress(host fact.HostID, step platform.StepID, text string) Line {
	return Line{host: host, step: step, text: text}
}

// Note is a sentence for the person who watches: "connection to hq/web1 lost, trying again".
func Note(at time.Time, text string) Line { return Line{at: at, text: text, note: true} }

// maxText bounds one told text, in bytes.
const maxText = 600

func clean(text string) string { return remote.Clean(text, maxText) }

// token is a text as one column: never empty, never with a space in it.
func token(text string) string {
	text = strings.Join(strings.Fields(clean(text)), "_")
	if text == "" {
		return "-"
	}
	return text
}

// hostEnded is what a host has come to: the state, and why or with what result. Ok is
// false while it is still on its way.
func hostEnded(e rollout.Event, s State) (id fact.HostID, state, text string, ok bool) {
	ended, is := e.Entry.(rollout.StepEnded)
	if !is {
		return id, "", "", false
	}
	h, found := s.Host(ended.Host)
	if !found || h.State == rollout.HostWorking || h.State == rollout.HostWaiting {
		return id, "", "", false
	}
	state = string(h.State)
	if state == "" {
		state = string(rollout.HostUnknown)
	}
	return ended.Host, state, result(h), true
}

// result is why a host ended as it did, or what it got.
func result(h rollout.HostStatus) string {
	var parts []string
	for _, r := range h.Reasons {
		parts = append(parts, clean(r))
	}
	if h.State == rollout.HostRolledBack {
		parts = append(parts, plural(len(h.Did), "package")+" taken back")
	}
	if len(parts) == 0 && len(h.Proven) > 0 {
		parts = append(parts, plural(len(h.Proven), "update")+" installed")
	}
	if h.Rebooted {
		parts = append(parts, "rebooted")
	}
	if !h.Started.IsZero() && h.Ended.After(h.Started) {
		parts = append(parts, "took "+report.Elapsed(h.Ended.Sub(h.Started)))
	}
	return clean(strings.Join(parts, "; "))
}
