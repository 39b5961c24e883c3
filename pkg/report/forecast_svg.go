package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// The picture stands by itself: no script, no file or font from elsewhere, a ground of
// its own so that it reads on a light and a dark page, and patterns and letters beside
// the colours so that it reads in print.

// Measures of the picture, in its own units.
const (
	svgWidth  = 1120
	svgLeft   = 250 // of the timeline
	svgTop    = 96
	svgRow    = 22
	svgRight  = 24
	svgInk    = "#1c1c1c"
	svgGround = "#ffffff"
	svgFaint  = "#8a8a8a"
)

// svg draws the timeline.
func (d Forecast) svg() string {
	t := d.chart()
	p := &picture{chart: t, height: svgTop + svgRow*len(t.rows) + 44}
	notes := d.notes()
	p.height += 18 * len(notes)
	p.begin(d)
	p.scale()
	for i, r := range t.rows {
		p.row(i, r)
	}
	p.legend(svgTop + svgRow*len(t.rows) + 24)
	for i, n := range notes {
		p.text(16, svgTop+svgRow*len(t.rows)+52+18*i, "", n)
	}
	p.out.WriteString("</svg>\n")
	return p.out.String()
}

// notes stand below the picture: what keeps it from finishing, and what is assumed.
func (d Forecast) notes() []string {
	var out []string
	for _, r := range d.Reasons {
		out = append(out, "halts: "+r)
	}
	for _, w := range d.Waits {
		out = append(out, "waits for: "+w.Text)
	}
	for _, r := range d.Rings {
		if r.Starved.Hosts > 0 {
			out = append(out, r.Name+": "+count(r.Starved.Hosts, "host")+" not begun: "+r.Starved.Why)
		}
	}
	for _, a := range d.Assumes {
		out = append(out, "assumed: "+a)
	}
	var lines []string
	for _, n := range out {
		lines = append(lines, wrap(n, 150, 3)...)
	}
	return lines
}

type picture struct {
	chart
	out    strings.Builder
	height int
}

