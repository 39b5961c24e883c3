package app

import (
	"context"
	"os"
	"slices"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/statedir"
)

// StatusOptions are those of `status`.
type StatusOptions struct {
	Options
	Rollout  string
	ExitCode bool // exit like `run` would
}

// Status shows where a rollout stands, or lists all of the state folder. It reads
// journals only.
func (e Env) Status(ctx context.Context, o StatusOptions) (Ending, error) {
	if o.Rollout == "" {
		return e.listRollouts(ctx, o.Options)
	}
	r, err := o.openRollout(ctx, o.Rollout)
	if err != nil {
		return Ending{}, err
	}
	defer r.Close()
	if r.state.Phase() == rollout.PhaseNone {
		return Ending{}, emptyJournal(r)
	}
	return e.statusOf(ctx, o.Options, r, o.ExitCode)
}

func (e Env) statusOf(ctx context.Context, o Options, r *openRollout, exit bool) (Ending, error) {
	e.sayDamage(r)
	source, err := e.sourceOf(ctx, r, r.state.Decide(rollout.Moment{Now: e.Now()}).Waits)
	if err != nil {
		return Ending{}, err
	}
	end := e.endingOf(source)
	if !exit {
		end.Ending = report.Ending{}
	}
	return end, e.print(o, report.NewRollout(source))
}

func (e Env) listRollouts(ctx context.Context, o Options) (Ending, error) {
	sources, err := e.allSources(ctx, o)
	if err != nil {
		return Ending{}, err
	}
	if len(sources) == 0 && !o.JSON {
		e.say("no rollout in %s yet", o.statePath())
		return Ending{Next: "patchring run PLAYBOOK"}, nil
	}
	return Ending{}, e.print(o, report.NewRollouts(sources))
}

func (e Env) allSources(ctx context.Context, o Options) ([]report.Source, error) {
	if _, err := os.Stat(o.statePath()); err != nil {
		return nil, nil // no state folder: no rollouts, and none is made by looking
	}
	dir, err := o.stateDir()
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	all, err := dir.Rollouts()
	if err != nil {
		return nil, err //nolint:wrapcheck // names the folder
	}
	var sources []report.Source
	var unread error
	for _, about := range all {
		if !o.mine(about) {
			continue
		}
		r, err := o.openRollout(ctx, about.ID)
		if err != nil {
			e.say("warning: %v", err) // the others are still there to be seen
			unread = err
			continue
		}
		if r.state.Phase() == rollout.PhaseNone {
			e.say("warning: %v", emptyJournal(r))
			unread = emptyJournal(r)
		} else {
			sources = append(sources, report.Source{Status: r.state.Status(e.Now()), Path: r.Path, Plan: r.plan, Waits: r.state.Decide(rollout.Moment{Now: e.Now()}).Waits, Now: e.Now()})
		}
		r.Close()
	}
	if len(sources) > 0 {
		unread = nil
	}
	return sources, unread
}

// ReportOptions are those of `report`.
type ReportOptions struct {
	Options
	Rollout string // "": the newest
	Format  string
	Out     string
}

// ReportFormats lists what --format takes.
func ReportFormats() []string {
	var all []string
	for _, f := range report.Formats() {
		all = append(all, string(f))
	}
	return all
}

// Report tells what a rollout did, from its journal.
func (e Env) Report(ctx context.Context, o ReportOptions) (Ending, error) {
	format, err := report.ParseFormat(o.Format)
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // carries a hint
	}
	if o.JSON {
		format = report.FormatJSON
	}
	r, err := o.reported(ctx)
	if err != nil {
		return Ending{}, err
	}
	defer r.Close()
	source, err := e.sourceOf(ctx, r, r.state.Decide(rollout.Moment{Now: e.Now()}).Waits)
	if err != nil {
		return Ending{}, err
	}
	doc := report.NewRollout(source)
	if o.Out != "" {
		return Ending{}, writeReport(o.Out, doc, format)
	}
	return Ending{}, e.write(e.Out, doc, format, false)
}

// reported is the rollout that was named, or the newest.
func (o ReportOptions) reported(ctx context.Context) (*openRollout, error) {
	if o.Rollout != "" {
		return o.openRollout(ctx, o.Rollout)
	}
	dir, err := o.stateDir()
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	all, err := dir.Rollouts()
	if err != nil {
		return nil, err //nolint:wrapcheck // names the folder
	}
	all = slices.DeleteFunc(all, func(about statedir.About) bool { return !o.mine(about) })
	if len(all) == 0 {
		return nil, fault.Usagef("start one with: patchring run PLAYBOOK", "no rollout in %s yet", o.statePath())
	}
	return o.openRollout(ctx, all[len(all)-1].ID)
}
