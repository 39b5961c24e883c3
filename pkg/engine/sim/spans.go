package sim

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// finish works out what was waited for: by the calendar and by what the gates ask for,
// not by what the rollout said of itself.
func (w *watcher) finish(end time.Time) []Ring {
	var out []Ring
	for i, r := range w.rings {
		if !r.out.Asked.IsZero() {
			r.out.Waits = w.gateSpans(i, end)
			r.out.Openings = w.openings(r, end)
		}
		for _, b := range r.batches {
			b.Spans = w.fill(r, b, end)
			r.out.Batches = append(r.out.Batches, b.Batch)
		}
		w.starve(r)
		out = append(out, r.out)
	}
	return out
}

// closer is when a wait is over: at end where it is not.
func closer(from, until, end time.Time, kind Kind, why string) (Span, bool) {
	s := Span{Kind: kind, From: from, Until: until, Why: why}
	if until.IsZero() {
		s.Until, s.Open = end, true
	}
	return s, s.Until.After(s.From)
}

// gateSpans are what a ring's gate waited for.
func (w *watcher) gateSpans(at int, end time.Time) []Span {
	r := w.rings[at]
	opens := r.out.Opens
	if opens.IsZero() {
		opens = end
	}
	var out []Span
	add := func(s Span, is bool) {
		if is {
			out = append(out, s)
		}
	}
	if r.Gate.Soak != nil && (!r.soaked.IsZero() || r.out.Opens.IsZero()) {
		add(closer(r.out.Asked, r.soaked, end, Soak, "soak of "+span(r.Gate.Soak.For)))
	}
	if r.Gate.Approval != nil {
		out = append(out, r.unapproved(opens)...)
	}
	for _, earlier := range w.rings[:at] {
		if !earlier.out.Opens.IsZero() && asks(earlier.Gate.Checks, playbook.WhenAfter) {
			add(closer(r.out.Asked, earlier.after, end, Check, "checks after ring "+earlier.Name))
		}
	}
	out = append(out, w.closed(r.Window, r.out.Asked, opens, plan.Need(r.quickest))...)
	out = append(out, r.holes(out, opens)...)
	if r.out.Opens.IsZero() {
		for i := range out {
			out[i].Open = out[i].Open || out[i].Until.Equal(end)
		}
	}
	return out
}

