package rollout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
)

// The kinds, as they stand in the journal. They never change and are never reused.
const (
	kindOpened           = "opened"
	kindGateOpened       = "gate_opened"
	kindStepStarted      = "step_started"
	kindStepEnded        = "step_ended"
	kindHalted           = "halted"
	kindPaused           = "paused"
	kindResumed          = "resumed"
	kindAborted          = "aborted"
	kindFinished         = "finished"
	kindCalendarSet      = "calendar_set"
	kindWindowOverridden = "window_overridden"
	kindApproved         = "approved"
	kindWaived           = "waived"
	kindSampled          = "sampled"
	kindAsked            = "asked"
	kindRetried          = "retried"
	kindRollbackAsked    = "rollback_asked"
	kindSealed           = "sealed"
)

// Kind names the entry in the journal.
func (Opened) Kind() string { return kindOpened }

// Kind names the entry in the journal.
func (GateOpened) Kind() string { return kindGateOpened }

// Kind names the entry in the journal.
func (StepStarted) Kind() string { return kindStepStarted }

// Kind names the entry in the journal.
func (StepEnded) Kind() string { return kindStepEnded }

// Kind names the entry in the journal.
func (Halted) Kind() string { return kindHalted }

// Kind names the entry in the journal.
func (Paused) Kind() string { return kindPaused }

// Kind names the entry in the journal.
func (Resumed) Kind() string { return kindResumed }

// Kind names the entry in the journal.
func (Aborted) Kind() string { return kindAborted }

// Kind names the entry in the journal.
func (Finished) Kind() string { return kindFinished }

// Kind names the entry in the journal.
func (CalendarSet) Kind() string { return kindCalendarSet }

// Kind names the entry in the journal.
func (WindowOverridden) Kind() string { return kindWindowOverridden }

// Kind names the entry in the journal.
func (Approved) Kind() string { return kindApproved }

// Kind names the entry in the journal.
func (Waived) Kind() string { return kindWaived }

// Kind names the entry in the journal.
func (Sampled) Kind() string { return kindSampled }

// Kind names the entry in the journal.
func (Asked) Kind() string { return kindAsked }

// Kind names the entry in the journal.
func (Retried) Kind() string { return kindRetried }

// Kind names the entry in the journal.
func (RollbackAsked) Kind() string { return kindRollbackAsked }

// Kind names the entry in the journal.
func (Sealed) Kind() string { return kindSealed }

// Marshal gives an entry's kind and its payload for the journal: compact JSON,
// fields in the order of the type, map keys sorted.
func Marshal(e Entry) (kind string, payload json.RawMessage, err error) {
	if e == nil {
		return "", nil, errors.New("no entry to write")
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return "", nil, fmt.Errorf("write %s: %w", e.Kind(), err)
	}
	return e.Kind(), bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Unmarshal reads what Marshal wrote. It is strict: a kind, a field or a word that
// this build does not know was written by a newer one, and is an error, because
// leaving it out would make another history of it.
func Unmarshal(kind string, payload json.RawMessage) (Entry, error) {
	switch kind {
	case kindOpened:
		return decode[Opened](payload)
	case kindGateOpened:
		return decode[GateOpened](payload)
	case kindStepStarted:
		return decode[StepStarted](payload)
	case kindStepEnded:
		return decode[StepEnded](payload)
	case kindHalted:
		return decode[Halted](payload)
	case kindPaused:
		return decode[Paused](payload)
	case kindResumed:
		return decode[Resumed](payload)
	case kindAborted:
		return decode[Aborted](payload)
	case kindFinished:
		return decode[Finished](payload)
	}
	return unmarshalGate(kind, payload)
}

// unmarshalGate reads what is gathered for gates.
func unmarshalGate(kind string, payload json.RawMessage) (Entry, error) {
	switch kind {
	case kindCalendarSet:
		return decode[CalendarSet](payload)
	case kindWindowOverridden:
		return decode[WindowOverridden](payload)
	case kindApproved:
		return decode[Approved](payload)
	case kindWaived:
		return decode[Waived](payload)
	case kindSampled:
		return decode[Sampled](payload)
	case kindAsked:
		return decode[Asked](payload)
	case kindRetried:
		return decode[Retried](payload)
	case kindRollbackAsked:
		return decode[RollbackAsked](payload)
	case kindSealed:
		return decode[Sealed](payload)
	}
	return nil, newer("event of kind %q", kind)
}

func decode[T Entry](payload json.RawMessage) (Entry, error) {
	var entry T
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&entry); err != nil {
		return nil, fmt.Errorf("read %s: %w", entry.Kind(), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: something stands behind it", entry.Kind())
	}
	return entry, known(entry)
}

// known refuses words that a newer build may have added to the enumerations.
func known(e Entry) error {
	switch e := e.(type) {
	case StepStarted:
		if e.Host == (fact.HostID{}) {
			return errors.New("read step_started: no host is named")
		}
		if e.Mode != Start && e.Mode != Reconcile {
			return newer("mode %q", e.Mode)
		}
	case StepEnded:
		if e.Host == (fact.HostID{}) {
			return errors.New("read step_ended: no host is named")
		}
		switch e.Outcome {
		case OutcomeUnknown, OutcomeFailed, OutcomeUnreachable, OutcomeNothing, OutcomeBack, OutcomeOK:
		default:
			return newer("outcome %q", e.Outcome)
		}
	}
	return nil
}

func newer(format string, args ...any) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Unsupported,
		What: "the journal holds something this patchring does not know: " + fmt.Sprintf(format, args...),
		Hint: "a newer patchring wrote it: use that version or a later one for this rollout",
	}
}
