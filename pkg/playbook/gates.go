package playbook

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/health"
)

// gate reads what must hold before a ring. What looks back at earlier rings can't stand
// before the first.
func (l *loader) gate(y *gateYAML, first bool) Gate {
	g := Gate{MinParticipation: int(y.MinPart.V), Coverage: int(y.Coverage.V)}
	if y.Soak.Set() {
		g.Soak = l.soak(y.Soak)
	}
	if y.Approval.Set() {
		a := approval(y.Approval.V)
		g.Approval = &a
	}
	g.Checks = l.inquiries(y.Checks.V)
	if first {
		l.nothingBefore(y)
	}
	return g
}

func (l *loader) nothingBefore(y *gateYAML) {
	tell := func(at document.Pos, key string) {
		if at.Written() {
			l.file.Errorf(at, "write it in the gate of the next ring", "`%s` looks at the rings before, and there is none before the first", key)
		}
	}
	tell(y.Soak.At(), "soak")
	tell(y.MinPart.At, "min_participation")
	tell(y.Coverage.At, "coverage")
}

func (l *loader) soak(y document.Either[time.Duration, soakYAML]) *Soak {
	long := y.Long.V
	s := &Soak{For: y.Short.V, MaxGap: long.MaxGap.Or(defaultMaxGap)}
	if y.Long.Set() {
		s.For = long.For.V
	}
	s.Pace = pace(&long.paceYAML, min(max(s.For/soakSamples, minSoakInterval), maxSoakInterval))
	if s.MaxGap <= s.Interval { // a sample takes a moment itself
		at := long.Interval.At
		if long.MaxGap.Set() {
			at = long.MaxGap.At
		}
		l.file.Errorf(at, "let samples come more often than max_gap, and a few may fail to come", "a sample every %s is never within a gap of %s", short(s.Interval), short(s.MaxGap))
	}
	return s
}

// short is a duration as people write it: 26h, not 26h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func pace(y *paceYAML, interval time.Duration) Pace {
	return Pace{
		InitialDelay: y.InitialDelay.V, Interval: y.Interval.Or(interval),
		FailureLimit: y.FailureLimit.V, Successes: y.Successes.Or(defaultSuccesses),
	}
}

func approval(y approvalYAML) Approval {
	return Approval{Approvers: string(y.Approvers.V), Count: y.Count.Or(defaultCount), Expires: y.Expires.Or(defaultExpires)}
}

func (l *loader) inquiries(list []inquiryYAML) []Inquiry {
	var made []Inquiry
	first := map[name]document.Pos{}
	for i := range list {
		y := &list[i]
		if before, twice := first[y.Name.V]; twice && y.Name.Set() {
			l.file.Errorf(y.Name.At, "give each check of a gate its own name", "the check `%s` stands twice: the first is on line %d", y.Name.V, before.Line)
		}
		first[y.Name.V] = y.Name.At
		made = append(made, l.inquiry(y))
	}
	return made
}

// inquiry turns one entry into its question. document has made sure that there is one.
func (l *loader) inquiry(y *inquiryYAML) Inquiry {
	q := Inquiry{
		Name: string(y.Name.V), When: y.When.Or(WhenBoth), Within: y.Within.Or(defaultAnswer),
		Pace: pace(&y.paceYAML, defaultInterval),
	}
	switch {
	case y.Command.Set():
		q.Command = &health.Command{Argv: l.argv(y.Command.V.Argv)}
	case y.HTTP.Set():
		p := y.HTTP.V
		q.HTTP = &health.HTTP{URL: string(p.URL.V), Status: p.Status.Or(defaultStatus), Contains: p.Contains.V, From: health.FromController}
	case y.Prometheus.Set():
		q.Prometheus = l.prometheus(y.Prometheus.V)
	}
	return q
}

func (l *loader) prometheus(y prometheusYAML) *Prometheus {
	p := &Prometheus{URL: string(y.URL.V), Query: y.Query.V, Token: y.Token.V.String()}
	if y.Min.Set() {
		p.Min = &y.Min.V
	}
	if y.Max.Set() {
		p.Max = &y.Max.V
	}
	switch {
	case y.Query.Set() && strings.TrimSpace(y.Query.V) == "":
		l.file.Errorf(y.Query.At, "", "the query is empty")
	case p.Min != nil && p.Max != nil && *p.Min > *p.Max:
		l.file.Errorf(y.Max.At, "let min be the smaller one", "no value is between %v and %v", *p.Min, *p.Max)
	}
	return p
}

func (l *loader) urgent() {
	y := l.yaml.Urgent
	if !y.Set() {
		return
	}
	u := &Urgent{}
	if y.V.Soak.Set() {
		u.Soak = &y.V.Soak.V
	}
	if y.V.Window.Set() {
		window := string(y.V.Window.V)
		u.Window = &window
	}
	if y.V.Approval.Set() {
		a := approval(y.V.Approval.V)
		u.Approval = &a
	}
	l.book.Urgent = u
	sites := slices.Sorted(maps.Keys(l.touched))
	l.window(y.V.Window, sites)
	l.approvers(y.V.Approval, sites)
}
