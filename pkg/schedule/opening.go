package schedule

import (
	"cmp"
	"slices"
	"time"
)

// opening is a stretch in which something may be at work. It ends where the window
// closes, or where the freeze cut begins.
type opening struct {
	from, to int64
	cut      *freeze
}

// window works out its openings around the time it is asked about, and keeps them until
// it is asked about another time. What is asked about comes close together.
type window struct {
	clock  *Clock
	always bool
	rules  []rule
	spans  []opening
	why    string

	open    []opening
	asked   [2]int64 // open answers for these moments and all between them
	longest int64    // of open
	said    said
}

// kept is how long an answer lasts before the openings are worked out again.
const kept = 32 * 24 * time.Hour

// cover makes open reach two Horizons beyond t: something that takes a Horizon may
// start a Horizon from now.
func (w *window) cover(t int64) {
	if t >= w.asked[0] && t < w.asked[1] && w.open != nil {
		return
	}
	const day = int64(24 * time.Hour)
	w.asked = [2]int64{t - day, t + int64(kept)}
	edge := w.asked[1] + 2*int64(Horizon) + day
	w.open = cutOut(merged(w.raw(w.asked[0], edge)), w.clock.freezes)
	w.longest = 0
	for _, o := range w.open {
		w.longest = max(w.longest, o.to-o.from)
	}
}

// raw are the openings between two moments, in no order. They stop at the edge, and so
// must be read as "not foreseen to end" there.
func (w *window) raw(from, edge int64) []opening {
	out := []opening{}
	if w.always {
		return append(out, opening{from: from, to: edge})
	}
	add := func(o opening) {
		if o.to > from && o.from < edge {
			out = append(out, opening{from: o.from, to: min(o.to, edge)})
		}
	}
	for _, o := range w.spans {
		add(o)
	}
	const margin = int64(longestRule/time.Second) + 2*dayLong
	begin, end := wall(from/int64(time.Second)-margin), wall(edge/int64(time.Second)+2*dayLong)
	for _, r := range w.rules {
		for _, d := range r.days {
			for _, date := range d.dates(begin, end) {
				start := nanoOf((date + r.start).first(w.clock.zone))
				add(opening{from: start, to: start + r.long})
			}
		}
	}
	return out
}

// merged joins openings that overlap or touch.
func merged(in []opening) []opening {
	slices.SortFunc(in, func(a, b opening) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	out := in[:0]
	for _, o := range in {
		if n := len(out); n > 0 && o.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, o.to)
			continue
		}
		out = append(out, o)
	}
	return out
}

// cutOut takes the freezes out of the openings; both are disjoint and in order.
func cutOut(in []opening, freezes []freeze) []opening {
	out := make([]opening, 0, len(in))
	i := 0
	for _, o := range in {
		for i < len(freezes) && freezes[i].to <= o.from {
			i++
		}
		for j := i; j < len(freezes) && freezes[j].from < o.to; j++ {
			f := &freezes[j]
			if f.from > o.from {
				out = append(out, opening{from: o.from, to: f.from, cut: f})
			}
			o.from = f.to
		}
		if o.from < o.to {
			out = append(out, o)
		}
	}
	return out
}

// disjoint leaves one freeze for each moment: the one that ends last.
func disjoint(in []freeze) []freeze {
	slices.SortStableFunc(in, func(a, b freeze) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	var out []freeze
	for _, f := range in {
		n := len(out)
		switch {
		case f.from >= f.to: // in a gap of the clock there is nothing to freeze
		case n == 0 || f.from >= out[n-1].to:
			out = append(out, f)
		case f.to <= out[n-1].to: // covered
		case f.why == out[n-1].why:
			out[n-1].to = f.to
		case f.from == out[n-1].from:
			out[n-1] = f
		default:
			out[n-1].to = f.from
			out = append(out, f)
		}
	}
	return out
}
