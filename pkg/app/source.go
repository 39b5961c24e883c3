package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// sourceOf gathers what a report is made from: the folded state, the plan, the
// journal's events, and the facts that each host's begin step saw.
func (e Env) sourceOf(ctx context.Context, r *openRollout, waits []rollout.Wait) (report.Source, error) {
	events, err := r.events(ctx)
	if err != nil {
		return report.Source{}, err
	}
	status := r.state.Status(e.Now())
	return report.Source{
		Status: status, Path: r.Path, Plan: r.plan, Waits: waits, Events: events,
		Facts: r.facts(status), Now: e.Now(),
	}, nil
}

func (r *openRollout) events(ctx context.Context) ([]rollout.Event, error) {
	var events []rollout.Event
	err := r.journal.Read(ctx, 1, func(rec journal.Record) error {
		entry, err := rollout.Unmarshal(rec.Kind, rec.Payload)
		if err != nil {
			return err //nolint:wrapcheck // says what a newer patchring wrote
		}
		events = append(events, rollout.Event{Seq: rec.Seq, Time: rec.Time, Actor: rec.Actor, Entry: entry})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rollout %s: %w", r.ID, err)
	}
	return events, nil
}

// maxFacts bounds what is read back of one host.
const maxFacts = 16 << 20

// facts reads what the begin steps kept. A report without a host's facts is still a
// report, so what can't be read is left out.
func (r *openRollout) facts(status rollout.Status) map[fact.HostID]fact.Facts {
	all := map[fact.HostID]fact.Facts{}
	for _, h := range status.Hosts {
		if h.Began == nil {
			continue
		}
		raw, err := r.store.Get(h.Began.Facts, maxFacts)
		if err != nil {
			continue
		}
		var f fact.Facts
		if json.Unmarshal(raw, &f) == nil {
			all[h.ID] = f
		}
	}
	return all
}

// question asks a person and gives the answer's first word.
func (e Env) question(ctx context.Context, text string) (string, error) {
	_, _ = fmt.Fprintf(e.Err, "%s ", text)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(e.In).ReadString('\n') // no answer is no
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err() //nolint:wrapcheck // the user's own Ctrl-C
	case <-e.Stop:
		return "", context.Canceled
	case got := <-answer:
		return got, nil
	}
}
