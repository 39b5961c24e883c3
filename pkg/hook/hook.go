// Package hook does what the user's own playbook asks for around the work on hosts:
// it runs programs on a host, on another, or on the controller, waits until a drained
// host is really out of use, puts questions of a gate to the world, and keeps alerts
// quiet. A program is a detached job wherever it runs, so that a crash never repeats
// it; a question only reads; a silence ends by itself if nobody extends it.
//
// Nothing that a program, a server or a host answers is trusted: it is bounded, and
// cleaned before anybody sees it. What can't be told is never a yes.
package hook

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
)

// Run is one run of a program of the user's.
type Run struct {
	ID     string          // of its job, see job.Spec; the same ID must always mean the same run
	Step   platform.StepID // the step of the host's flow that it is a part of
	On     fact.HostID     // the host whose sessions perform it
	Name   string          // what a person calls it; empty: its program
	Place  job.Place       // job.Root(), job.Home(), or Local.Place() on the controller
	Argv   []string
	Env    []string      // see Values.Env
	Within time.Duration // it is ended on the spot after this, and has failed; required
}

// Values are what a hook is told of the moment that it runs at.
type Values struct {
	Host, Site, Address, Rollout, Ring, Playbook string
	Hook                                         string // drain, undrain, before, after or gate
}

// Step runs the program as a detached job: Done only where it exited 0, Failed where it
// exited otherwise or took too long, with the last that it printed. What it began and
// left without an exit status (a restart of the machine) is Unknown, and never run again.
func Step(r Run) (platform.Step, error) { return runStep(r) }

// Wait waits until a drained host is out of use, with a step that only looks. A command
// of the user's is asked again until it exits 0; it runs as r says, and must change
// nothing: a crash repeats it. Of r, Argv and Within are not looked at, nor is the ID.
func Wait(r Run, w playbook.Wait) (platform.Step, error) { return waitStep(r, w) }
