package report

import (
	"fmt"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
)

// Probed is what the checks of one host gave, or the error that kept them from being asked.
type Probed struct {
	Host    fact.HostID
	Results []health.Result
	Err     error
}

// Checks is the document of health checks asked by themselves.
type Checks struct {
	Header
	Exit   Ending        `json:"exit"`
	Hosts  []ChecksHost  `json:"hosts"`
	Totals CheckedTotals `json:"totals"`
}

// ChecksHost is one host with its checks.
type ChecksHost struct {
	Host    string    `json:"host"`
	Verdict string    `json:"verdict"` // the worst of them: pass | fail | unknown
	Checks  []Checked `json:"checks"`
	Error   *Trouble  `json:"error"`
}

// NewChecks builds the document, in the order of its input. A host without any
// check is unknown: nobody asked.
func NewChecks(in []Probed) Checks {
	doc := Checks{Header: header("checks"), Hosts: []ChecksHost{}}
	var claims []claim
	for _, one := range in {
		h := ChecksHost{
			Host: clean(one.Host.String()), Verdict: health.Worst(one.Results).String(),
			Checks: newChecked(one.Results), Error: newTrouble(one.Err),
		}
		if one.Err != nil {
			h.Verdict = health.Unknown.String()
			claims = append(claims, claim{ExitOf(one.Err).Code, h.Host})
		}
		switch {
		case one.Err == nil && h.Verdict == "fail":
			claims = append(claims, claim{ExitHostsFailed, h.Host})
		case one.Err == nil && h.Verdict == "unknown":
			claims = append(claims, claim{ExitNeedsPerson, h.Host})
		}
		doc.Hosts = append(doc.Hosts, h)
		doc.Totals.Hosts++
		for _, c := range h.Checks {
			doc.Totals.add(c.Verdict)
		}
	}
	doc.Exit = ending(gather(claims, "not healthy"), count(doc.Totals.Hosts, "host")+" healthy")
	return doc
}

func (d Checks) face(brief bool) face {
	s := sheet{group: true, columns: []column{{head: "HOST", whole: true}, {head: "CHECK", least: 14}, {head: "VERDICT", whole: true}, {head: "TRIES", right: true}, {head: "SEEN", least: 20, prose: true}}}
	f := face{title: fmt.Sprintf("%s checked: %d passed, %d failed, %d unknown", count(d.Totals.Hosts, "host"), d.Totals.OK, d.Totals.Fail, d.Totals.Unknown)}
	for _, h := range d.Hosts {
		for _, c := range h.Checks {
			if !brief || c.Verdict != "pass" {
				s.rows = append(s.rows, []cell{text(h.Host), text(c.Check), word(c.Verdict), text(fmt.Sprint(c.Tries)), text(c.Seen)})
			}
		}
		switch {
		case h.Error != nil:
			s.rows = append(s.rows, []cell{text(h.Host), text("(none was asked)"), word("unknown"), text(""), text(h.Error.What)})
		case len(h.Checks) == 0:
			s.rows = append(s.rows, []cell{text(h.Host), text("(no check)"), word("unknown"), text(""), text("the playbook has no check for this host")})
		}
		if h.Error != nil && h.Error.Hint != "" {
			f.foot = append(f.foot, h.Host+": "+h.Error.Hint)
		}
	}
	f.sheets = []sheet{s}
	return f
}

func (d Checks) records() records {
	r := records{head: []string{"host", "check", "verdict", "tries", "seen"}}
	for _, h := range d.Hosts {
		for _, c := range h.Checks {
			r.rows = append(r.rows, []string{h.Host, c.Check, c.Verdict, fmt.Sprint(c.Tries), c.Seen})
		}
		if len(h.Checks) == 0 {
			row := []string{h.Host, "", "unknown", "0", "no check was asked"}
			if h.Error != nil {
				row[4] = h.Error.What
			}
			r.rows = append(r.rows, row)
		}
	}
	return r
}

// suites: a host is a testsuite, a check a testcase.
func (d Checks) suites() []suite {
	var out []suite
	for _, h := range d.Hosts {
		s := suite{name: h.Host}
		for _, c := range h.Checks {
			s.cases = append(s.cases, resultCase("patchring.check."+h.Host, c.Check, c.Verdict, c.Seen))
		}
		if h.Error != nil {
			s.cases = append(s.cases, resultCase("patchring.check."+h.Host, "(none was asked)", "unknown", h.Error.What))
		} else if len(h.Checks) == 0 {
			s.cases = append(s.cases, resultCase("patchring.check."+h.Host, "(no check)", "unknown", "nobody asked"))
		}
		out = append(out, s)
	}
	return out
}
