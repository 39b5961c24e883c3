package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// Learn takes in what was journaled. The engine's observer calls it with every
// event, before any task that follows from it is performed.
func (p *Performer) Learn(e rollout.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch entry := e.Entry.(type) {
	case rollout.GateOpened:
		if entry.Set != "" {
			p.sets[entry.Set] = entry.Frozen
		}
	case rollout.StepStarted:
		p.keepStart(entry)
	case rollout.StepEnded:
		p.keepEnd(entry)
	}
}

// keepStart keeps what a step must be known for from its start on.
func (p *Performer) keepStart(start rollout.StepStarted) {
	known := p.hosts[start.Host]
	switch {
	case start.Step == rollout.FlowSilence:
		known.Silenced = true
	case start.Step == rollout.FlowUnsilence:
		known.Silenced = false
	case known.Began != nil && slices.Contains(known.Began.Changing, start.Step):
		known.Touched = true
	}
	known.Did = rollout.Did(known.Did, known.Began, start.Step)
	p.hosts[start.Host] = known
}

// keepEnd keeps what the next steps of the same host need, also those of a later try.
func (p *Performer) keepEnd(end rollout.StepEnded) {
	known := p.hosts[end.Host]
	if end.Began != nil {
		known.Began = end.Began
	}
	if end.Before != "" {
		known.Before = end.Before
	}
	known.Collected = append(known.Collected, end.Collected...)
	p.hosts[end.Host] = known
}

// recall reads the facts that the begin step put into the store.
func (w *work) recall() (fact.Facts, *rollout.Began, error) {
	began := w.p.known(w.task.Host).Began
	if began == nil {
		return fact.Facts{}, nil, errors.New("the journal has no begin step of this host")
	}
	var facts fact.Facts
	raw, err := w.p.Store.Get(began.Facts, maxFacts)
	if err != nil {
		return facts, nil, fmt.Errorf("read the host's facts back: %w", err)
	}
	if err := json.Unmarshal(raw, &facts); err != nil {
		return facts, nil, fmt.Errorf("read the host's facts back: %w", err)
	}
	return facts, began, nil
}

// maxFacts bounds what is read back of one host's facts or snapshot.
const maxFacts = 16 << 20

func (p *Performer) keep(v any) (patch.Digest, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode for the store: %w", err)
	}
	digest, err := p.Store.Put(raw)
	if err != nil {
		return "", fmt.Errorf("keep in the store: %w", err)
	}
	return digest, nil
}
