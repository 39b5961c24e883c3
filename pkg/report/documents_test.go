package report

import (
	"errors"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
)

// results gives the result of each test of one host.
func results(in Examined) map[string]string {
	out := map[string]string{}
	for _, t := range NewDoctor([]Examined{in}).Hosts[0].Tests {
		out[t.Name] = t.Result
	}
	return out
}

// TestDoctorFollowsTheError: what came before the error held, what comes after it
// nobody knows.
func TestDoctorFollowsTheError(t *testing.T) {
	cases := []struct {
		code fault.Code
		want [4]string // reachability, host key, auth, privilege
		exit int
	}{
		{fault.Unreachable, [4]string{"fail", "unknown", "unknown", "unknown"}, ExitUnreachable},
		{fault.HostKeyUnknown, [4]string{"ok", "fail", "unknown", "unknown"}, ExitUnreachable},
		{fault.HostKeyChanged, [4]string{"ok", "fail", "unknown", "unknown"}, ExitUnreachable},
		{fault.Auth, [4]string{"ok", "ok", "fail", "unknown"}, ExitUnreachable},
		{fault.CredentialBlocked, [4]string{"ok", "ok", "fail", "unknown"}, ExitUnreachable},
		{fault.Privilege, [4]string{"ok", "ok", "ok", "fail"}, ExitUnreachable},
		{fault.Lost, [4]string{"unknown", "unknown", "unknown", "unknown"}, ExitNeedsPerson},
		{fault.Internal, [4]string{"unknown", "unknown", "unknown", "unknown"}, ExitNeedsPerson},
	}
	for _, c := range cases {
		in := Examined{Host: id("web1"), Err: &fault.Error{Code: c.code, What: "x"}}
		got := results(in)
		for i, name := range testNames()[:4] {
			if got[name] != c.want[i] {
				t.Errorf("%s: %s is %s, want %s", c.code, name, got[name], c.want[i])
			}
		}
		if got[TestDisk] != "unknown" {
			t.Errorf("%s: the disk is %s though nobody looked", c.code, got[TestDisk])
		}
		if exit := NewDoctor([]Examined{in}).Exit.Code; exit != c.exit {
			t.Errorf("%s: exit code %d, want %d", c.code, exit, c.exit)
		}
	}
}

func TestDoctorJudgesFacts(t *testing.T) {
	space := func(mount string, free int64, readOnly bool) func(*fact.Facts) {
		return func(f *fact.Facts) {
			f.Spaces = append([]fact.Space{{Mount: mount, FreeKiB: free, ReadOnly: readOnly}}, f.Spaces[0])
		}
	}
	manager := func(s fact.ManagerState) func(*fact.Facts) {
		return func(f *fact.Facts) { f.Manager.State = s }
	}
	cases := []struct {
		name   string
		change func(*fact.Facts)
		test   string
		want   string
	}{
		{"well", func(*fact.Facts) {}, TestClock, "ok"},
		{"clock a little off", func(f *fact.Facts) { f.Clock = f.Seen.Add(-clockLimit) }, TestClock, "ok"},
		{"clock ahead", func(f *fact.Facts) { f.Clock = f.Seen.Add(clockLimit + time.Second) }, TestClock, "fail"},
		{"clock behind", func(f *fact.Facts) { f.Clock = f.Seen.Add(-time.Hour) }, TestClock, "fail"},
		{"no clock", func(f *fact.Facts) { f.Clock = time.Time{} }, TestClock, "unknown"},
		{"no spaces", func(f *fact.Facts) { f.Spaces = nil }, TestDisk, "unknown"},
		{"only another mount", func(f *fact.Facts) { f.Spaces = []fact.Space{{Mount: "/srv"}} }, TestDisk, "unknown"},
		{"/boot just enough", space("/boot", leastBoot, false), TestDisk, "ok"},
		{"/boot short", space("/boot", leastBoot-1, false), TestDisk, "fail"},
		{"/var read-only", space("/var", 9<<20, true), TestDisk, "fail"},
		{"full", space("/var", 0, false), TestDisk, "fail"},
		{"ok", manager(fact.ManagerOK), TestPackageManager, "ok"},
		{"interrupted", manager(fact.ManagerInterrupted), TestPackageManager, "fail"},
		{"broken", manager(fact.ManagerBroken), TestPackageManager, "fail"},
		{"locked", manager(fact.ManagerLocked), TestPackageManager, "fail"},
		{"not known", manager(fact.ManagerUnknown), TestPackageManager, "unknown"},
		{"of a later version", manager("sulking"), TestPackageManager, "unknown"},
		{"a switch has no such disk", func(f *fact.Facts) { f.Device = &fact.Device{} }, TestDisk, "skipped"},
		{"nobody tried privilege", func(*fact.Facts) {}, TestPrivilege, "unknown"},
	}
	for _, c := range cases {
		f := sampleFacts("web1")
		c.change(&f)
		if got := results(Examined{Host: id("web1"), Facts: f})[c.test]; got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.name, c.test, got, c.want)
		}
	}
}

