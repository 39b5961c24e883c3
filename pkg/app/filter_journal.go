package app

import (
	"context"
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/secret"
)

// silent is a performer whose entries hold no known secret in their free texts: what a
// host prints may hold the password that it was just given. Names, versions, ids and
// digests are left as they are: they are matched against a grammar, and decisions depend
// on them.
type silent struct {
	engine.Performer

	filter *secret.Filter
}

// silent makes a performer of a rollout that is told what is public about it.
func (e Env) silent(p engine.Performer, r *openRollout) engine.Performer {
	public := []string{r.ID, r.Playbook, r.Site, r.Dir}
	for _, ring := range r.plan.Rings {
		public = append(public, ring.Name)
	}
	e.public(public...)
	return silent{p, e.Secrets.Filter}
}

// Perform is engine.Performer's.
func (s silent) Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	entry, err := s.Performer.Perform(ctx, t)
	err = quietError(s.filter, err)
	if entry == nil || s.filter == nil {
		return entry, err
	}
	return s.entry(entry), err
}

// quietError is an error whose text holds no known secret.
func quietError(f *secret.Filter, err error) error {
	if err == nil || !f.Holds(err.Error()) {
		return err
	}
	return quiet{f.Text(err.Error()), err}
}

// quiet is an error without the secret in its text. Its code and kind are still found.
type quiet struct {
	text string
	err  error
}

func (q quiet) Error() string { return q.text }

func (q quiet) Unwrap() error { return q.err }

// entry filters the free texts of what a performer can give.
func (s silent) entry(entry rollout.Entry) rollout.Entry {
	switch e := entry.(type) {
	case rollout.StepEnded:
		e.Reasons, e.Notes = s.filter.Texts(e.Reasons), s.filter.Texts(e.Notes)
		e.Out, e.Checks = s.values(e.Out), s.results(e.Checks)
		return e
	case rollout.Sampled:
		e.Changed = s.values(e.Changed)
		return e
	case rollout.Asked:
		e.Seen = s.filter.Text(e.Seen)
		return e
	}
	return entry
}

// values filters the texts of a map, never its keys.
func (s silent) values(texts map[string]string) map[string]string {
	texts = maps.Clone(texts)
	for key, text := range texts {
		texts[key] = s.filter.Text(text)
	}
	return texts
}

func (s silent) results(checks []health.Result) []health.Result {
	checks = slices.Clone(checks)
	for i := range checks {
		checks[i].Seen = s.filter.Text(checks[i].Seen)
	}
	return checks
}
