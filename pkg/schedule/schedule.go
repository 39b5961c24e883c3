// Package schedule says when hosts may be started: windows, and freezes that hold
// whatever the window says. It is arithmetic on a site's own clock, both
// daylight-saving changes included; time always comes in as an argument.
package schedule

import "time"

// Any is the window that is always open. It must be written.
const Any = "any"

// Calendar is when hosts of one site may be started. It is part of the plan and of
// the journal, so it is complete in itself: what stood in an iCalendar file is in
// Spans. The zero value has no zone and no windows, and closes everything but Any.
type Calendar struct {
	Zone    string            `json:"zone,omitempty"` // IANA name; empty: UTC
	Windows map[string]Window `json:"windows,omitempty"`
	Freezes []Freeze          `json:"freezes,omitempty"`
}

// Window is open whenever one of its rules or spans is.
type Window struct {
	Rules []Rule `json:"rules,omitempty"`
	Spans []Span `json:"spans,omitempty"` // from iCalendar files: absolute times, sorted
}

// Rule opens a window on some days at Start, on the site's clock, for Length of real
// time: over midnight, and over a change of the clock, it is as long as it says.
type Rule struct {
	Days   []Day         `json:"days"`
	Start  string        `json:"start"` // "22:00"
	Length time.Duration `json:"length"`
}

// Day is a weekday of each week, or the Nth of each month (-1: the last; 0: each week).
type Day struct {
	Weekday time.Weekday `json:"weekday"`
	Nth     int          `json:"nth,omitempty"`
}

// Span is absolute: From is in it, To is not.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	What string    `json:"what,omitempty"`
}

// Freeze starts nothing from the first second of From through the last of Through, on
// the site's clock ("2026-12-18", or "2026-12-18 18:00"), or within one of Spans.
type Freeze struct {
	From    string `json:"from,omitempty"`
	Through string `json:"through,omitempty"`
	Reason  string `json:"reason"`
	Spans   []Span `json:"spans,omitempty"` // instead, from an iCalendar file
}

// Answer tells whether a host may be started. The zero value says no, for ever.
type Answer struct {
	Open   bool
	Frozen bool // a freeze, not the window, is what closes it
	// Until is when the answer changes: open until, or closed until. Zero: it is not
	// foreseen to within Horizon.
	Until time.Time
	// Why in words, without the time: "window weekend", "freeze: year-end", and for an
	// open one the same; "no window" for Any.
	Why string
}

// Horizon is how far a calendar is looked ahead.
const Horizon = 400 * 24 * time.Hour