func TestDoctorTakesWhatWasTried(t *testing.T) {
	f := sampleFacts("web1")
	f.Spaces[1].FreeKiB = 1 << 20
	in := Examined{Host: id("web1"), Facts: f, Tried: []Test{{Name: TestPrivilege, Result: "ok"}}}
	if got := NewDoctor([]Examined{in}).Exit; got.Code != ExitDone {
		t.Errorf("a fit host gives %+v", got)
	}
	in.Tried[0].Result = "maybe"
	if got := results(in)[TestPrivilege]; got != "unknown" {
		t.Errorf("a result that nobody knows is %s", got)
	}
}

// TestUnreadUpdatesAreNotNone: a list that could not be read is never an empty one.
func TestUnreadUpdatesAreNotNone(t *testing.T) {
	doc := NewDetect(sampleDetected())
	for i, known := range []bool{true, false, false, false} {
		if h := doc.Hosts[i]; h.Pending.Known != known {
			t.Errorf("%s: known is %v", h.Host, h.Pending.Known)
		}
	}
	if doc.Exit.Code != ExitUnreachable {
		t.Errorf("exit code %+v", doc.Exit)
	}
	if got := NewDetect(sampleDetected()[1:2]).Exit.Code; got != ExitNeedsPerson {
		t.Errorf("a host that does not tell its updates gives %d", got)
	}
	if got := NewDetect(sampleDetected()[:1]).Exit.Code; got != ExitDone {
		t.Errorf("a host that tells all gives %d", got)
	}
}

func TestChecksExit(t *testing.T) {
	one := func(v health.Verdict) Probed {
		return Probed{Host: id("web1"), Results: []health.Result{{Check: "c", Verdict: v}}}
	}
	cases := []struct {
		in   []Probed
		want int
	}{
		{[]Probed{one(health.Pass)}, ExitDone},
		{[]Probed{one(health.Pass), one(health.Unknown)}, ExitNeedsPerson},
		{[]Probed{one(health.Fail), one(health.Unknown)}, ExitHostsFailed},
		{[]Probed{{Host: id("web1")}}, ExitNeedsPerson},
		{[]Probed{{Host: id("web1"), Err: refused(), Results: one(health.Pass).Results}}, ExitUnreachable},
		{[]Probed{{Host: id("web1"), Err: errors.New("x")}, one(health.Fail)}, ExitError},
	}
	for i, c := range cases {
		if got := NewChecks(c.in).Exit; got.Code != c.want {
			t.Errorf("case %d: %+v, want %d", i, got, c.want)
		}
	}
}

func TestPlanExit(t *testing.T) {
	well := samplePlan()
	well.Hosts = well.Hosts[:3]
	idle := samplePlan()
	idle.Hosts = idle.Hosts[3:4]
	cases := []struct {
		name     string
		p        *plan.Plan
		detailed bool
		want     int
	}{
		{"changes", well, false, ExitDone},
		{"changes, detailed", well, true, ExitPending},
		{"nothing to do, detailed", idle, true, ExitDone},
		{"a host with a problem", samplePlan(), true, ExitUnreachable},
	}
	for _, c := range cases {
		if got := NewPlan(c.p, planDigest, c.detailed).Exit; got.Code != c.want {
			t.Errorf("%s: %+v, want %d", c.name, got, c.want)
		}
	}
}
