package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/engine/sim"
	"github.com/patchring/patchring/pkg/fault"
)

// Forecast is the document of when everything of a plan would happen: what one shows
// in a change meeting. Times are those of the clock that all the world shares; the text
// and the picture show them on the site's.
type Forecast struct {
	Header
	Playbook string         `json:"playbook"`
	Site     string         `json:"site"`
	Plan     string         `json:"plan"`
	Zone     string         `json:"zone"`
	From     time.Time      `json:"from"`
	Until    time.Time      `json:"until"` // how far it looks
	Finished bool           `json:"finished"`
	Phase    string         `json:"phase"`
	Ends     time.Time      `json:"ends,omitzero"` // of a rollout that finishes
	Rings    []ForecastRing `json:"rings"`
	Waits    []Wait         `json:"waits"`   // of one that does not finish
	Reasons  []string       `json:"reasons"` // why it halts
	Assumes  []string       `json:"assumptions"`
	shown    time.Time      // where the picture ends
	zone     *time.Location // of the site
}

// ForecastRing is one ring. A time that is left out is not foreseen to come.
type ForecastRing struct {
	Name     string            `json:"name"`
	Window   string            `json:"window"` // "any", or its name
	Hosts    int               `json:"hosts"`  // with work
	Idle     int               `json:"hosts_without_work"`
	Asked    time.Time         `json:"gate_asked,omitzero"` // when the rings before have ended
	Opens    time.Time         `json:"gate_opens,omitzero"`
	Begins   time.Time         `json:"begins,omitzero"`
	Ends     time.Time         `json:"ends,omitzero"`
	Waits    []ForecastSpan    `json:"gate_waits"` // may overlap
	Batches  []ForecastBatch   `json:"batches"`
	Openings []ForecastOpening `json:"window_openings"`
	Starved  ForecastStarved   `json:"never_begun"`
}

// ForecastBatch is one batch: its spans follow each other.
type ForecastBatch struct {
	Batch   int            `json:"batch"` // from 1 on
	Hosts   int            `json:"hosts"`
	Started int            `json:"started"`
	Ended   int            `json:"ended"`
	Begins  time.Time      `json:"begins,omitzero"`
	Ends    time.Time      `json:"ends,omitzero"`
	Spans   []ForecastSpan `json:"spans"`
}

// ForecastSpan is a stretch of time and what it is spent on: working, or waiting for
// window, freeze, soak, approval, check, other.
type ForecastSpan struct {
	Kind  string    `json:"kind"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Open  bool      `json:"open"` // it has not ended by then
	Why   string    `json:"why"`
}

// ForecastOpening is one time in which a window is open, and how many hosts are begun in it.
type ForecastOpening struct {
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Started int       `json:"started"`
}

// ForecastStarved are hosts whose turn does not come. A few are named.
type ForecastStarved struct {
	Hosts int      `json:"hosts"`
	Names []string `json:"names"`
	Why   string   `json:"why"`
}

// NewForecast builds the document.
func NewForecast(f sim.Forecast) Forecast {
	d := Forecast{
		Header: header("forecast"), Playbook: clean(f.Playbook), Site: clean(f.Site), Plan: string(f.Plan), Zone: f.Zone.String(),
		From: f.From.UTC(), Until: f.Until.UTC(), Finished: f.Finished(), Phase: string(f.Phase),
		Rings: []ForecastRing{}, Waits: newForecastWaits(f), Reasons: cleanAll(f.Reasons), Assumes: cleanAll(f.Assumptions),
		shown: f.Shown, zone: f.Zone,
	}
	if d.Finished {
		d.Ends = f.Ends.UTC()
	}
	for _, r := range f.Rings {
		d.Rings = append(d.Rings, newForecastRing(r))
	}
	return d
}

func newForecastRing(r sim.Ring) ForecastRing {
	out := ForecastRing{
		Name: clean(r.Name), Window: clean(windowName(r.Window)), Hosts: r.Hosts, Idle: r.Idle,
		Asked: r.Asked.UTC(), Opens: r.Opens.UTC(), Begins: r.Begins.UTC(), Ends: r.Ends.UTC(),
		Waits: newForecastSpans(r.Waits), Batches: []ForecastBatch{}, Openings: []ForecastOpening{},
		Starved: ForecastStarved{Hosts: len(r.Starved), Names: []string{}, Why: clean(r.StarvedReason)},
	}
	for i, b := range r.Batches {
		out.Batches = append(out.Batches, ForecastBatch{
			Batch: i + 1, Hosts: b.Hosts, Started: b.Started, Ended: b.Ended,
			Begins: b.Begins.UTC(), Ends: b.Ends.UTC(), Spans: newForecastSpans(b.Spans),
		})
	}
	for _, o := range r.Openings {
		out.Openings = append(out.Openings, ForecastOpening{o.From.UTC(), o.Until.UTC(), o.Started})
	}
	const named = 20
	for _, id := range r.Starved[:min(named, len(r.Starved))] {
		out.Starved.Names = append(out.Starved.Names, clean(id.String()))
	}
	return out
}

func newForecastSpans(all []sim.Span) []ForecastSpan {
	out := []ForecastSpan{}
	for _, s := range all {
		out = append(out, ForecastSpan{string(s.Kind), s.From.UTC(), s.Until.UTC(), s.Open, clean(s.Why)})
	}
	return out
}

// newForecastWaits says what keeps a rollout from finishing.
func newForecastWaits(f sim.Forecast) []Wait {
	out := []Wait{}
	if f.Finished() {
		return out
	}
	for _, w := range f.Waits {
		text := clean(w.For)
		if w.Ring != "" && !names(text, clean(w.Ring)) {
			text = clean(w.Ring) + ": " + text
		}
		out = append(out, Wait{Ring: clean(w.Ring), For: clean(w.For), Person: w.Person, Until: w.Until.UTC(), Text: text})
	}
	return out
}

// The formats that only a forecast has.
const (
	FormatText Format = "text" // a table and a timeline for a terminal
	FormatSVG  Format = "svg"  // a picture that stands by itself
)

// ForecastFormats lists them in the order in which help shows them.
func ForecastFormats() []Format { return []Format{FormatText, FormatJSON, FormatSVG} }

// ParseForecastFormat reads the value of --format beside --forecast. A table is a text.
func ParseForecastFormat(text string) (Format, error) {
	if text == string(FormatTable) {
		return FormatText, nil
	}
	if slices.Contains(ForecastFormats(), Format(text)) {
		return Format(text), nil
	}
	var all []string
	for _, f := range ForecastFormats() {
		all = append(all, string(f))
	}
	return "", fault.Usagef("use one of: "+strings.Join(all, ", "), "a forecast can't be written as %q", clean(text))
}

// WriteForecast renders a forecast.
func WriteForecast(w io.Writer, d Forecast, f Format, o Options) error {
	switch f {
	case FormatSVG:
		if _, err := io.WriteString(w, d.svg()); err != nil {
			return fmt.Errorf("write the picture: %w", err)
		}
		return nil
	case FormatText, FormatTable:
		return d.writeText(w, o)
	}
	return Write(w, d, f, o)
}
