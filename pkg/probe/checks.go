package probe

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/remote"
)

// The time between two rounds: short at first, for what is just coming up.
const (
	shortest = time.Second
	longest  = 10 * time.Second
)

// Checks asks the checks of one host until each has passed or its time is over, and
// gives the last answer to each, in their order. A round asks only what has not
// passed yet: the host in one exec (and one more as root, where a command check
// wants that), the controller's own questions meanwhile. What could not be asked
// is Unknown.
//
// Before is the state before the work, for a default_diff, which gives one result a
// section of the state; nil means that there is none, and its verdict is Unknown.
func Checks(ctx context.Context, on Sessions, checks []health.Check, vars health.Vars, before *fact.Snapshot) []health.Result {
	p := newProber(on, checks, vars, before)
	for pause := shortest; ; pause = min(2*pause, longest) {
		p.round(ctx)
		rest, more := p.rest(pause)
		if !more || !sleep(ctx, rest) {
			break
		}
	}
	return p.results()
}

type prober struct {
	on        Sessions
	vars      health.Vars
	before    *fact.Snapshot
	began     time.Time
	questions []*question
	lost      bool // a round lost its connection, or did not get one
}

func newProber(on Sessions, checks []health.Check, vars health.Vars, before *fact.Snapshot) *prober {
	p := &prober{on: on, vars: vars, before: before, began: time.Now()}
	for _, c := range checks {
		p.questions = append(p.questions, p.question(c))
	}
	return p
}

func (p *prober) results() []health.Result {
	var results []health.Result
	for _, q := range p.questions {
		results = append(results, q.results...)
	}
	return results
}

// question is one check and what is known of it.
type question struct {
	check   health.Check
	until   time.Time
	tries   int
	settled bool // it is not asked again
	unheard bool // the connection was gone when it was asked last
	results []health.Result
}

// question settles at once what can never be asked.
func (p *prober) question(c health.Check) *question {
	q := &question{check: c, until: p.began.Add(c.Patience())}
	q.unknown("patchring was stopped before it was asked")
	switch _, err := c.Fill(p.vars); {
	case err != nil:
		q.settle(remote.Clean(err.Error(), 300))
	case c.DefaultDiff && p.before == nil:
		q.settle("there is no state before to compare with")
	}
	return q
}

func (q *question) unknown(why string) {
	q.results = []health.Result{{Check: health.CheckName(q.check), Seen: why, Tries: q.tries}}
}

func (q *question) settle(why string) {
	q.settled = true
	q.unknown(why)
}

// answer takes what was said; a pass is not asked again.
func (q *question) answer(results ...health.Result) {
	for i := range results {
		results[i].Tries = q.tries
	}
	q.results = results
	q.settled = health.Worst(results) == health.Pass
}

// open are the questions that are still asked and fit. Fit comes first: what does not fit
// may be being asked, and answered, at this moment.
func (p *prober) open(fit func(health.Check) bool) []*question {
	return slices.DeleteFunc(slices.Clone(p.questions), func(q *question) bool { return !fit(q.check) || q.settled })
}

// round asks everything that is open once.
func (p *prober) round(ctx context.Context) {
	here := p.open(func(c health.Check) bool { return !c.OnHost() })
	var all sync.WaitGroup
	defer all.Wait()
	for _, q := range here {
		all.Go(func() {
			q.tries++
			verdict, seen := p.fromHere(ctx, q.check)
			if ctx.Err() == nil {
				q.answer(health.Result{Check: health.CheckName(q.check), Verdict: verdict, Seen: seen})
			}
		})
	}
	if w := watchOf(p.on); w != nil {
		p.askDevice(ctx, w)
		return
	}
	there := p.open(func(c health.Check) bool { return c.OnHost() && !c.AsRoot() })
	p.askHost(ctx, there, false)
	asRoot := p.open(func(c health.Check) bool { return c.OnHost() && c.AsRoot() })
	p.askHost(ctx, asRoot, true)
}

// askDevice reads a device's state for its diff; nothing else that asks the host itself
// can be asked of it.
func (p *prober) askDevice(ctx context.Context, w *health.Watch) {
	for _, q := range p.open(func(c health.Check) bool { return c.OnHost() && !c.DefaultDiff }) {
		q.settle("a device runs no programs: let the controller ask (from: controller), or leave the device out of this check")
	}
	for _, q := range p.open(func(c health.Check) bool { return c.DefaultDiff }) {
		q.tries++
		after, err := p.state(ctx, w)
		p.hearing(q, err)
		switch {
		case ctx.Err() != nil:
			return // what the last whole round said stands
		case err != nil && final(err):
			q.settle(explain(err))
		case err != nil:
			q.unknown(explain(err))
		case len(after.Sections) == 0:
			q.answer(health.Result{Check: health.CheckName(q.check), Seen: "nothing is known to compare on this platform"})
		default:
			q.answer(health.Diff(*p.before, after)...)
		}
	}
}

func (p *prober) state(ctx context.Context, w *health.Watch) (fact.Snapshot, error) {
	session, release, err := p.on.Session(ctx)
	if err != nil {
		return fact.Snapshot{}, err //nolint:wrapcheck // already a *fault.Error that says what happened
	}
	defer release()
	after, err := watch(ctx, session, w, time.Now())
	if err != nil && !final(err) {
		p.on.Drop()
	}
	return after, err
}

// askHost asks the host all of these in one exec.
func (p *prober) askHost(ctx context.Context, open []*question, root bool) {
	if len(open) == 0 || ctx.Err() != nil {
		return
	}
	round := health.Round{Nonce: rand.Text(), Vars: p.vars, Become: root}
	for _, q := range open {
		q.tries++
		round.Checks = append(round.Checks, q.check)
	}
	answers, err := p.exec(ctx, round)
	if ctx.Err() != nil {
		return // what the last whole round said stands
	}
	for i, q := range open {
		p.hearing(q, err)
		switch {
		case err != nil && final(err):
			q.settle(explain(err))
		case err != nil:
			q.unknown(explain(err))
		case q.check.DefaultDiff:
			q.answer(health.Diff(*p.before, answers.Snapshot)...)
		default:
			q.answer(answers.Results[i])
		}
	}
}

func (p *prober) exec(ctx context.Context, round health.Round) (health.Answers, error) {
	session, release, err := p.on.Session(ctx)
	if err != nil {
		return health.Answers{}, err //nolint:wrapcheck // already a *fault.Error that says what happened
	}
	defer release()
	answers, err := ask(ctx, session, round, time.Now())
	if err != nil && !final(err) {
		p.on.Drop() // whatever is wrong with this connection, the next round gets a new one
	}
	return answers, err
}

// rest is how long to wait: the pause, but no question misses its last moment.
func (p *prober) rest(pause time.Duration) (time.Duration, bool) {
	now := time.Now()
	more := false
	for _, q := range p.questions {
		switch {
		case q.settled:
		case !now.Before(q.until):
			q.settled = true
		default:
			more = true
			pause = min(pause, q.until.Sub(now))
		}
	}
	return pause, more
}

// sleep is false when patchring is being stopped.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// final tells that asking again changes nothing, or must not be tried: a wrong key
// tried again and again locks an account.
func final(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.GiveUp || kind == fault.Ask
}

func explain(err error) string {
	text := "the host can't be asked: " + err.Error()
	if hint := fault.HintOf(err); hint != "" {
		text += " (" + hint + ")"
	}
	return remote.Clean(text, 400)
}
