package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/engine/local"
	"github.com/patchring/patchring/pkg/hook"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// carry runs the engine on a rollout that is open and locked, and concludes.
func (e Env) carry(ctx context.Context, o RunOptions, f *fleet, r *openRollout) (Ending, error) {
	e.sayDamage(r)
	watch := e.watch(o.Options)
	if err := r.greet(ctx, watch); err != nil {
		_ = watch.close(nil) // the journal's error is the one to show
		return Ending{}, err
	}
	state, waits, err := e.engine(o, f, r, watch).Run(ctx, e.Stop)
	if err != nil {
		_ = watch.close(nil) // the engine's error is the one to show
		return Ending{}, err //nolint:wrapcheck // says what still runs where
	}
	r.state = state
	r.state.Trust(o.voucher(state.Opening()))
	e.takeOver(ctx, o.Options, r)
	source, err := e.sourceOf(ctx, r, waits)
	if err != nil {
		_ = watch.close(nil)
		return Ending{}, err
	}
	source.Detailed = o.Detailed
	doc := e.quietDocument(report.NewRollout(source))
	// The files first: a reader of our output that is stuck must not cost them.
	if err := errors.Join(leaveReports(r, doc, o.JUnit), watch.close(doc)); err != nil {
		return Ending{}, err
	}
	e.unmarkOver(ctx, o.Options, f, r)
	if !o.JSON {
		e.say("journal and report: %s", r.Dir)
	}
	return e.endingOf(source), nil
}

// greet shows the events of a rollout that this process has opened itself, which
// were journaled before the engine began.
func (r *openRollout) greet(ctx context.Context, watch *watcher) error {
	if !r.fresh {
		return nil
	}
	events, err := r.events(ctx)
	for _, event := range events {
		watch.show(event, r.state)
	}
	return err
}

func (e Env) engine(o RunOptions, f *fleet, r *openRollout, watch *watcher) *engine.Engine {
	st := newStanding(r.state, r.state.Status(e.Now()), r.plan.Quarantined)
	controller := hook.Controller(filepath.Join(absolute(o.statePath()), "jobs"))
	performer := local.New(local.Config{
		Plan: r.plan, Hosts: f.hosts, Connect: f, Store: r.store, Driver: f.drivers.For, Library: f.drivers.Devices,
		Owner: platform.Owner{Rollout: r.ID, By: e.Actor, Since: e.Now().UTC(), Playbook: r.Playbook, Site: r.Site},
		Now:   e.Now, Progress: watch.progress,
		Outside:    &hook.Outside{Client: hook.NewClient(), Secret: f.secret, Local: controller, Now: e.Now},
		Controller: controller, Out: st.Out, Healthy: st.Healthy, Sick: st.Sick,
		Knows: o.knows, ForceUnlock: o.ForceUnlock, Signed: e.signed(f, r.store), Verifies: f.verifies,
	}, r.state)
	watch.learn = func(event rollout.Event, s *rollout.State) {
		performer.Learn(event)
		st.learn(event, s)
	}
	return &engine.Engine{
		Journal: r.journal, Performer: e.silent(performer, r), Actor: e.Actor, Now: e.Now, Observe: watch.observe,
		Patience: o.Wait, Idle: func(w []rollout.Wait) { watch.idle(e.Now(), w) }, Reserve: reserver{r.folder, st},
		Seal: e.sealer(f.inv, r), Vouch: o.voucher(r.state.Opening()),
	}
}

// knows tells whether a rollout is in the state folder.
func (o Options) knows(id string) bool {
	dir, err := o.stateDir()
	if err != nil {
		return false
	}
	defer func() { _ = dir.Close() }()
	folder, err := dir.Rollout(id)
	if err != nil {
		return false
	}
	return folder.Close() == nil
}

// absolute is for paths that are handed to another process. Where the working folder
// can't be told, the path stays as it is.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// endingOf is the rollout's own ending; where a person stopped the run, that is why it
// ended, unless the rollout itself came to an end.
func (e Env) endingOf(source report.Source) Ending {
	end := Ending{Ending: report.Exit(source), Next: report.Next(source)}
	if e.stopped() && (source.Status.Phase == rollout.PhaseOpen || source.Returning()) {
		end.Ending = report.Stopped(end.Ending)
	}
	return end
}

// leftReports lie beside the journal after every run.
func leftReports() map[string]report.Format {
	return map[string]report.Format{
		"report.json": report.FormatJSON, "report.md": report.FormatMarkdown,
		"report.csv": report.FormatCSV, "junit.xml": report.FormatJUnit,
	}
}

func leaveReports(r *openRollout, doc report.Document, junit string) error {
	left := leftReports()
	for _, name := range sortedKeys(left) {
		if err := writeReport(r.path(name), doc, left[name]); err != nil {
			return err
		}
	}
	if junit == "" {
		return nil
	}
	return writeReport(junit, doc, report.FormatJUnit)
}

func writeReport(path string, doc report.Document, format report.Format) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the user or the state folder names it
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := report.Write(f, doc, format, report.Options{}); err != nil {
		_ = f.Close()
		return err //nolint:wrapcheck // says what to do
	}
	return f.Close() //nolint:wrapcheck // names the file
}
