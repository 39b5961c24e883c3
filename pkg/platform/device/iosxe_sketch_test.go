package device

// This file is the proof that one Step shape carries two very different drivers:
// apt's detached transaction, which goes on by itself while nobody is connected, and
// the upgrade of an IOS-XE switch, which asks a question on its console, reloads and
// comes back as another version. Both are driven by the same twenty lines.

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

var sw1 = fact.HostID{Site: "hq", Name: "core-sw1"}

func platformQuery() platform.Query { return platform.Query{} }

// sketchSteps is an upgrade of a Catalyst in install mode, in the words of Cisco's
// guide for IOS XE 17: add, activate (which reloads), commit. It is a sketch: no
// preflight, no guard of the fall-back timer, no stack.
func sketchSteps(on fact.HostID, image, version string) []platform.Step {
	show := func(line string) platform.Operation {
		return platform.Operation{Exchange: &remote.Exchange{Send: line, Effect: remote.Reads, Done: []remote.Pattern{prompt}, Failed: invalid}}
	}
	return []platform.Step{
		{
			ID: "add", On: on, Title: "unpack the image", Deadline: 30 * time.Minute, Rest: true,
			Do: []platform.Operation{{Exchange: &remote.Exchange{
				Send: "install add file flash:" + image,
				Done: []remote.Pattern{`SUCCESS: install_add`}, Failed: append([]remote.Pattern{`FAILED: install_add`}, invalid...),
			}}},
			Look: platform.Look{Do: []platform.Operation{show("show install summary")}, Judge: inSummary(version, "I", "U", "C")},
		},
		{
			ID: "activate", On: on, Title: "activate it and reload", Deadline: 40 * time.Minute, Changes: true,
			Do: []platform.Operation{{MayDrop: true, Exchange: &remote.Exchange{
				Send: "install activate",
				Questions: []remote.Question{{
					Ask: `This operation may require a reload of the system\. Do you want to proceed\? \[y/n\]`, Answer: "y",
				}},
				Failed: append([]remote.Pattern{`FAILED: install_activate`}, invalid...), MayDrop: true,
			}}},
			Look: platform.Look{Do: []platform.Operation{show("show version")}, Judge: runs(version), Reconnects: true},
		},
		{
			ID: "commit", On: on, Title: "keep it", Deadline: 5 * time.Minute, Changes: true, Rest: true,
			Do: []platform.Operation{{Exchange: &remote.Exchange{
				Send: "install commit", Done: []remote.Pattern{`SUCCESS: install_commit`}, Failed: invalid,
			}}},
			Look: platform.Look{Do: []platform.Operation{show("show install summary")}, Judge: inSummary(version, "C")},
		},
	}
}

const prompt remote.Pattern = `(?m)^\S+[>#]\s*$`

var invalid = []remote.Pattern{`% Invalid input`, `% Incomplete command`}

// inSummary looks for the version in one of the states that show install summary
// abbreviates: I inactive, U activated and uncommitted, C committed.
func inSummary(version string, states ...string) func([]remote.Result) platform.Standing {
	return func(results []remote.Result) platform.Standing {
		if len(results) != 1 || results[0].Ending != remote.Done {
			return platform.Standing{Reasons: []string{"show install summary gave no answer"}}
		}
		for line := range strings.Lines(string(results[0].Out)) {
			f := strings.Fields(line)
			if len(f) == 3 && f[0] == "IMG" && f[2] == version && slices.Contains(states, f[1]) {
				return platform.Standing{State: platform.Done}
			}
		}
		return platform.Standing{State: platform.NotDone}
	}
}

func runs(version string) func([]remote.Result) platform.Standing {
	return func(results []remote.Result) platform.Standing {
		facts, err := Read(results)
		switch {
		case err != nil:
			return platform.Standing{Reasons: []string{err.Error()}}
		case facts.Version == version:
			return platform.Standing{State: platform.Done}
		}
		return platform.Standing{State: platform.NotDone}
	}
}

// sessions is what drive needs of a host, as the interpreter proper does.
type sessions interface {
	Session(ctx context.Context) (remote.Session, func(), error)
}

// drive is the interpreter in small: look → do → look, at most tries looks.
func drive(ctx context.Context, host sessions, step platform.Step, tries int) (platform.Standing, error) {
	var last platform.Standing
	did := false
	for range tries {
		results, err := operate(ctx, host, step.Look.Do)
		if err != nil {
			if did || step.Look.Reconnects {
				continue
			}
			return last, err
		}
		last = step.Look.Judge(results)
		if last.State == platform.NotDone && !did {
			did = true
			if _, err := operate(ctx, host, step.Do); err != nil {
				return last, err
			}
		}
		if last.State != platform.NotDone && last.State != platform.Running {
			return last, nil
		}
	}
	return last, errors.New("the deadline has passed")
}

