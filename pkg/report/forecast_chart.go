package report

import (
	"slices"
	"time"
)

// A chart is the rows of a picture and their common scale, whatever draws it.
type chart struct {
	from, until time.Time
	zone        *time.Location
	rows        []chartRow
}

// chartRow is the gate of a ring, or one or several of its batches.
type chartRow struct {
	ring  string // only in the first row of a ring
	label string
	spans []ForecastSpan
	done  time.Time // from then on it has ended; zero: it has not
	note  string    // its times, where there is room for words
}

// mostRows bounds how many batches of a ring have a row of their own; those in the
// middle share one.
const mostRows = 8

func (d Forecast) chart() chart {
	t := chart{from: d.From, until: d.shown, zone: d.zone}
	if t.zone == nil {
		t.zone = zoneOf(d.Zone)
	}
	if !t.until.After(t.from) {
		t.until = t.from.Add(time.Hour)
	}
	for _, r := range d.Rings {
		gate := chartRow{ring: r.Name, label: "gate", spans: r.Waits, done: r.Opens}
		if !r.Opens.IsZero() {
			gate.note = "opens " + d.when(r.Opens)
		}
		t.rows = append(t.rows, gate)
		t.rows = append(t.rows, d.rowsOf(r.Batches)...)
	}
	return t
}

func (d Forecast) rowsOf(all []ForecastBatch) []chartRow {
	var out []chartRow
	for i := 0; i < len(all); i++ {
		last := i
		if len(all) > mostRows && i == mostRows/2 {
			last = len(all) - mostRows/2
		}
		out = append(out, d.rowOf(all, i, last))
		i = last
	}
	return out
}

// rowOf draws the batches from first through last.
func (d Forecast) rowOf(all []ForecastBatch, first, last int) chartRow {
	row := chartRow{label: batchLabel(all, first, last), done: all[last].Ends}
	for _, b := range all[first : last+1] {
		row.spans = append(row.spans, b.Spans...)
	}
	if begins := all[first].Begins; !begins.IsZero() && !row.done.IsZero() {
		row.note = d.when(begins) + " to " + d.when(row.done)
	}
	return row
}

// at is what a stretch of the scale shows: work, however short, else whatever is first
// in the order of the legend.
func (r chartRow) at(from, until time.Time) string {
	found := ""
	for _, s := range r.spans {
		if s.From.Before(until) && s.Until.After(from) && (found == "" || rankOf(s.Kind) < rankOf(found)) {
			found = s.Kind
		}
	}
	if found == "" && !r.done.IsZero() && !r.done.After(from) {
		return done
	}
	return found
}

// done is what a row shows once all of it has ended.
const done = "done"

// look is how one kind of time is drawn: a letter in the terminal, and a colour and a
// pattern in the picture, so that no colour is needed to tell them apart.
type look struct {
	kind, letter, words, colour string
	tone                        tone
	lines                       string // the pattern, as lines in a square of eight
}

// looks are in the order of the legend; what comes first covers what comes later.
func looks() []look {
	return []look{
		{"working", "#", "working", "#1f6f43", good, ""},
		{"soak", "s", "soak", "#7ea6d9", plain, "M0 8L8 0M-2 2L2 -2M6 10L10 6"},
		{"approval", "a", "approval", "#e0b04c", warn, "M0 0L8 8M-2 6L2 10M6 -2L10 2"},
		{"check", "c", "check", "#b99ad6", plain, "M0 0L8 8M8 0L0 8"},
		{"freeze", "f", "freeze", "#9fd3e6", plain, "M0 4H8M4 0V8"},
		{"window", "w", "window closed", "#d5d5d5", faint, "M0 4H8"},
		{"other", "?", "held up", "#e88b7d", bad, "M4 0V8"},
		{done, "-", "done", "#ffffff", faint, ""},
	}
}

func rankOf(kind string) int {
	for i, l := range looks() {
		if l.kind == kind {
			return i
		}
	}
	return len(looks())
}

func lookOf(kind string) look {
	for _, l := range looks() {
		if l.kind == kind {
			return l
		}
	}
	return look{kind: kind, letter: "?", words: kind, colour: "#e88b7d"}
}

// tick is one mark of the scale.
type tick struct {
	at    time.Time
	label string
}

// ticks are at most so many marks, on round times of the site's clock.
func (t chart) ticks(most int) []tick {
	hours := []int{1, 2, 3, 6, 12}
	for _, h := range hours {
		if int(t.until.Sub(t.from)/(time.Duration(h)*time.Hour))+1 <= most {
			return t.every(h, 0, "15:04")
		}
	}
	for _, days := range []int{1, 2, 7, 14, 28} {
		if int(t.until.Sub(t.from)/(time.Duration(days)*24*time.Hour))+1 <= most {
			return t.every(0, days, "Mon 2 Jan")
		}
	}
	return t.every(0, 91, "2 Jan 2006")
}

// every marks each so many hours or days. The date stands where a day begins.
func (t chart) every(hours, days int, layout string) []tick {
	var out []tick
	begin := t.from.In(t.zone)
	first := begin.Day()
	at := time.Date(begin.Year(), begin.Month(), first, 0, 0, 0, 0, t.zone)
	if days > 0 && at.Before(t.from) {
		first++
		at = time.Date(begin.Year(), begin.Month(), first, 0, 0, 0, 0, t.zone)
	}
	for n := 1; at.Before(t.until); n++ {
		if !at.Before(t.from) {
			label := at.Format(layout)
			if hours > 0 && at.Hour() < hours {
				label = at.Format("Mon 2 Jan")
			}
			out = append(out, tick{at, label})
		}
		at = time.Date(begin.Year(), begin.Month(), first+n*days, n*hours, 0, 0, 0, t.zone)
	}
	return out
}

// inOrder sorts moments and leaves each once.
func inOrder(all []time.Time) []time.Time {
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}
