package local

import (
	"slices"

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
	p.hosts[start.Host] = known
}

// keepEnd keeps what the next steps of the same host need, also those of a later try.
func (p *Performer) keepEnd(end rollout.StepEnded) {
	known := p.hosts[end.Host]
	if end.Began != nil {
		known.Began = end.Began
	}
	if end.Began != nil && end.Outcome == rollout.OutcomeOK {
		known.Did = rollout.Did(known.Did, end.Began.Work)
	}
	if end.Before != "" {
		known.Before = end.Before
	}
	known.Collected = append(known.Collected, end.Collected...)
	p.hosts[end.Host] = known
}
