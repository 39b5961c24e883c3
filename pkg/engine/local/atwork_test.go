package local

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// TestHasEnded: what runs, or may run, is waited for; that a job was cut is no doubt.
func TestHasEnded(t *testing.T) {
	for name, c := range map[string]struct {
		job  string
		says platform.State
		want platform.State
	}{
		"runs":              {"state running", platform.Running, platform.Running},
		"ended well":        {"state exited\ncode 0", platform.Done, platform.Done},
		"ended badly":       {"state exited\ncode 1", platform.Failed, platform.Done},
		"never begun":       {"state absent", platform.NotDone, platform.Done},
		"cut":               {"state interrupted", platform.Unknown, platform.Done},
		"ended, unreadable": {"state exited\ncode 0", platform.Unknown, platform.Done},
		"can't be told":     {"state unknown", platform.Unknown, platform.Unknown},
		"no answer":         {"", platform.Unknown, platform.Unknown},
	} {
		step := hasEnded(platform.Step{
			Changes: true, Do: does(remote.Changes, "install"),
			Look: platform.Look{Judge: func([]remote.Result) platform.Standing { return platform.Standing{State: c.says} }},
		})
		got := step.Look.Judge([]remote.Result{says(0, "patchring-job 1\n"+c.job+"\nlog\n")})
		if got.State != c.want || len(step.Do) > 0 || step.Changes {
			t.Errorf("%s: %s, want %s (%+v)", name, got.State, c.want, step)
		}
	}
}

// lasting is a driver whose installation runs on until it is let go.
type lasting struct {
	linux
	runs *bool
}

func (l lasting) Steps(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	steps, err := l.linux.Steps(f, w)
	judge := steps[1].Look.Judge
	steps[1].Look.Judge = func(r []remote.Result) platform.Standing {
		if *l.runs {
			return platform.Standing{State: platform.Running}
		}
		return judge(r)
	}
	return steps, err
}

// A host whose earlier work still runs is not begun again, in neither direction.
func TestNothingBeginsWhileTheEarlierTryRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := false
		r := newWorld(t, "web").rig(planOf("web"), "r1", func(c *Config) {
			c.Driver = func(fact.Platform) (platform.Driver, bool) { return lasting{runs: &runs}, true }
		})
		want(t, r.must(t, "web", rollout.FlowBegin), rollout.OutcomeOK, "")
		r.Learn(rollout.Event{Entry: rollout.StepStarted{Host: host("web"), Step: rollout.StepInstall, Try: 1}})
		r.try, runs = 2, true
		for _, r.back = range []bool{true, false} {
			want(t, r.must(t, "web", rollout.FlowBegin), rollout.OutcomeUnknown, "may still be at work")
		}
		runs = false
		want(t, r.must(t, "web", rollout.FlowBegin), rollout.OutcomeOK, "")
	})
}

// TestNotBack: all that a rollout has done to a host is looked at, whatever the last work was.
func TestNotBack(t *testing.T) {
	kernel, fresh := patch.Update{Name: "kernel", Arch: "x86_64", From: "5", To: "6"}, patch.Update{Name: "lib", Arch: "amd64", To: "1"}
	pkg := func(name, arch, version, status string) fact.Package {
		return fact.Package{Name: name, Arch: arch, Version: version, Status: status}
	}
	five, six := pkg("kernel", "x86_64", "5", "installed"), pkg("kernel", "x86_64", "6", "installed")
	for name, c := range map[string]struct {
		here []fact.Package
		want string
	}{
		"back":                      {[]fact.Package{five}, ""},
		"of no architecture":        {[]fact.Package{pkg("kernel", "noarch", "5", "installed")}, ""},
		"side by side":              {[]fact.Package{five, six}, "kernel:x86_64 6 is still there"},
		"not back":                  {[]fact.Package{six}, "6 is still there"},
		"gone":                      {nil, "kernel:x86_64 is not back at 5"},
		"half way":                  {[]fact.Package{pkg("kernel", "x86_64", "5", "half-configured")}, "not back at 5"},
		"what came new":             {[]fact.Package{five, pkg("lib", "amd64", "1", "installed")}, "came new by this rollout"},
		"what came new, half way":   {[]fact.Package{five, pkg("lib", "amd64", "1", "half-installed")}, "came new by this rollout"},
		"its configuration is left": {[]fact.Package{five, pkg("lib", "amd64", "1", "config-files")}, ""},
	} {
		got := strings.Join(notBack(patch.Work{Back: true}, []patch.Update{kernel, fresh}, fact.Facts{Packages: c.here}), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := notBack(patch.Work{}, []patch.Update{kernel}, fact.Facts{}); got != nil {
		t.Errorf("it was not to go back: %q", got)
	}
}
