package schedule

import (
	"slices"
	"time"
)

// Clock answers questions to a Calendar. It remembers what it worked out, so it is not
// safe for concurrent use. The zero value, which no calendar made, closes everything.
type Clock struct {
	zone    *time.Location
	windows map[string]*window // Any and "" are in it
	freezes []freeze           // disjoint, in order
}

// Zone is the site's. It is never nil.
func (c *Clock) Zone() *time.Location {
	if c == nil || c.zone == nil {
		return time.UTC
	}
	return c.zone
}

// At tells whether the window is open at t. A window that the calendar does not have is
// closed for ever.
func (c *Clock) At(window string, t time.Time) Answer { return c.Fits(window, t, 0) }

// Fits tells whether something that takes as long as need may start at t: the window
// is open and no freeze holds, and both stay so until it has ended. Until of a no is the
// next moment at which it may; of a yes, the last moment at which it still could start
// (where it takes no time at all, the moment at which it no longer can).
//
// Why and Frozen of a no tell what holds at t, a freeze before the window. Whoever
// overrides a window asks for Any instead: freezes still hold.
func (c *Clock) Fits(window string, t time.Time, need time.Duration) Answer {
	w := c.find(window)
	if w == nil {
		return Answer{Why: "no window " + clip(window) + " in the site"}
	}
	now := nano(t)
	w.cover(now)
	return w.fits(now, int64(min(max(need, 0), Horizon)))
}

// Longest is the longest time without a break in which the window is open and nothing
// frozen, of all openings that begin within Horizon of t. Horizon itself means: it does
// not end. What takes longer never fits, and the rest does: Fits agrees.
func (c *Clock) Longest(window string, t time.Time) time.Duration {
	w := c.find(window)
	if w == nil {
		return 0
	}
	now := nano(t)
	w.cover(now)
	return time.Duration(w.longestFrom(now))
}

func (c *Clock) find(name string) *window {
	if c == nil {
		return nil
	}
	return c.windows[name]
}

func (w *window) fits(now, need int64) Answer {
	i := w.next(now)
	if i == len(w.open) || w.open[i].from > now {
		return w.closed(i, now, need)
	}
	o := &w.open[i]
	if o.to-now < need {
		return w.tooShort(i, now, need)
	}
	return Answer{Open: true, Until: within(now, o.to-need), Why: w.why}
}

// next is the first opening that has not ended at now.
func (w *window) next(now int64) int {
	low, high := 0, len(w.open)
	for low < high {
		middle := (low + high) / 2
		if w.open[middle].to <= now {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// later is the beginning of the first opening of those from the i-th on that is long enough.
func (w *window) later(i int, now, need int64) time.Time {
	if need > w.longest {
		return time.Time{}
	}
	for ; i < len(w.open); i++ {
		if o := &w.open[i]; o.to-o.from >= need {
			return within(now, o.from)
		}
	}
	return time.Time{}
}

func (w *window) closed(i int, now, need int64) Answer {
	out := Answer{Until: w.later(i, now, need), Why: w.why}
	if f := w.clock.frozen(now); f != nil {
		out.Frozen, out.Why = true, f.why
	} else if out.Until.IsZero() {
		out.Why = w.said.words(refusal{has: w.longestFrom(now), need: need, why: w.why, never: true})
	}
	return out
}

func (w *window) tooShort(i int, now, need int64) Answer {
	o := &w.open[i]
	out := Answer{Until: w.later(i+1, now, need)}
	why := w.why
	if o.cut != nil {
		out.Frozen, why = true, o.cut.why
	}
	out.Why = w.said.words(refusal{has: o.to - now, need: need, why: why})
	return out
}

func (w *window) longestFrom(now int64) int64 {
	var longest int64
	for i := w.next(now); i < len(w.open); i++ {
		o := &w.open[i]
		if o.from > now+int64(Horizon) {
			break
		}
		longest = max(longest, o.to-max(o.from, now))
	}
	return min(longest, int64(Horizon))
}

// frozen is the freeze that holds at now.
func (c *Clock) frozen(now int64) *freeze {
	i, _ := slices.BinarySearchFunc(c.freezes, now, func(f freeze, t int64) int {
		if f.to <= t {
			return -1
		}
		return 1
	})
	if i == len(c.freezes) || c.freezes[i].from > now {
		return nil
	}
	return &c.freezes[i]
}

// within leaves out what lies beyond the horizon.
func within(now, then int64) time.Time {
	if then > now+int64(Horizon) {
		return time.Time{}
	}
	return moment(then)
}
