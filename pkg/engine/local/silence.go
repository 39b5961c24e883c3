package local

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// Alerts about a host are kept quiet from the silence step to the unsilence step, by
// silences that end by themselves when patchring dies: while a step of the host is
// performed, they are extended again and again.

// mutes remembers when the silences of each host were extended last by this process.
type mutes struct {
	mu   sync.Mutex
	last map[fact.HostID]time.Time
}

func newMutes() *mutes { return &mutes{last: map[fact.HostID]time.Time{}} }

func (m *mutes) set(host fact.HostID, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last[host] = at
}

func (m *mutes) since(host fact.HostID) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last[host]
}

// defaultTTL stands in where a plan does not say how long a silence lasts.
const defaultTTL = 30 * time.Minute

func ttl(s plan.Silence) time.Duration {
	if s.TTL <= 0 {
		return defaultTTL
	}
	return s.TTL
}

// silences are those of the plan for this host.
func (w *work) silences() []plan.Silence {
	return slices.DeleteFunc(slices.Clone(w.p.Plan.Silences), func(s plan.Silence) bool { return !slices.Contains(s.Hosts, w.task.Host) })
}

// mute sets or extends every silence of the host, and gives the first error.
func (w *work) mute(ctx context.Context) error {
	now := w.p.Now()
	for _, s := range w.silences() {
		if err := w.p.Outside.Silence(ctx, s.Mute, vars(w.host), w.key(), now.Add(ttl(s))); err != nil {
			return fault.On(err, "", "silence "+s.Name)
		}
	}
	w.p.mutes.set(w.task.Host, now)
	return nil
}

// silence keeps alerts quiet before anything is done to the host. Where that can't be
// had, the host is left as it is: it was asked for.
func (w *work) silence(ctx context.Context) (rollout.StepEnded, error) {
	if w.p.Outside == nil {
		return *failed(fault.Internal, "nothing can keep alerts quiet here"), nil
	}
	err := w.mute(ctx)
	if err != nil && pause(ctx, onceMore) {
		err = w.mute(ctx)
	}
	if err != nil {
		return rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: reasonsOf(err)}, nil
	}
	return rollout.StepEnded{Outcome: rollout.OutcomeOK}, nil
}

// onceMore is how soon something outside that did not answer is asked again.
const onceMore = 2 * time.Second

// unsilence lets alerts through again. What can't be removed ends by itself: a note.
func (w *work) unsilence(ctx context.Context) (rollout.StepEnded, error) {
	end := rollout.StepEnded{Outcome: rollout.OutcomeOK}
	if w.p.Outside == nil {
		return end, nil
	}
	for _, s := range w.silences() {
		remove := func() error { return w.p.Outside.Unsilence(ctx, s.Mute, vars(w.host), w.key()) }
		err := remove()
		if err != nil && pause(ctx, onceMore) {
			err = remove()
		}
		if err != nil {
			end.Notes = append(end.Notes, remote.Clean("the silence "+s.Name+" could not be removed, and ends by itself within "+ttl(s).String()+": "+err.Error(), 500))
		}
	}
	return end, nil
}

// keepQuiet extends the host's silences until the step has ended, which it is told by a
// call of what it returns; that gives notes.
func (w *work) keepQuiet(ctx context.Context) func() []string {
	all := w.silences()
	if len(all) == 0 || w.p.Outside == nil || !w.p.known(w.task.Host).Silenced || !extends(w.task.Step) {
		return func() []string { return nil }
	}
	every := ttl(all[0]) / 2
	for _, s := range all {
		every = min(every, ttl(s)/2)
	}
	ctx, stop := context.WithCancel(ctx)
	notes := make(chan []string, 1)
	go func() { notes <- w.extend(ctx, every) }()
	return func() []string {
		stop()
		return <-notes
	}
}

// extends tells of the steps while which silences are extended: not of those that set
// and remove them, nor of those before and after.
func extends(step platform.StepID) bool {
	switch step {
	case rollout.FlowBegin, rollout.FlowSilence, rollout.FlowUnsilence, rollout.FlowEnd:
		return false
	}
	return true
}

// extend does so whenever half of the time is over, at once where this process has not
// done it yet. It ends with ctx; a failure of the last extension is a note.
func (w *work) extend(ctx context.Context, every time.Duration) []string {
	var notes []string
	due := w.p.mutes.since(w.task.Host).Add(every)
	for pause(ctx, due.Sub(w.p.Now())) {
		err := w.mute(ctx)
		next := every
		switch {
		case ctx.Err() != nil:
			return notes
		case err != nil:
			notes = []string{remote.Clean("alerts may come through: "+err.Error(), 500)}
			next = min(every, time.Minute)
		default:
			notes = nil
		}
		due = w.p.Now().Add(next)
	}
	return notes
}

// pause is false when ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
