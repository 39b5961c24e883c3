package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// history is a journal that was read, verified as a chain, and folded.
type history struct {
	raw    []byte
	events []rollout.Event
	lines  []patch.Digest // of the line of each record
	opened rollout.Opened
	state  *rollout.State
}

// readHistory takes whole lines alone.
func readHistory(raw []byte) (*history, error) {
	if len(raw) == 0 || raw[len(raw)-1] != '\n' {
		return nil, errors.New("the journal is empty, or does not end with a whole record")
	}
	h := &history{raw: raw, state: &rollout.State{}}
	var at journal.Mark
	for text := range bytes.Lines(raw) {
		record, next, err := journal.Parse(at, bytes.TrimSuffix(text, []byte("\n")))
		if err != nil {
			return nil, fmt.Errorf("line %d of the journal: %w", at.Seq+1, err)
		}
		if err := h.add(record, next.Line); err != nil {
			return nil, fmt.Errorf("record %d of the journal: %w", record.Seq, err)
		}
		at = next
	}
	return h, nil
}

func (h *history) add(r journal.Record, line patch.Digest) error {
	entry, err := rollout.Unmarshal(r.Kind, r.Payload)
	if err != nil {
		return err //nolint:wrapcheck // says what of which kind
	}
	event := rollout.Event{Seq: r.Seq, Time: r.Time, Actor: r.Actor, Entry: entry}
	if err := h.state.Fold(event); err != nil {
		return err //nolint:wrapcheck // says what is impossible
	}
	if opened, ok := entry.(rollout.Opened); ok {
		h.opened = opened
	}
	h.events, h.lines = append(h.events, event), append(h.lines, line)
	return nil
}

// last is when the last record was written: the only clock that a bundle has.
func (h *history) last() time.Time { return h.events[len(h.events)-1].Time }

// end is the digest of the last line, and so of the whole chain.
func (h *history) end() patch.Digest { return h.lines[len(h.lines)-1] }

func (h *history) status() rollout.Status { return h.state.Status(h.last()) }

// Whole cuts off what stands behind the last whole line of a journal: an append that never
// came to its end.
func Whole(journal []byte) []byte { return journal[:bytes.LastIndexByte(journal, '\n')+1] }

// Wanted names what a journal refers to in the store and a bundle takes along: the facts
// and states of hosts, and samples. Not packages and images, and nothing that a device
// printed: that may hold secrets.
func Wanted(rawJournal []byte) ([]patch.Digest, error) {
	h, err := readHistory(rawJournal)
	if err != nil {
		return nil, err
	}
	return h.wanted(), nil
}

func (h *history) wanted() []patch.Digest {
	named := map[patch.Digest]bool{}
	for _, e := range h.events {
		switch entry := e.Entry.(type) {
		case rollout.StepEnded:
			named[entry.Before], named[entry.After] = true, true
			if entry.Began != nil {
				named[entry.Began.Facts] = true
			}
		case rollout.Sampled:
			named[entry.Samples] = true
		}
	}
	maps.DeleteFunc(named, func(d patch.Digest, _ bool) bool { return digest(string(d)) == "" })
	return slices.Sorted(maps.Keys(named))
}
