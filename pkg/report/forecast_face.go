package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// forecastWidth is that of a timeline where nobody says how wide the terminal is.
const forecastWidth = 80

// writeText draws the timeline as wide as the terminal, and puts the numbers below it.
func (d Forecast) writeText(w io.Writer, o Options) error {
	f := d.face(o.Brief)
	width := o.Width
	if width <= 0 {
		width = forecastWidth
	}
	if err := writeTable(w, face{title: f.title, lines: f.lines, drawn: d.drawn(width)}, o); err != nil {
		return err
	}
	var below strings.Builder
	if err := writeTable(&below, face{sheets: f.sheets, foot: f.foot}, o); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\n"+strings.TrimLeft(below.String(), "\n")); err != nil {
		return fmt.Errorf("write the numbers: %w", err)
	}
	return nil
}

func (d Forecast) face(brief bool) face {
	f := face{
		title: "Forecast for " + d.Playbook + " (site " + d.Site + "), begun " + d.year(d.From) + " " + d.Zone,
		lines: []pair{
			{"Plan", text(shortDigest(d.Plan))},
			{"Ends", d.ends()},
		},
		sheets: []sheet{d.stageSheet(brief), d.openingSheet(brief), d.starvedSheet()},
		drawn:  d.drawn(forecastWidth),
	}
	for _, r := range d.Reasons {
		f.lines = append(f.lines, pair{"Halts", cell{r, bad}})
	}
	for _, w := range d.Waits {
		f.lines = append(f.lines, pair{"Waits for", cell{w.Text, warn}})
	}
	for _, a := range d.Assumes {
		f.foot = append(f.foot, "assumed: "+a)
	}
	return f
}

func (d Forecast) ends() cell {
	if d.Finished {
		return text(d.year(d.Ends) + ", " + afterwards(d.Ends.Sub(d.From)) + " after it was begun")
	}
	return cell{"not foreseen by " + d.year(d.Until), warn}
}

// afterwards is a length for people: "6 days 14h", "45m".
func afterwards(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return orElse(seconds(int64(d/time.Second)), "0s")
	}
	return fmt.Sprintf("%s %dh", count(int(d/day), "day"), int(d%day/time.Hour))
}

// year is a moment on the site's clock, when is the same without the year.
func (d Forecast) year(t time.Time) string { return d.clock(t, "Mon 2006-01-02 15:04") }
func (d Forecast) when(t time.Time) string { return d.clock(t, "Mon 2 Jan 15:04") }

func (d Forecast) clock(t time.Time, layout string) string {
	switch {
	case t.IsZero():
		return "not foreseen"
	case d.zone == nil:
		return t.In(zoneOf(d.Zone)).Format(layout)
	}
	return t.In(d.zone).Format(layout)
}

// stageSheet says of each gate what it waits for, and of each batch when it goes.
func (d Forecast) stageSheet(brief bool) sheet {
	s := sheet{title: "When", group: true, columns: []column{
		{head: "RING", whole: true}, {head: "STEP", whole: true}, {head: "FROM", whole: true}, {head: "UNTIL", whole: true}, {head: "WHAT", least: 14, prose: true},
	}}
	for _, r := range d.Rings {
		for _, w := range r.Waits {
			s.rows = append(s.rows, texts(r.Name, "gate", d.when(w.From), d.until(w), w.Why))
		}
		if opens := d.when(r.Opens); !r.Asked.IsZero() {
			s.rows = append(s.rows, texts(r.Name, "gate", opens, "", "opens"))
		} else {
			s.rows = append(s.rows, texts(r.Name, "gate", "not foreseen", "", "waits for the ring before"))
		}
		s.rows = append(s.rows, d.batchRows(r, brief)...)
	}
	return s
}

func (d Forecast) until(s ForecastSpan) string {
	if s.Open {
		return "not foreseen"
	}
	return d.when(s.Until)
}

func (d Forecast) batchRows(r ForecastRing, brief bool) [][]cell {
	var rows [][]cell
	for i := 0; i < len(r.Batches); i++ {
		first, last := i, i
		if (brief || len(r.Batches) > mostRows) && len(r.Batches) > 2 && i == min(mostRows/2, len(r.Batches)-2) {
			last = max(first, len(r.Batches)-mostRows/2)
		}
		b := r.Batches[first]
		ends := d.when(r.Batches[last].Ends)
		rows = append(rows, texts(r.Name, batchLabel(r.Batches, first, last), d.when(b.Begins), ends, batchWords(r.Batches[first:last+1])))
		i = last
	}
	return rows
}

// batchLabel is e.g. "2/5", or "3-9/12" for several.
func batchLabel(all []ForecastBatch, first, last int) string {
	if first == last {
		return fmt.Sprintf("batch %d/%d", first+1, len(all))
	}
	return fmt.Sprintf("batch %d-%d/%d", first+1, last+1, len(all))
}

// batchWords counts the hosts, and names what they wait for in between.
func batchWords(all []ForecastBatch) string {
	hosts, ended := 0, 0
	var why []string
	seen := map[string]bool{}
	for _, b := range all {
		hosts, ended = hosts+b.Hosts, ended+b.Ended
		for _, s := range b.Spans {
			if s.Kind != "working" && !seen[s.Why] {
				seen[s.Why] = true
				why = append(why, s.Why)
			}
		}
	}
	out := count(hosts, "host")
	switch {
	case ended == 0:
		out += ", not done"
	case ended < hosts:
		out += fmt.Sprintf(", %d of them done", ended)
	}
	if len(why) > 0 {
		out += "; waits for " + strings.Join(why, ", ")
	}
	return out
}

// openingSheet says how many hosts fit into each opening of a window.
func (d Forecast) openingSheet(brief bool) sheet {
	const shown = 12
	s := sheet{title: "Hosts begun in each opening of a window", group: true, columns: []column{
		{head: "RING", whole: true}, {head: "WINDOW", least: 8}, {head: "OPENS", whole: true}, {head: "CLOSES", whole: true}, {head: "HOSTS", right: true},
	}}
	for _, r := range d.Rings {
		n := 0
		for _, o := range r.Openings {
			if brief && o.Started == 0 {
				continue
			}
			if n++; n > shown {
				s.rows = append(s.rows, texts(r.Name, "", "…", "", fmt.Sprint(startedFrom(r.Openings, o))))
				break
			}
			s.rows = append(s.rows, texts(r.Name, r.Window, d.when(o.From), d.when(o.Until), fmt.Sprint(o.Started)))
		}
	}
	return s
}

// startedFrom counts the hosts begun in an opening and all later ones.
func startedFrom(all []ForecastOpening, first ForecastOpening) int {
	n := 0
	for _, o := range all {
		if !o.From.Before(first.From) {
			n += o.Started
		}
	}
	return n
}

func (d Forecast) starvedSheet() sheet {
	s := sheet{title: "Hosts that are not begun", columns: []column{{head: "RING", whole: true}, {head: "HOSTS", right: true}, {head: "WHICH", least: 16}, {head: "WHY", least: 16, prose: true}}}
	for _, r := range d.Rings {
		if r.Starved.Hosts == 0 {
			continue
		}
		which := strings.Join(r.Starved.Names[:min(3, len(r.Starved.Names))], ", ")
		if r.Starved.Hosts > 3 {
			which += fmt.Sprintf(" and %d more", r.Starved.Hosts-3)
		}
		s.rows = append(s.rows, texts(r.Name, fmt.Sprint(r.Starved.Hosts), which, r.Starved.Why))
	}
	return s
}
