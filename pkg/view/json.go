package view

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// Message is one line of NDJSON. New fields, types and events may be added within a
// version. The final document is a line of its own, with "kind" instead of "type".
//
// Step and outcome of the events that are about no single host:
//
//	event              step       outcome      ring  text
//	opened             rollout    opened             the rings
//	gate_opened        gate       opened       yes   why
//	halted             gate|limit halted       yes   why
//	paused … finished  rollout    the event's        the reason
//	calendar_set       calendar   set                windows and freezes are others now
//	window_overridden  window     overridden         until when, and the reason
//	approved           approval   approved     yes   by whom; signed or unauthenticated; how many of how many
//	waived             waiver     waived       yes   soak or check:NAME, and the reason
//	sampled            soak       pass|fail|unknown  yes  how many hosts are healthy, and what changed
//	asked              inquiry    pass|fail|unknown  yes  the inquiry's name, and what was seen
//	retried            retry      retried            how many hosts, the reason, and their names
//	sealed             checkpoint signed             why, of how many records, by whom
//
// Those about a host have its step and how that went: started, looking, ok, nothing,
// back (it stepped back: a budget is used up by others), failed, unreachable, unknown.
type Message struct {
	Version   int       `json:"version"`
	Type      string    `json:"type"` // event | note
	Seq       uint64    `json:"seq,omitempty"`
	Time      time.Time `json:"time"`
	Actor     string    `json:"actor,omitempty"`
	Event     string    `json:"event,omitempty"` // the name that the journal has for it
	Ring      string    `json:"ring,omitempty"`
	Host      string    `json:"host,omitempty"` // site/name
	Step      string    `json:"step,omitempty"`
	Outcome   string    `json:"outcome,omitempty"`
	HostState string    `json:"host_state,omitempty"` // where the host stands after the event
	Text      string    `json:"text,omitempty"`       // a sentence
}

// JSON is the view for machines.
type JSON struct {
	mu   sync.Mutex
	out  *queue
	last time.Time // of what was told last
}

// NewJSON writes one JSON object a line to out.
func NewJSON(out io.Writer) *JSON {
	return &JSON{out: newQueue(out)}
}

// Event writes the message of an event.
func (v *JSON) Event(e rollout.Event, s State) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := report.TellIn(e, s)
	m := Message{
		Version: report.Version, Type: "event", Seq: e.Seq, Time: e.Time.UTC(), Actor: clean(e.Actor),
		Ring: t.Ring, Step: t.Step, Outcome: t.Outcome, Text: clean(t.Sentence()),
	}
	if e.Entry != nil {
		m.Event = clean(e.Entry.Kind())
	}
	if t.Host != (fact.HostID{}) {
		m.Host = clean(t.Host.String())
		if h, ok := s.Host(t.Host); ok {
			m.Ring, m.HostState = clean(h.Ring), string(h.State)
		}
	}
	v.last = m.Time
	v.write(m, v.out.print)
}

// Tell writes notes; progress is not kept.
func (v *JSON) Tell(l Line) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if l.note {
		v.note(l.at, l.text, v.out.print)
	}
}

func (v *JSON) note(at time.Time, text string, put func(string)) {
	v.last = at
	v.write(Message{Version: report.Version, Type: "note", Time: at.UTC(), Text: clean(text)}, put)
}

// Close writes the final document as one line. It waits until everything is written,
// unless nobody reads.
func (v *JSON) Close(final report.Document) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if text := v.out.missing(); text != "" {
		v.note(v.last, text, v.out.last)
	}
	if final != nil {
		v.write(final, v.out.last)
	}
	return v.out.end()
}

func (v *JSON) write(m any, put func(string)) {
	line, err := json.Marshal(m)
	if err != nil {
		v.out.fail(err)
		return
	}
	put(string(report.EscapeJSON(line)) + "\n")
}