func (p *picture) printf(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

// escaped is a text as it may stand in XML.
func escaped(text string) string {
	var out strings.Builder
	if err := xml.EscapeText(&out, []byte(clean(text))); err != nil {
		return ""
	}
	return out.String()
}

func (p *picture) text(x, y int, more, text string) {
	p.printf(`<text x="%d" y="%d" fill="%s"%s>%s</text>`, x, y, svgInk, more, escaped(text))
}

func (p *picture) begin(d Forecast) {
	title := "Forecast for " + d.Playbook + " (site " + d.Site + ")"
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" font-family="sans-serif" font-size="13">`, svgWidth, p.height, svgWidth, p.height)
	p.printf(`<title>%s</title>`, escaped(title))
	p.printf(`<desc>%s</desc>`, escaped("from "+d.year(d.From)+" to "+d.clock(d.shown, "Mon 2006-01-02 15:04")+" "+d.Zone))
	p.printf("<defs>")
	for _, l := range looks() {
		p.printf(`<pattern id="k-%s" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="%s"/><path d="%s" stroke="%s" stroke-width="1" fill="none"/></pattern>`, l.kind, l.colour, l.lines, svgInk)
	}
	p.printf("</defs>")
	p.printf(`<rect width="%d" height="%d" fill="%s"/>`, svgWidth, p.height, svgGround)
	p.text(16, 26, ` font-size="17" font-weight="bold"`, title)
	ends := "does not finish by " + d.year(d.Until)
	if d.Finished {
		ends = "ends " + d.year(d.Ends)
	}
	p.text(16, 48, "", "begun "+d.year(d.From)+", "+ends+", "+d.Zone+", plan "+shortDigest(d.Plan))
}

// x is where a moment stands, in tenths.
func (p *picture) x(t time.Time) float64 {
	const wide = svgWidth - svgLeft - svgRight
	share := float64(t.Sub(p.from)) / float64(p.until.Sub(p.from))
	return svgLeft + wide*min(1, max(0, share))
}

func (p *picture) scale() {
	bottom := svgTop + svgRow*len(p.rows)
	for _, k := range p.ticks(10) {
		x := p.x(k.at)
		p.printf(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s" stroke-width="0.6"/>`, x, svgTop-12, x, bottom, svgFaint)
		if x < svgWidth-80 {
			p.printf(`<text x="%.1f" y="%d" fill="%s" font-size="12">%s</text>`, x+3, svgTop-14, svgInk, escaped(k.label))
		}
	}
}

func (p *picture) row(i int, r chartRow) {
	top := svgTop + svgRow*i
	if r.ring != "" {
		p.text(16, top+15, ` font-weight="bold"`, Truncate(r.ring, 16))
		p.printf(`<line x1="16" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="0.6"/>`, top, svgWidth-svgRight, top, svgFaint)
	}
	p.text(140, top+15, "", r.label)
	bars := r.bars()
	for _, s := range bars {
		p.bar(top, s)
	}
	p.note(top, r, bars)
	if !r.done.IsZero() && !r.done.After(p.until) {
		x := p.x(r.done)
		p.printf(`<path class="done" d="M%.1f %dv%d" stroke="%s" stroke-width="2.5"/>`, x, top+2, svgRow-4, svgInk)
	}
}

// note writes the times of a row behind it, or before it, where there is room.
func (p *picture) note(top int, r chartRow, bars []ForecastSpan) {
	room := float64(16 + 6*len(r.note))
	first, last := p.x(r.done), p.x(r.done)
	if len(bars) > 0 {
		first = p.x(bars[0].From)
	}
	switch {
	case r.note == "":
	case last+room < svgWidth:
		p.printf(`<text x="%.1f" y="%d" fill="%s" font-size="11">%s</text>`, last+6, top+15, svgInk, escaped(r.note))
	case first-room > svgLeft:
		p.printf(`<text x="%.1f" y="%d" fill="%s" font-size="11" text-anchor="end">%s</text>`, first-6, top+15, svgInk, escaped(r.note))
	}
}

// bar is one stretch, with its letter where it has room, and what it is for those who
// point at it.
func (p *picture) bar(top int, s ForecastSpan) {
	const least = 2
	x, l := p.x(s.From), lookOf(s.Kind)
	wide := max(least, p.x(s.Until)-x)
	p.printf(`<g class="%s"><title>%s</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="url(#k-%s)" stroke="%s" stroke-width="0.8"/>`,
		l.kind, escaped(p.tells(s)), x, top+4, wide, svgRow-8, l.kind, svgInk)
	if wide > 16 && l.kind != "working" {
		p.printf(`<rect x="%.1f" y="%d" width="10" height="%d" fill="%s"/><text x="%.1f" y="%d" font-size="11" fill="%s">%s</text>`,
			x+2, top+6, svgRow-12, svgGround, x+4, top+15, svgInk, l.letter)
	}
	p.printf("</g>")
}

func (p *picture) tells(s ForecastSpan) string {
	const layout = "Mon 2006-01-02 15:04"
	what := lookOf(s.Kind).words
	if s.Why != "" && !strings.HasPrefix(s.Why, what) {
		what += ": " + s.Why
	}
	until := " to " + s.Until.In(p.zone).Format(layout)
	if s.Open {
		until = ", with no end in sight"
	}
	return what + ", " + s.From.In(p.zone).Format(layout) + until
}

// bars cuts what overlaps: of two things that are waited for, the first of the legend
// is drawn.
func (r chartRow) bars() []ForecastSpan {
	var edges []time.Time
	for _, s := range r.spans {
		edges = append(edges, s.From, s.Until)
	}
	edges = inOrder(edges)
	var out []ForecastSpan
	for i := 1; i < len(edges); i++ {
		best := -1
		for j, s := range r.spans {
			if !s.From.After(edges[i-1]) && !s.Until.Before(edges[i]) && (best < 0 || rankOf(s.Kind) < rankOf(r.spans[best].Kind)) {
				best = j
			}
		}
		if best < 0 {
			continue
		}
		s := r.spans[best]
		s.From, s.Until = edges[i-1], edges[i]
		if n := len(out); n > 0 && out[n-1].Until.Equal(s.From) && out[n-1].Kind == s.Kind && out[n-1].Why == s.Why {
			out[n-1].Until = s.Until
			continue
		}
		out = append(out, s)
	}
	return out
}

func (p *picture) legend(y int) {
	x := 16
	for _, l := range looks() {
		if l.kind == done {
			p.printf(`<path d="M%d %dv14" stroke="%s" stroke-width="2.5"/>`, x+13, y-11, svgInk)
		} else {
			p.printf(`<rect x="%d" y="%d" width="26" height="14" fill="url(#k-%s)" stroke="%s" stroke-width="0.8"/>`, x, y-11, l.kind, svgInk)
		}
		words := l.letter + " " + l.words
		if l.kind == done {
			words = l.words
		}
		p.text(x+32, y, "", words)
		x += 48 + 8*len(words)
	}
}