func operate(ctx context.Context, host sessions, ops []platform.Operation) ([]remote.Result, error) {
	session, release, err := host.Session(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var results []remote.Result
	for _, op := range ops {
		var r remote.Result
		if op.Exchange != nil {
			r, err = session.Console.Exchange(ctx, *op.Exchange)
		} else {
			r, err = session.Runner.Run(ctx, *op.Command)
		}
		if err != nil && !(op.MayDrop && fault.CodeOf(err) == fault.Lost) {
			return nil, err
		}
		if r.Ending == remote.Asked || r.Ending == remote.Failed {
			return nil, fmt.Errorf("%q: %s", op.Exchange.Send, remote.Clean(string(r.Out), 200))
		}
		results = append(results, r)
	}
	return results, nil
}

// catalyst is a switch reduced to what the sketch touches.
type catalyst struct {
	running, state, added string
	down                  int // connections that fail while it reloads
	asks                  string
}

func (c *catalyst) Session(context.Context) (remote.Session, func(), error) {
	if c.down > 0 {
		c.down--
		return remote.Session{}, nil, remotetest.Unreachable()
	}
	return remote.Session{Console: c}, func() {}, nil
}

func (c *catalyst) Exchange(_ context.Context, e remote.Exchange) (remote.Result, error) {
	switch {
	case e.Send == "show version":
		return done("Cisco IOS XE Software, Version %s\ncore-sw1 uptime is 1 minute\nConfiguration register is 0x102\n", c.running)
	case e.Send == "show install summary" && c.added != "":
		return done("Type  St   Filename/Version\nIMG   %s    %s\n", c.state, c.added)
	case e.Send == "show install summary":
		return done("Type  St   Filename/Version\n")
	case strings.HasPrefix(e.Send, "install add file"):
		c.added, c.state = "17.12.04", "I"
		return done("SUCCESS: install_add\n")
	case e.Send == "install activate":
		return c.activate(e)
	case e.Send == "install commit":
		c.state = "C"
		return done("SUCCESS: install_commit\n")
	}
	return remote.Result{Ending: remote.Failed, Out: []byte("% Invalid input detected")}, nil
}

func done(format string, args ...any) (remote.Result, error) {
	return remote.Result{Ending: remote.Done, Out: []byte(fmt.Sprintf(format, args...))}, nil
}

// activate asks, and reloads only on a yes; what no Question covers stays unanswered.
func (c *catalyst) activate(e remote.Exchange) (remote.Result, error) {
	for _, q := range e.Questions {
		if regexp.MustCompile(string(q.Ask)).MatchString(c.asks) && q.Answer == "y" {
			c.running, c.state, c.down = c.added, "U", 3
			return remote.Result{Ending: remote.Lost}, remotetest.Lost()
		}
	}
	return remote.Result{Ending: remote.Asked, Out: []byte(c.asks)}, nil
}

const reloadQuestion = "This operation may require a reload of the system. Do you want to proceed? [y/n]"

func TestSketchUpgrades(t *testing.T) {
	device := &catalyst{running: "17.09.04a", asks: reloadQuestion}
	steps := sketchSteps(sw1, "cat9k_iosxe.17.12.04.SPA.bin", "17.12.04")
	for _, step := range steps {
		got, err := drive(t.Context(), device, step, 9)
		if err != nil || got.State != platform.Done {
			t.Fatalf("%s: %v, %v", step.ID, got, err)
		}
	}
	if device.running != "17.12.04" || device.state != "C" {
		t.Errorf("%+v", device)
	}
	for _, step := range steps { // begun again, as after a crash: nothing is done twice
		before := *device
		if got, err := drive(t.Context(), device, step, 1); err != nil || got.State != platform.Done || *device != before {
			t.Errorf("%s again: %v, %v", step.ID, got, err)
		}
	}
}

func TestSketchLeavesOtherQuestionsAlone(t *testing.T) {
	device := &catalyst{running: "17.09.04a", added: "17.12.04", state: "I", asks: "All data on flash will be erased. Continue? [confirm]"}
	_, err := drive(t.Context(), device, sketchSteps(sw1, "x", "17.12.04")[1], 9)
	if err == nil || !strings.Contains(err.Error(), "erased") || device.running != "17.09.04a" {
		t.Errorf("%v, running %s: a question that nobody foresaw must not be answered", err, device.running)
	}
}

func TestSketchNamesItsCommands(t *testing.T) {
	text := strings.Join(platform.Show(sketchSteps(sw1, "x.bin", "17.12.04")[1]), "\n")
	for _, want := range []string{`send "install activate"`, `answer "y"`, "the connection may end", "reconnects", `look send "show version"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// TestAptDetached: the same loop, through a connection that is cut while the
// transaction goes on by itself.
func TestAptDetached(t *testing.T) {
	facts := fact.Facts{Host: sw1, Arch: "amd64", BootID: "b", Manager: fact.Manager{Name: "apt"}}
	work := patch.Work{ID: "r1-x-1", Reboot: patch.RebootNever, Install: []patch.Update{{Name: "pr-x", Arch: "all", From: "1.0", To: "2.0"}}}
	steps, err := (linux.Managers{apt.Manager()}).Drivers()[0].Steps(facts, work)
	if err != nil {
		t.Fatal(err)
	}
	install := steps[2]
	job := func(state, code string) *remotetest.Stub {
		return remotetest.On("sh", "-s", "--", "/var/lib/patchring/jobs", "r1-x-1-install", "...").
			Prints("patchring-job 1\nstate " + state + "\ncode " + code + "\nboot b\nwhy \nlog\n")
	}
	versions := func(version string) *remotetest.Stub {
		return remotetest.On("sh", "-s", "--", "*", "apt", "", "", "", "/var/lib/patchring/jobs/r1-x-1-install/log", "pr-x").
			Prints("patchring-report 1 n\n@n begin versions\npr-x\tall\t" + version + "\tinstalled\n@n status 0\n@n end versions\n@n whole\n")
	}
	host := remotetest.New(t,
		job("absent", ""), versions("1.0"),
		remotetest.On("sh", "-c", "...").Stdin("pr-x=2.0").Prints("started\n"),
		job("running", "").Cuts(), // the train enters a tunnel
		job("running", ""), versions("1.0"),
		job("exited", "0"), versions("2.0"),
	)
	got, err := drive(t.Context(), host, install, 9)
	if err != nil || got.State != platform.Done {
		t.Fatalf("%v, %v\n%q", got, err, host.Calls())
	}
	if host.Opens() != 2 {
		t.Errorf("%d connections, want the first and the one after the cut", host.Opens())
	}
}
