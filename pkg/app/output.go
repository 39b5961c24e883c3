package app

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/view"
)

// print writes a document to Out: JSON where that was asked for, else as tables that
// fit the terminal.
func (e Env) print(o Options, d report.Document) error { return e.printBrief(o, d, false) }

// printBrief leaves out of a table, if brief, what needs nobody's attention.
func (e Env) printBrief(o Options, d report.Document, brief bool) error {
	format := report.FormatTable
	if o.JSON {
		format = report.FormatJSON
	}
	return e.write(e.Out, d, format, brief)
}

func (e Env) write(w io.Writer, d report.Document, f report.Format, brief bool) error {
	return report.Write(w, e.quietDocument(d), f, report.Options{Width: e.tableWidth(), Colour: e.Color, Brief: brief}) //nolint:wrapcheck // says what to do
}

// pipeWidth is how wide tables are where nobody's terminal says.
const pipeWidth = 120

func (e Env) tableWidth() int {
	if e.Width > 0 {
		return e.Width
	}
	return pipeWidth
}

// progress shows how far a look at many hosts is.
func (e Env) progress(verb string, total int) *view.Counter {
	var width func() int
	if e.ErrTTY {
		width = e.tableWidth
	}
	return view.NewCounter(e.Err, verb, total, width)
}

// watcher shows a run while it goes, and tells the performer what was journaled.
type watcher struct {
	view  view.View
	quiet *secret.Filter // of all that the view is told: it wraps and cuts
	learn func(rollout.Event, *rollout.State)
	beat  *heartbeat // nil: the view shows progress itself, or nobody reads it
}

func (e Env) watch(o Options) *watcher {
	zone := e.Now().Location()
	w := &watcher{quiet: e.Secrets.Filter}
	switch {
	case o.JSON:
		w.view = view.NewJSON(e.Out)
	case e.OutTTY && !e.Plain:
		size := func() (int, int) { return e.Width, e.Height }
		if e.Size != nil {
			size = e.Size
		}
		w.view = view.NewLive(view.LiveOptions{Out: e.Out, Size: size, Clock: e.Now, Colour: e.Color, Zone: zone})
	default:
		w.view = view.NewLines(e.Out, zone)
		w.beat = startHeartbeat(e.Now, w.note)
	}
	return w
}

// observe is the engine's observer.
func (w *watcher) observe(event rollout.Event, s *rollout.State) {
	if w.learn != nil {
		w.learn(event, s)
	}
	if w.beat != nil {
		w.beat.event(event)
	}
	w.show(event, s)
}

// show tells the view of an event, without known secrets.
func (w *watcher) show(event rollout.Event, s *rollout.State) {
	w.view.Event(quieted(w.quiet, event), quietState{s, w.quiet})
}

func (w *watcher) note(at time.Time, text string) { w.view.Tell(view.Note(at, w.quiet.Text(text))) }

func (w *watcher) progress(host fact.HostID, step platform.StepID, line string) {
	line = w.quiet.Text(line)
	if w.beat != nil {
		w.beat.progress(host, line)
	}
	w.view.Tell(view.Progress(host, step, line))
}

// idle says what a run that stays is waiting for.
func (w *watcher) idle(at time.Time, waits []rollout.Wait) {
	for _, wait := range waits {
		w.note(at, "waiting: "+strings.TrimSpace(wait.Ring+" "+wait.For))
	}
}

func (w *watcher) close(final report.Document) error {
	if w.beat != nil {
		w.beat.end()
	}
	if err := w.view.Close(quieted(w.quiet, final)); err != nil {
		return fmt.Errorf("show the run: %w", err)
	}
	return nil
}
