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
	if at > 0 && asks(w.rings[at-1].Gate.Checks, playbook.WhenAfter) {
		add(closer(r.out.Asked, r.after, end, Check, "checks after ring "+w.rings[at-1].Name))
	}
	out = append(out, w.closed(r.Window, r.out.Asked, opens, plan.Need(r.quickest))...)
	if r.asks {
		add(closer(latest(r.out.Asked, out), r.before, end, Check, "checks before ring "+r.Name))
	}
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

// latest is when the last of all waits is over: only then comes what is asked right
// before the start.
func latest(from time.Time, spans []Span) time.Time {
	for _, s := range spans {
		if s.Until.After(from) {
			from = s.Until
		}
	}
	return from
}

// closed are the times in which a window has no room for something that takes so long.
func (w *watcher) closed(window string, from, until time.Time, need time.Duration) []Span {
	if window == "" || window == schedule.Any {
		need = 0
	}
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
		out = append(out, w.shut(window, t.Truncate(time.Second), end)...)
		t = end
	}
	return out
}

// shut splits a time in which nothing may start into the freezes in it, and the window.
func (w *watcher) shut(window string, from, until time.Time) []Span {
	var out []Span
	for from.Before(until) {
		a := w.clock.At(schedule.Any, from)
		end := until
		if !a.Until.IsZero() && a.Until.Before(until) {
			end = a.Until
		}
		s := Span{Kind: Window, From: from, Until: end, Why: "window " + window}
		if a.Frozen {
			s.Kind, s.Why = Freeze, a.Why
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
	return append(spans, Span{Kind: Other, From: from, Until: until, Why: "held up, by a budget or a host that stepped back"})
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

// starve finds the hosts that are never begun, though it is their ring's turn.
func (w *watcher) starve(r *ringWatch) {
	for _, id := range r.Hosts {
		if _, has := w.at[id]; !has {
			continue
		}
		if h, ok := w.state.Host(id); ok && h.State == rollout.HostWaiting {
			r.out.Starved = append(r.out.Starved, id)
		}
	}
	switch longest := w.clock.Longest(r.Window, w.last); {
	case len(r.out.Starved) == 0:
	case r.Window != "" && plan.Need(r.quickest) > longest:
		r.out.StarvedReason = "window " + r.Window + " is open for " + span(longest) + " at most, and there and back " + span(plan.Need(r.quickest)) + " are needed"
	case r.out.Opens.IsZero():
		r.out.StarvedReason = "the gate does not open"
	default:
		r.out.StarvedReason = "their turn does not come"
	}
}
