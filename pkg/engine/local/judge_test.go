package local

import (
	"errors"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

func TestJudgeNeedsEveryPlannedVersionInstalledAndRunning(t *testing.T) {
	nginx := patch.Update{Name: "nginx", Arch: "amd64", From: "1", To: "2"}
	kernel := patch.Update{Name: "kernel", Arch: "x86_64", From: "5", To: "6"}
	pkg := func(name, arch, version, status string) fact.Package {
		return fact.Package{Name: name, Arch: arch, Version: version, Status: status}
	}
	good := pkg("nginx", "amd64", "2", "installed")
	for name, c := range map[string]struct {
		install  []patch.Update
		packages []fact.Package
		reboot   patch.Tri
		rule     patch.RebootRule
		want     rollout.Outcome
		says     string
	}{
		"installed and running":           {[]patch.Update{nginx}, []fact.Package{good}, patch.No, patch.RebootIfNeeded, rollout.OutcomeOK, ""},
		"not there":                       {[]patch.Update{nginx}, nil, patch.No, patch.RebootIfNeeded, rollout.OutcomeFailed, "not there"},
		"another version":                 {[]patch.Update{nginx}, []fact.Package{pkg("nginx", "amd64", "3", "installed")}, patch.No, patch.RebootIfNeeded, rollout.OutcomeFailed, "not at the planned 2"},
		"another architecture":            {[]patch.Update{nginx}, []fact.Package{pkg("nginx", "i386", "2", "installed")}, patch.No, patch.RebootIfNeeded, rollout.OutcomeFailed, "not there"},
		"half configured":                 {[]patch.Update{nginx}, []fact.Package{pkg("nginx", "amd64", "2", "half-configured")}, patch.No, patch.RebootIfNeeded, rollout.OutcomeFailed, "half-configured"},
		"no status":                       {[]patch.Update{nginx}, []fact.Package{pkg("nginx", "amd64", "2", "")}, patch.No, patch.RebootIfNeeded, rollout.OutcomeFailed, "is"},
		"kernels side by side":            {[]patch.Update{kernel}, []fact.Package{pkg("kernel", "x86_64", "5", "installed"), pkg("kernel", "x86_64", "6", "installed")}, patch.No, patch.RebootIfNeeded, rollout.OutcomeOK, ""},
		"not running":                     {[]patch.Update{nginx}, []fact.Package{good}, patch.Yes, patch.RebootIfNeeded, rollout.OutcomeFailed, "reboot is still needed"},
		"not running, as asked for":       {[]patch.Update{nginx}, []fact.Package{good}, patch.Yes, patch.RebootNever, rollout.OutcomeOK, "installed, not running"},
		"can't tell, the step has judged": {[]patch.Update{nginx}, []fact.Package{good}, patch.Unknown, patch.RebootIfNeeded, rollout.OutcomeOK, "could not tell"},
	} {
		facts := fact.Facts{Packages: c.packages, Reboot: fact.Reboot{Needed: c.reboot}}
		got := judge(patch.Work{Install: c.install, Reboot: c.rule}, facts)
		said := strings.Join(append(got.Reasons, got.Notes...), "; ")
		if got.Outcome != c.want || !strings.Contains(said, c.says) {
			t.Errorf("%s: %q (%s), want %q with %q", name, got.Outcome, said, c.want, c.says)
		}
	}
}

func TestOnlyDoneIsOK(t *testing.T) {
	for state, want := range map[platform.State]rollout.Outcome{
		platform.Unknown: rollout.OutcomeUnknown, platform.Running: rollout.OutcomeUnknown,
		platform.Failed: rollout.OutcomeFailed, platform.NotDone: rollout.OutcomeFailed, platform.Done: rollout.OutcomeOK,
	} {
		if got := ended(platform.Standing{State: state}).Outcome; got != want {
			t.Errorf("%s is %q, want %q", state, got, want)
		}
	}
}

func TestAHostThatCouldNotBeReachedWasNotTouched(t *testing.T) {
	for code, want := range map[fault.Code]rollout.Outcome{
		fault.Unreachable: rollout.OutcomeUnreachable, fault.HostKeyChanged: rollout.OutcomeUnreachable,
		fault.Auth: rollout.OutcomeUnreachable, fault.Privilege: rollout.OutcomeFailed,
	} {
		if got := connectFailed(&fault.Error{Code: code, Hint: "do this"}); got.Outcome != want || got.Code != code || len(got.Reasons) != 2 {
			t.Errorf("%s: %+v", code, got)
		}
	}
	if got := connectFailed(errors.New("boom")); got.Outcome != rollout.OutcomeFailed {
		t.Errorf("an error of ours is %q", got.Outcome)
	}
}

func TestWorkIDIsAJobName(t *testing.T) {
	a, b := fact.HostID{Site: "s", Name: "a"}, fact.HostID{Site: "s", Name: "b"}
	if got := workID("2026-11-21-monthly-7f3a", a); !strings.HasPrefix(got, "2026-11-21-monthly-7f3a-") {
		t.Errorf("got %q", got)
	}
	if workID("r", a) == workID("r", b) {
		t.Error("two names of one machine must not share a job")
	}
	for _, odd := range []string{strings.Repeat("x", 80), "../../etc", "ümlaut", "a b"} {
		if got := workID(odd, a); len(got) > 48 || strings.Trim(got, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%q gives %q", odd, got)
		}
	}
}
