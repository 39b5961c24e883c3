package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
)

// Examined is what the doctor learned of one host. The tests are worked out from
// Err and Facts (see doctor_judge.go); those in Tried replace the worked-out ones
// of the same name, for what only a try can tell, such as privilege.
type Examined struct {
	Host  fact.HostID
	Facts fact.Facts // the zero value where Err is set
	Err   error      // what kept the host from being detected
	Tried []Test
}

// The names of the doctor's tests, in the order in which they build on each other.
const (
	TestReachability   = "reachability"
	TestHostKey        = "host_key"
	TestAuth           = "auth"
	TestPrivilege      = "privilege"
	TestClock          = "clock"
	TestDisk           = "disk"
	TestPackageManager = "package_manager"
)

// Test is one test of one host.
type Test struct {
	Name   string `json:"test"`
	Result string `json:"result"` // ok | fail | unknown | skipped (does not apply to this host)
	Seen   string `json:"seen"`
	Hint   string `json:"hint"` // what to type or to check
}

// Doctor is the document of the doctor.
type Doctor struct {
	Header
	Exit   Ending        `json:"exit"`
	Hosts  []DoctorHost  `json:"hosts"`
	Totals CheckedTotals `json:"totals"`
}

// DoctorHost is one host with all of its tests.
type DoctorHost struct {
	Host  string `json:"host"`
	Tests []Test `json:"tests"`
}

// CheckedTotals counts results.
type CheckedTotals struct {
	Hosts   int `json:"hosts"`
	OK      int `json:"ok"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
	Skipped int `json:"skipped"`
}

// NewDoctor builds the doctor's document, in the order of its input.
func NewDoctor(in []Examined) Doctor {
	doc := Doctor{Header: header("doctor"), Hosts: []DoctorHost{}}
	var claims []claim
	for _, one := range in {
		h := DoctorHost{Host: clean(one.Host.String()), Tests: examine(one)}
		doc.Hosts = append(doc.Hosts, h)
		doc.Totals.Hosts++
		worst := 0
		for _, t := range h.Tests {
			doc.Totals.add(t.Result)
			if code := testCode(t); code != ExitDone && (worst == 0 || rank(code) < rank(worst)) {
				worst = code
			}
		}
		if worst != 0 {
			claims = append(claims, claim{worst, h.Host})
		}
	}
	doc.Exit = ending(gather(claims, "not fit"), count(doc.Totals.Hosts, "host")+" fit to be patched")
	return doc
}

// testCode is the exit code that one test asks for.
func testCode(t Test) int {
	switch t.Result {
	case "ok", "skipped":
		return ExitDone
	case "fail":
		switch t.Name {
		case TestReachability, TestHostKey, TestAuth, TestPrivilege:
			return ExitUnreachable
		}
		return ExitHostsFailed
	}
	return ExitNeedsPerson
}

func (t *CheckedTotals) add(result string) {
	switch result {
	case "ok", "pass":
		t.OK++
	case "fail":
		t.Fail++
	case "skipped":
		t.Skipped++
	default:
		t.Unknown++
	}
}

// face shows a line for each host with a sign for each test, then every test that
// is not ok with what to do about it.
func (d Doctor) face(bool) face {
	names := testNames()
	all := sheet{columns: []column{{head: "HOST", whole: true}}}
	heads := [...]string{"REACH", "KEY", "AUTH", "ROOT", "CLOCK", "DISK", "PKGS"}
	for i := range names {
		all.columns = append(all.columns, column{head: heads[i], least: 6})
	}
	todo := sheet{title: "What to do", group: true, columns: []column{{head: "HOST", whole: true}, {head: "TEST", least: 8}, {head: "RESULT", whole: true}, {head: "SEEN", least: 16, prose: true}, {head: "WHAT TO DO", least: 16, prose: true}}}
	for _, h := range d.Hosts {
		row := []cell{text(h.Host)}
		for _, t := range h.Tests {
			row = append(row, short(t.Result))
			if t.Result == "fail" || t.Result == "unknown" && !strings.HasPrefix(t.Seen, notAfter) {
				todo.rows = append(todo.rows, []cell{text(h.Host), text(t.Name), word(t.Result), text(t.Seen), text(t.Hint)})
			}
		}
		all.rows = append(all.rows, row)
	}
	t := d.Totals
	return face{
		title:  fmt.Sprintf("%s examined: %d tests ok, %d failed, %d unknown, %d do not apply", count(t.Hosts, "host"), t.OK, t.Fail, t.Unknown, t.Skipped),
		sheets: []sheet{all, todo},
	}
}

// short fits a result into the doctor's narrow columns.
func short(result string) cell {
	switch result {
	case "ok":
		return cell{"ok", good}
	case "fail":
		return cell{"FAIL", bad}
	case "skipped":
		return cell{"-", faint}
	}
	return cell{"?", warn}
}

func (d Doctor) records() records {
	r := records{head: []string{"host", "test", "result", "seen", "hint"}}
	for _, h := range d.Hosts {
		for _, t := range h.Tests {
			r.rows = append(r.rows, []string{h.Host, t.Name, t.Result, t.Seen, t.Hint})
		}
	}
	return r
}

// suites: a host is a testsuite, a test a testcase.
func (d Doctor) suites() []suite {
	var out []suite
	for _, h := range d.Hosts {
		s := suite{name: h.Host}
		for _, t := range h.Tests {
			s.cases = append(s.cases, resultCase("patchring.doctor."+h.Host, t.Name, t.Result, t.Seen+" "+t.Hint))
		}
		out = append(out, s)
	}
	return out
}

// resultCase is a testcase of one question to one host.
func resultCase(class, name, result, message string) testcase {
	c := testcase{class: class, name: name, failure: result, message: orElse(clean(message), result)}
	switch result {
	case "ok", "pass":
	case "fail":
		c.kind = "failure"
	case "skipped":
		c.kind = "skipped"
	default:
		c.kind = "error"
	}
	return c
}
