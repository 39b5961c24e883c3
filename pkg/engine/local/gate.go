package local

import (
	"context"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/hook"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// answer finds out what a ring's gate wants to know. It changes nothing anywhere.
func (p *Performer) answer(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	if t.Ask == rollout.AskSample {
		return p.sample(ctx, t)
	}
	name := strings.TrimPrefix(string(t.Ask), "check:")
	entry := rollout.Asked{Ring: t.Ring, Check: name, When: t.When}
	inquiry, ok := p.inquiry(t.Ring, name)
	switch {
	case !ok:
		entry.Seen = "the plan has no such check of this ring's gate"
		return entry, nil
	case p.Outside == nil:
		entry.Seen = "nothing can ask the world outside here"
		return entry, nil
	}
	env := hook.Values{Site: p.Plan.Site, Rollout: t.Rollout, Ring: t.Ring, Playbook: p.Plan.Playbook, Hook: "gate"}.Env()
	entry.Verdict, entry.Seen = p.Outside.Ask(ctx, inquiry, env)
	if err := ctx.Err(); err != nil && entry.Verdict != health.Pass {
		return nil, err //nolint:wrapcheck // nothing was found out: patchring is being stopped
	}
	return entry, nil
}

func (p *Performer) inquiry(ring, name string) (playbook.Inquiry, bool) {
	at := slices.IndexFunc(p.Plan.Rings, func(r plan.Ring) bool { return r.Name == ring })
	if at < 0 {
		return playbook.Inquiry{}, false
	}
	checks := p.Plan.Rings[at].Gate.Checks
	i := slices.IndexFunc(checks, func(c playbook.Inquiry) bool { return c.Name == name })
	if i < 0 {
		return playbook.Inquiry{}, false
	}
	return checks[i], true
}
