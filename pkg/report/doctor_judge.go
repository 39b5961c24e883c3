package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
)

// What the doctor calls too little or too far off. A clock that is off by more
// breaks certificates and the order of a journal's times; with less space apt and dnf stop
// in the middle. The preflight step knows what an actual plan needs.
const (
	clockLimit = 2 * time.Minute
	leastFree  = 200 << 10 // KiB, on / and /var
	leastBoot  = 60 << 10  // KiB, one more kernel with its initrd
)

// notAfter begins what is seen of a test that another one's failure kept from
// being made. The table leaves such lines out; the failure is the one to mend.
const notAfter = "not looked at: "

func testNames() []string {
	return []string{TestReachability, TestHostKey, TestAuth, TestPrivilege, TestClock, TestDisk, TestPackageManager}
}

// examine gives every test of one host, in the order of testNames.
func examine(in Examined) []Test {
	out := make([]Test, 0, len(testNames()))
	for i, name := range testNames() {
		t := Test{Name: name, Result: "unknown", Seen: "nobody looked"}
		if at := slices.IndexFunc(in.Tried, func(t Test) bool { return t.Name == name }); at >= 0 {
			t = in.Tried[at]
		} else if in.Err != nil {
			t = afterError(t, i, in.Err)
		} else {
			t = fromFacts(t, in.Facts)
		}
		t.Seen, t.Hint = clean(t.Seen), clean(t.Hint)
		if !slices.Contains([]string{"ok", "fail", "skipped"}, t.Result) {
			t.Result = "unknown"
		}
		out = append(out, t)
	}
	return out
}

// afterError: the tests build on each other, so an error at one of them says that
// those before are ok, and nothing about those after.
func afterError(t Test, at int, err error) Test {
	broken := brokenTest(err)
	switch {
	case broken < 0:
		t.Seen, t.Hint = bareError(err), fault.HintOf(err)
	case at < broken:
		t.Result, t.Seen = "ok", ""
	case at == broken:
		t.Result, t.Seen, t.Hint = "fail", bareError(err), fault.HintOf(err)
	default:
		t.Seen = notAfter + testNames()[broken] + " failed"
	}
	return t
}

// brokenTest is the index of the test that an error belongs to; -1: none.
func brokenTest(err error) int {
	tests := map[fault.Code]string{
		fault.Unreachable: TestReachability, fault.HostKeyUnknown: TestHostKey, fault.HostKeyChanged: TestHostKey,
		fault.Auth: TestAuth, fault.CredentialBlocked: TestAuth, fault.Privilege: TestPrivilege,
	}
	return slices.Index(testNames(), tests[fault.CodeOf(err)])
}

// bareError leaves the host out, which stands beside it.
func bareError(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		bare := *e
		bare.Host = ""
		return bare.Error()
	}
	return err.Error()
}

func fromFacts(t Test, f fact.Facts) Test {
	switch t.Name {
	case TestReachability, TestHostKey, TestAuth: // there are facts, so these held
		t.Result, t.Seen = "ok", ""
		return t
	}
	if f.Device != nil {
		return deviceTest(t, f)
	}
	switch t.Name {
	case TestPrivilege:
		t.Seen = "not tried"
		return t
	case TestClock:
		return clockTest(t, f)
	}
	if t.Name == TestDisk {
		return diskTest(t, f.Spaces)
	}
	return managerTest(t, f.Manager)
}

// deviceTest: what a device has no such thing of is skipped. That its facts could be read
// with the rights of the login is what there is to see of its privilege.
func deviceTest(t Test, f fact.Facts) Test {
	if t.Name != TestPrivilege {
		t.Result, t.Seen = "skipped", "a device: its preflight looks at what an upgrade needs"
		return t
	}
	t.Result, t.Seen = "ok", ""
	if at := slices.IndexFunc(f.Problems, func(p fact.Problem) bool { return p.What == "privilege" }); at >= 0 {
		t.Result, t.Seen, t.Hint = "fail", f.Problems[at].Detail, "write credentials: {enable: env:NAME} and become: enable at the host, or log in as somebody with more rights"
	}
	return t
}

func clockTest(t Test, f fact.Facts) Test {
	if f.Clock.IsZero() || f.Seen.IsZero() {
		t.Seen = "the host did not tell its time"
		return t
	}
	off := f.Clock.Sub(f.Seen)
	t.Result, t.Seen = "ok", ""
	if off.Abs() > clockLimit {
		t.Result, t.Seen = "fail", fmt.Sprintf("%s off the clock of this machine", off.Abs().Round(time.Second))
		t.Hint = "on the host: timedatectl status; on this machine too, one of them is wrong"
	}
	return t
}

func diskTest(t Test, spaces []fact.Space) Test {
	var faults []string
	known := false
	for _, s := range spaces {
		least, watched := map[string]int64{"/": leastFree, "/var": leastFree, "/boot": leastBoot}[s.Mount]
		if !watched {
			continue
		}
		known = known || s.Mount == "/"
		switch {
		case s.ReadOnly:
			faults = append(faults, s.Mount+" is mounted read-only")
		case s.FreeKiB < least:
			faults = append(faults, fmt.Sprintf("%s has %s free, %s are needed", s.Mount, size(max(s.FreeKiB, 1)<<10), size(least<<10)))
		}
	}
	switch {
	case len(faults) > 0:
		t.Result, t.Seen, t.Hint = "fail", strings.Join(faults, "; "), "on the host: df -h; apt-get clean or dnf clean all gives package caches back"
	case known:
		t.Result, t.Seen = "ok", ""
	default:
		t.Seen = "the host did not tell the space of /"
	}
	return t
}

func managerSeen(m fact.Manager) string {
	if m.State == "" {
		return m.Detail
	}
	return because(m.Name+" is "+string(m.State), cleanAll([]string{m.Detail}))
}

func managerTest(t Test, m fact.Manager) Test {
	t.Seen = managerSeen(m)
	switch m.State {
	case fact.ManagerOK:
		t.Result, t.Seen = "ok", ""
	case fact.ManagerInterrupted:
		t.Result, t.Hint = "fail", "on the host: dpkg --configure -a, or dnf history redo last"
	case fact.ManagerBroken:
		t.Result, t.Hint = "fail", "on the host: apt-get -f install, or dnf check"
	case fact.ManagerLocked:
		t.Result, t.Hint = "fail", "wait until the other is done: ps -ef on the host shows who"
	default:
		t.Seen = orElse(t.Seen, "no package manager was found that this build knows")
	}
	return t
}
