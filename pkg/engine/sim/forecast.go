package sim

import (
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// Assumptions of a forecast, beside that nothing goes wrong. The zero value is what one
// hopes for.
type Assumptions struct {
	Until         time.Time     // how far to look; zero: a Horizon from now
	Starter       string        // who will start the rollout, and so can't approve of it
	ApprovedAfter time.Duration // how long an approval takes from when a gate begins to ask for it
	NotApproved   bool          // nobody approves of anything
}

// Forecast is when everything of a rollout would happen.
type Forecast struct {
	Rollout, Playbook, Site string
	Plan                    patch.Digest
	Zone                    *time.Location // the site's
	From, Until             time.Time      // what was looked at
	Phase                   rollout.Phase  // at the end of it
	Ends                    time.Time      // the last thing that happens
	Shown                   time.Time      // how far a picture goes: to the end, or to where the waiting is seen
	Rings                   []Ring
	Waits                   []rollout.Wait // what it waits for at the end, if it is not finished
	Reasons                 []string       // why it halts
	Assumptions             []string
}

// Ring of a forecast. A time that is zero is not foreseen to come.
type Ring struct {
	Name, Window  string
	Hosts, Idle   int // with work; without, or with a problem
	Asked, Opens  time.Time
	Begins, Ends  time.Time // of the hosts' work
	Waits         []Span    // of its gate, from Asked to Opens; they may overlap
	Batches       []Batch
	Openings      []Opening     // of its window, from Asked until it has ended; nil: any
	Starved       []fact.HostID // never begun
	StarvedReason string
}

// Batch of a ring. Spans follow each other: where it works, and what it waits for
// between; before its first one the batch before goes on.
type Batch struct {
	Hosts, Started, Ended int
	Ready                 time.Time // when nothing but time keeps it from beginning
	Begins, Ends          time.Time // Ends: of all its hosts
	Spans                 []Span
}

// Opening of a window, and how many of a ring's hosts are begun in it.
type Opening struct {
	From, Until time.Time
	Started     int
}

// Kind is what a time is spent on.
type Kind string

const (
	Working  Kind = "working"
	Window   Kind = "window" // the window is closed, or too short by then
	Freeze   Kind = "freeze"
	Soak     Kind = "soak"
	Approval Kind = "approval"
	Check    Kind = "check"
	Other    Kind = "other" // something that is not foreseen to hold a rollout up
)

// Span is one stretch of time.
type Span struct {
	Kind        Kind
	From, Until time.Time
	Why         string
	// Open: it does not end within the forecast.
	Open bool
}

// For makes a forecast of a plan. opened is what rollout.Open makes of it.
func For(opened rollout.Opened, p *plan.Plan, now time.Time, a Assumptions) (Forecast, error) {
	return a.forecast(opened, p, now, func(rollout.Event, *rollout.State) {})
}

// forecast tells each of every event beside.
func (a Assumptions) forecast(opened rollout.Opened, p *plan.Plan, now time.Time, each func(rollout.Event, *rollout.State)) (Forecast, error) {
	clock, err := schedule.Compile(opened.Calendar)
	if err != nil {
		return Forecast{}, fmt.Errorf("the calendar: %w", err)
	}
	world := &World{Fleet: foreseen(opened, p), Starter: a.Starter, Approve: a.approve}
	play := world.play(opened, now, a.Until)
	watch := newWatcher(opened, clock, play.state)
	play.decided = func(rollout.Decision) { watch.decided(play.now) }
	play.each = func(e rollout.Event, s *rollout.State) {
		watch.event(e)
		each(e, s)
	}
	played, err := play.run(opened)
	if err != nil {
		return Forecast{}, err
	}
	end := shown(played, now, play.until)
	return Forecast{
		Rollout: opened.Rollout, Playbook: opened.Playbook, Site: opened.Site, Plan: opened.Plan, Zone: clock.Zone(),
		From: now, Until: play.until, Phase: played.State.Phase(), Shown: end, Waits: played.Waits,
		Ends: watch.last, Reasons: watch.reasons, Rings: watch.finish(end), Assumptions: a.words(opened),
	}, nil
}

// Finished tells whether the rollout comes to its end.
func (f Forecast) Finished() bool { return f.Phase == rollout.PhaseFinished }

// shown: where a rollout stands still, a while behind that is shown, so that one sees
// what it waits for.
func shown(played Played, from, until time.Time) time.Time {
	if played.State.Phase() == rollout.PhaseFinished || played.Cut {
		return played.At
	}
	end := played.At.Add(max(played.At.Sub(from)/4, 6*time.Hour))
	if end.After(until) {
		return until
	}
	return end
}

func (a Assumptions) approve(_ string, asked time.Time) time.Time {
	if a.NotApproved {
		return time.Time{}
	}
	return asked.Add(a.ApprovedAfter)
}

// words say what the forecast takes for granted.
func (a Assumptions) words(opened rollout.Opened) []string {
	out := []string{
		"each host takes as long as planned; nothing fails, and no host, person or other rollout is in the way",
		"patchring is run often enough, or stays (run --wait), so that nothing waits for it",
	}
	asks, soaks, checks := false, false, false
	for _, r := range opened.Rings {
		asks = asks || r.Gate.Approval != nil
		soaks = soaks || r.Gate.Soak != nil
		checks = checks || len(r.Gate.Checks) > 0
	}
	if soaks || checks {
		out = append(out, "every sample of a soak and every check of a gate passes, and takes no time")
	}
	switch {
	case !asks:
	case a.NotApproved:
		out = append(out, "nobody approves")
	case a.ApprovedAfter > 0:
		out = append(out, "an approval is given "+span(a.ApprovedAfter)+" after the rings before have ended")
	default:
		out = append(out, "an approval is given as soon as the rings before have ended")
	}
	if len(opened.Budgets) > 0 {
		out = append(out, "budgets are held by this rollout alone")
	}
	return out
}
