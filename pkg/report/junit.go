package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/rollout"
)

// suite is one testsuite; cases are its testcases.
type suite struct {
	name  string
	began string // ISO 8601 without a zone, as the format wants it; empty: not known
	cases []testcase
}

type testcase struct {
	class, name string
	seconds     int64
	kind        string // "": passed; failure, error or skipped
	failure     string // of the failure or error: its class
	message     string
	out         []string
}

// The XML of JUnit as CI servers read it; there is no standard, this is what
// Jenkins, GitLab and GitHub actions have in common.
type (
	xmlSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Suites   []xmlSuite `xml:"testsuite"`
	}
	xmlSuite struct {
		Name      string    `xml:"name,attr"`
		Tests     int       `xml:"tests,attr"`
		Failures  int       `xml:"failures,attr"`
		Errors    int       `xml:"errors,attr"`
		Skipped   int       `xml:"skipped,attr"`
		Time      int64     `xml:"time,attr"`
		Timestamp string    `xml:"timestamp,attr,omitempty"`
		Cases     []xmlCase `xml:"testcase"`
	}
	xmlCase struct {
		Class   string    `xml:"classname,attr"`
		Name    string    `xml:"name,attr"`
		Time    int64     `xml:"time,attr"`
		Failure *xmlFault `xml:"failure"`
		Error   *xmlFault `xml:"error"`
		Skipped *xmlFault `xml:"skipped"`
		Out     string    `xml:"system-out,omitempty"`
	}
	xmlFault struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
	}
)

func writeJUnit(w io.Writer, suites []suite) error {
	all := xmlSuites{Name: "patchring"}
	for _, s := range suites {
		x := xmlSuiteOf(s)
		all.Tests += x.Tests
		all.Failures += x.Failures
		all.Errors += x.Errors
		all.Skipped += x.Skipped
		all.Suites = append(all.Suites, x)
	}
	out, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	if _, err := io.WriteString(w, xml.Header+string(out)+"\n"); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	return nil
}

func xmlSuiteOf(s suite) xmlSuite {
	x := xmlSuite{Name: clean(s.name), Tests: len(s.cases), Timestamp: s.began}
	for _, c := range s.cases {
		xc := xmlCase{Class: clean(c.class), Name: clean(c.name), Time: c.seconds, Out: strings.Join(cleanAll(c.out), "\n")}
		fault := &xmlFault{Type: clean(c.failure), Message: clean(c.message)}
		switch c.kind {
		case "failure":
			xc.Failure = fault
			x.Failures++
		case "error":
			xc.Error = fault
			x.Errors++
		case "skipped":
			xc.Skipped = &xmlFault{Message: fault.Message}
			x.Skipped++
		}
		x.Time += c.seconds
		x.Cases = append(x.Cases, xc)
	}
	return x
}

// suites of a rollout: a ring is a testsuite, a host a testcase. What belongs to no
// ring must not happen; but a host that is left out would look healthy.
func (d Rollout) suites() []suite {
	var out []suite
	for _, r := range d.Rings {
		s := suite{name: r.Name, cases: d.casesOf(func(ring string) bool { return ring == r.Name })}
		if !r.Began.IsZero() {
			s.began = r.Began.Format("2006-01-02T15:04:05")
		}
		out = append(out, s)
	}
	stray := d.casesOf(func(ring string) bool {
		return !slices.ContainsFunc(d.Rings, func(r Ring) bool { return r.Name == ring })
	})
	if len(stray) > 0 {
		out = append(out, suite{name: "(no ring)", cases: stray})
	}
	return out
}

// casesOf are the hosts of some rings, then those in quarantine.
func (d Rollout) casesOf(in func(ring string) bool) []testcase {
	var out []testcase
	for _, h := range d.Hosts {
		if in(h.Ring) {
			out = append(out, d.testcase(h))
		}
	}
	for _, q := range d.Quarantined {
		if in(q.Ring) {
			out = append(out, q.testcase(d.Playbook))
		}
	}
	return out
}

func (d Rollout) testcase(h Host) testcase {
	c := testcase{
		class: "patchring." + d.Playbook + "." + h.Ring, name: h.Host, seconds: h.Seconds,
		failure: orElse(h.Code, h.State), message: orElse(happened(h), h.State),
	}
	switch rollout.HostState(h.State) {
	case rollout.HostHealthy:
		if h.Drained { // well, and out of use
			c.kind, c.failure = "error", "drained"
		}
	case rollout.HostFailed, rollout.HostRollback, rollout.HostRolledBack: // its updates did not come through
		c.kind = "failure"
	case rollout.HostNothing:
		c.kind, c.message = "skipped", orElse(happened(h), "nothing to do")
	case rollout.HostWaiting, rollout.HostWorking:
		c.kind, c.message = "skipped", because(h.State+": the rollout is "+d.Phase, d.Reasons)
	default: // unknown, unreachable, and whatever this build does not know
		c.kind = "error"
	}
	for _, u := range h.Updates {
		c.out = append(c.out, strings.TrimSpace(fmt.Sprintf("%s %s: %s %s %s", u.Package, change(u.From, u.To), u.Outcome, u.Reason, u.Detail)))
	}
	for _, k := range h.Checks {
		c.out = append(c.out, fmt.Sprintf("check %s: %s %s", k.Check, k.Verdict, k.Seen))
	}
	c.out = append(c.out, h.Notes...)
	return c
}
