package local

import (
	"cmp"
	"context"
	"encoding/json"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/probe"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// Samples is the document in the store behind a Sampled entry.
type Samples struct {
	Ring  string       `json:"ring"` // whose gate asked
	Seen  time.Time    `json:"seen"`
	Hosts []HostSample `json:"hosts"`
	// Shortened: the results of hosts that did not pass were too much to keep all of them.
	Shortened bool `json:"shortened,omitempty"`
}

// HostSample is one host of a sample. Of those that pass only that is kept.
type HostSample struct {
	Host    fact.HostID     `json:"host"`
	Verdict health.Verdict  `json:"verdict"`
	Why     string          `json:"why,omitempty"`
	Results []health.Result `json:"results,omitempty"`
}

// sample looks at every healthy host of the rings before a ring's gate.
func (p *Performer) sample(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	var hosts []rollout.HostStatus
	if p.Healthy != nil {
		hosts = p.Healthy(t.Ring)
	}
	doc := Samples{Ring: t.Ring, Seen: p.Now(), Hosts: make([]HostSample, len(hosts))}
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() { doc.Hosts[i] = p.sampleOne(ctx, h, spread(len(hosts))) })
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err //nolint:wrapcheck // nothing was found out: patchring is being stopped
	}
	return p.sampled(t, doc)
}

// Hosts are not asked all in one moment: what they share would feel it.
const (
	spreadEach = 50 * time.Millisecond
	spreadMost = 3 * time.Second
)

func spread(hosts int) time.Duration { return min(time.Duration(hosts-1)*spreadEach, spreadMost) }

// jitter is the host's own place in the spread, always the same.
func jitter(host fact.HostID, most time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(host.String())) // never fails
	return time.Duration(h.Sum32()) % (most + 1)
}

// sampleOne asks one host everything that the check step asked it, once.
func (p *Performer) sampleOne(ctx context.Context, h rollout.HostStatus, most time.Duration) HostSample {
	s := HostSample{Host: h.ID}
	if !pause(ctx, jitter(h.ID, most)) {
		return s
	}
	release, err := p.slot(ctx)
	if err != nil {
		return s
	}
	defer release()
	host, found := p.Hosts[h.ID]
	planned, ok := p.Plan.Host(h.ID)
	if !found || !ok {
		s.Why = notInFleet
		return s
	}
	before, err := p.snapshot(h.Before)
	if err != nil {
		s.Why = remote.Clean(err.Error(), whyOut)
		return s
	}
	return p.judged(ctx, s, planned, vars(host), before)
}

// judged asks a host, for as long as its bound allows: one that hangs must not keep the
// others, and the round, waiting.
func (p *Performer) judged(ctx context.Context, s HostSample, planned plan.Host, v health.Vars, before *fact.Snapshot) HostSample {
	within := lookWithin(planned.Checks)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s = p.asked(ctx, s, planned, v, before)
	if ctx.Err() != nil && s.Verdict == health.Unknown { // what failed before that has failed
		s.Why = notWithin(within)
	}
	return s
}

// asked is judged without its bound.
func (p *Performer) asked(ctx context.Context, s HostSample, planned plan.Host, v health.Vars, before *fact.Snapshot) HostSample {
	on := readOnly{p.sessions(s.Host)}
	if len(planned.Checks) == 0 { // the playbook asks nothing of it but to be there
		s.Verdict = health.Pass
		if err := probe.Reached(ctx, on, p.Now); err != nil {
			s.Verdict, s.Why = health.Unknown, remote.Clean(whyNot(err), whyOut)
		}
		return s
	}
	results := probe.Once(ctx, on, planned.Checks, v, before)
	s.Verdict = health.Worst(results)
	if wrong := notPassed(results); len(wrong) > 0 {
		s.Why, s.Results = remote.Clean(wrong[0], whyOut), results
	}
	return s
}

// sampled sums a round up, and keeps the whole of it in the store.
func (p *Performer) sampled(t rollout.Task, doc Samples) (rollout.Entry, error) {
	entry := rollout.Sampled{Ring: t.Ring}
	for _, h := range doc.Hosts {
		switch h.Verdict {
		case health.Pass:
			entry.Pass++
		case health.Fail:
			entry.Fail++
		case health.Unknown:
			entry.Unknown++
		}
	}
	if p.Config.Sick != nil {
		entry.Changed = changes(p.Config.Sick(t.Ring), doc.Hosts)
	} else {
		entry.Changed = changes(nil, doc.Hosts)
	}
	var err error
	entry.Samples, err = p.keepSamples(doc)
	return entry, err
}

// changes are the hosts that stand otherwise than last time: sick holds who did not pass
// then. That one fails for another reason now is no change; that a failure became
// unknown, or the other way round, is.
func changes(sick map[string]string, now []HostSample) map[string]string {
	changed := map[string]string{}
	asked := map[string]bool{}
	for _, h := range now {
		name, was := h.Host.String(), sick[h.Host.String()]
		asked[name] = true
		is := ""
		if h.Verdict != health.Pass {
			is = h.Verdict.String() + ": " + cmp.Or(h.Why, "it could not be asked")
		}
		if verdictIn(was) != verdictIn(is) {
			changed[name] = is
		}
	}
	for name := range sick {
		if !asked[name] {
			changed[name] = "" // no longer one of those that are sampled
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return changed
}

// verdictIn is the word before the reason.
func verdictIn(why string) string {
	verdict, _, _ := strings.Cut(why, ":")
	return verdict
}

// maxSamples bounds the document of one round.
const maxSamples = 4 << 20

func (p *Performer) keepSamples(doc Samples) (patch.Digest, error) {
	raw, err := json.Marshal(doc)
	if err == nil && len(raw) > maxSamples {
		doc.Shortened = true
		for i := range doc.Hosts {
			doc.Hosts[i].Results = nil
		}
	}
	if err != nil {
		return "", err //nolint:wrapcheck // a struct of plain values can't fail to be written
	}
	return p.keep(doc)
}