// unapproved are the times in which too few approvals held: none was given yet, or they
// had run out before the rest was met.
func (r *ringWatch) unapproved(until time.Time) []Span {
	edges := []time.Time{r.out.Asked, until}
	for _, g := range r.approved {
		edges = append(edges, g.from, g.until)
	}
	slices.SortFunc(edges, time.Time.Compare)
	var out []Span
	for i, at := range edges[:len(edges)-1] {
		next := edges[i+1]
		if at.Before(r.out.Asked) || next.After(until) || !next.After(at) || r.approvals(at) >= r.Gate.Approval.Count {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Until.Equal(at) {
			out[n-1].Until = next
			continue
		}
		out = append(out, Span{Kind: Approval, From: at, Until: next, Why: "approval by " + r.Gate.Approval.Approvers})
	}
	return out
}

// approvals counts the people whose word holds at a time.
func (r *ringWatch) approvals(at time.Time) int {
	who := map[string]bool{}
	for _, g := range r.approved {
		if !g.from.After(at) && g.until.After(at) {
			who[g.as] = true
		}
	}
	return len(who)
}

func asks(checks []playbook.Inquiry, when playbook.When) bool {
	return slices.ContainsFunc(checks, func(q playbook.Inquiry) bool { return q.When == when || q.When == playbook.WhenBoth })
}

// holes are the times in which nothing else was missing. Only then the questions are
// asked that are asked right before the start.
func (r *ringWatch) holes(waits []Span, until time.Time) []Span {
	hole := Span{Kind: Check, Why: "checks before ring " + r.Name}
	switch {
	case r.asks:
	case r.out.Opens.IsZero(): // it never will, and the rollout says why
		return nil
	default:
		hole = Span{Kind: Other, Why: heldUp}
	}
	var out []Span
	at := r.out.Asked
	for _, s := range slices.SortedFunc(slices.Values(waits), func(a, b Span) int { return a.From.Compare(b.From) }) {
		if s.From.Sub(at) >= time.Second {
			hole.From, hole.Until = at, s.From
			out = append(out, hole)
		}
		if s.Until.After(at) {
			at = s.Until
		}
	}
	if until.Sub(at) >= time.Second {
		hole.From, hole.Until = at, until
		out = append(out, hole)
	}
	return out
}

// heldUp is why something waits that nothing foreseen holds up.
const heldUp = "held up, by a budget or a host that stepped back"

// closed are the times in which a window has no room for something that takes so long.
func (w *watcher) closed(window string, from, until time.Time, need time.Duration) []Span {
	var out []Span
	for t := from; t.Before(until); {
		a := w.clock.Fits(window, t, need)
		if a.Open {
			if a.Until.IsZero() {
				break
			}
			if t = a.Until; need > 0 {
				t = t.Add(1) // at that moment it still fits
			}
			continue
		}
		end := until
		if !a.Until.IsZero() && a.Until.Before(until) {
			end = a.Until
		}
		out = append(out, w.shut(window, a, t.Truncate(time.Second), end)...)
		t = end
	}
	return out
}

// shut splits a time in which nothing may start into the freezes in it, and the window.
// no is the answer for its beginning: what has no room before a freeze waits for that.
func (w *watcher) shut(window string, no schedule.Answer, from, until time.Time) []Span {
	var out []Span
	for from.Before(until) {
		a := w.clock.At(schedule.Any, from)
		end := until
		if !a.Until.IsZero() && a.Until.Before(until) {
			end = a.Until
		}
		s := Span{Kind: Window, From: from, Until: end, Why: "window " + window}
		switch {
		case a.Frozen:
			s.Kind, s.Why = Freeze, a.Why
		case no.Frozen && len(out) == 0:
			s.Kind, s.Why = Freeze, no.Why
		}
		out, from = append(out, s), end
	}
	return out
}

// fill says what a batch waits for where it does not work.
func (w *watcher) fill(r *ringWatch, b *batchWatch, end time.Time) []Span {
	if b.Ready.IsZero() {
		return b.Spans
	}
	var out []Span
	at := b.Ready
	for i, s := range b.Spans {
		out = append(out, w.gap(r, b.needs[i], at, s.From)...)
		if s.Open {
			s.Until = end
		}
		out, at = append(out, s), s.Until
	}
	if b.Ended < b.Hosts && b.working == 0 {
		out = append(out, w.gap(r, b.needs[len(b.Spans)], at, end)...)
		if n := len(out); n > 0 && out[n-1].Kind != Working {
			out[n-1].Open = true
		}
	}
	return out
}

// gap is time in which a batch that is ready does not work: the window is closed, or
// something holds it up that nobody foresaw.
func (w *watcher) gap(r *ringWatch, takes time.Duration, from, until time.Time) []Span {
	var out []Span
	for _, s := range w.closed(r.Window, from, until, plan.Need(takes)) {
		if s.From.Before(from) {
			s.From = from
		}
		out = between(out, from, s.From)
		out, from = append(out, s), s.Until
	}
	return between(out, from, until)
}

// between says so where a stretch of time has no known reason.
func between(spans []Span, from, until time.Time) []Span {
	if until.Sub(from) < time.Second {
		return spans
	}
	return append(spans, Span{Kind: Other, From: from, Until: until, Why: heldUp})
}

// openings are the times in which the window of a ring is open, from when it is the
// ring's turn until it has ended, with the hosts begun in each.
func (w *watcher) openings(r *ringWatch, end time.Time) []Opening {
	if r.Window == "" || r.Window == schedule.Any {
		return nil
	}
	if !r.out.Ends.IsZero() {
		end = r.out.Ends
	}
	out := []Opening{}
	for t := r.out.Asked; !t.After(end); {
		a := w.clock.Fits(r.Window, t, 0)
		if a.Until.IsZero() {
			break
		}
		if a.Open {
			out = append(out, Opening{From: t, Until: a.Until})
		}
		t = a.Until
	}
	i := 0
	for _, s := range r.starts {
		for i < len(out)-1 && !s.at.Before(out[i].Until) {
			i++
		}
		if i < len(out) {
			out[i].Started += s.n
		}
	}
	return out
}

// starve finds the hosts that are never begun.
func (w *watcher) starve(r *ringWatch) {
	slowest := time.Duration(0)
	for _, id := range r.Hosts {
		h, ok := w.state.Host(id)
		if _, has := w.at[id]; !has || !ok || h.State != rollout.HostWaiting {
			continue
		}
		r.out.Starved = append(r.out.Starved, id)
		slowest = max(slowest, w.opened.Takes[id.String()])
	}
	need, longest := plan.Need(slowest), w.clock.Longest(r.Window, w.last)
	switch {
	case len(r.out.Starved) == 0:
	case r.Window != "" && need > longest:
		r.out.StarvedReason = "window " + r.Window + " is open for " + span(longest) + " at most, and one of them needs " + span(need) + " there and back"
	case r.out.Opens.IsZero():
		r.out.StarvedReason = "the gate does not open"
	default:
		r.out.StarvedReason = "their turn does not come"
	}
}
