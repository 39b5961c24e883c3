package report

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

func newPlanRing(r plan.Ring, units map[fact.HostID]string, signed bool) PlanRing {
	return PlanRing{
		Name: clean(r.Name), Hosts: len(r.Hosts), Batches: append([]int{}, r.Batches...),
		MaxInFlight: r.MaxInFlight, FailureLimit: r.FailureLimit, Units: countUnits(r.Hosts, units),
		Window: windowName(r.Window), Stages: append([]int{}, r.Stages...), Gate: newPlanGate(r.Gate, signed),
	}
}

func countUnits(hosts []fact.HostID, units map[fact.HostID]string) int {
	seen := map[string]bool{}
	for _, h := range hosts {
		seen[orElse(units[h], "host "+h.Name)] = true
	}
	return len(seen)
}

func windowName(name string) string { return clean(orElse(name, schedule.Any)) }

func newPlanGate(g plan.Gate, signed bool) PlanGate {
	out := PlanGate{Checks: []PlanInquiry{}, MinParticipation: g.MinParticipation, Coverage: g.Coverage}
	if out.MinParticipation == 0 {
		out.MinParticipation = rollout.MinParticipation
	}
	if s := g.Soak; s != nil {
		out.Soak = &PlanSoak{For: whole(s.For), MaxGap: whole(s.MaxGap), PlanPace: newPlanPace(s.Pace)}
	}
	if a := g.Approval; a != nil {
		out.Approval = &PlanApproval{Approvers: clean(a.Approvers), People: cleanAll(a.People), Count: a.Count, Expires: whole(a.Expires), Authenticated: signed}
	}
	for _, c := range g.Checks {
		kind, what := inquiryWords(c)
		out.Checks = append(out.Checks, PlanInquiry{
			Name: clean(c.Name), When: orElse(clean(string(c.When)), string(playbook.WhenBoth)), Kind: kind, What: what,
			Within: whole(c.Within), PlanPace: newPlanPace(c.Pace),
		})
	}
	return out
}

func newPlanPace(p playbook.Pace) PlanPace {
	return PlanPace{whole(p.InitialDelay), whole(p.Interval), p.FailureLimit, max(p.Successes, 1)}
}

func whole(d time.Duration) int64 { return int64(d / time.Second) }

// inquiryWords says what is asked, and where.
func inquiryWords(c playbook.Inquiry) (kind, what string) {
	switch {
	case c.Command != nil:
		return "command", clean(remote.Quote(c.Command.Argv))
	case c.HTTP != nil:
		what = fmt.Sprintf("%s answers %d", address(c.HTTP.URL), c.HTTP.Status)
		if c.HTTP.Contains != "" {
			what += " and contains " + strconv.Quote(c.HTTP.Contains)
		}
		return "http", clean(what)
	case c.Prometheus != nil:
		return "prometheus", clean(c.Prometheus.Query + bounds(c.Prometheus) + " at " + place(c.Prometheus.URL))
	}
	return "unknown", ""
}

func bounds(p *playbook.Prometheus) string {
	out := ""
	if p.Min != nil {
		out += " >= " + strconv.FormatFloat(*p.Min, 'g', -1, 64)
	}
	if p.Min != nil && p.Max != nil {
		out += " and"
	}
	if p.Max != nil {
		out += " <= " + strconv.FormatFloat(*p.Max, 'g', -1, 64)
	}
	return out
}

// place is the part of a URL that is never a secret. The path of a webhook often is one.
func place(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "(a URL)"
	}
	return clean(u.Scheme + "://" + u.Host)
}

// address is a URL without its user and its query.
func address(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "(a URL)"
	}
	return clean(u.Scheme + "://" + u.Host + u.EscapedPath())
}

func newPlanBudget(b plan.Budget) PlanBudget {
	return PlanBudget{Name: clean(b.Name), Most: b.Most, Hosts: hostNames(b.Hosts), Members: b.Members}
}

func newPlanHook(h plan.Hook) PlanHook {
	return PlanHook{
		Name: clean(h.Name), At: clean(string(h.At)), On: clean(h.On), Argv: cleanEach(h.Argv), Undo: cleanEach(h.Undo),
		Within: whole(h.Within), Become: h.Become, Wait: waitWords(h.Wait), Hosts: hostNames(h.Hosts),
	}
}

// waitWords is how a drain is seen to have taken effect.
func waitWords(w *playbook.Wait) string {
	switch {
	case w == nil:
		return ""
	case w.Idle:
		return "until it is idle, at most " + lasting(w.Within)
	}
	return clean("until " + remote.Quote(w.Argv) + " exits with 0, at most " + lasting(w.Within))
}

// cleanEach keeps empty texts: each is an argument.
func cleanEach(argv []string) []string {
	out := make([]string, 0, len(argv))
	for _, a := range argv {
		out = append(out, clean(a))
	}
	return out
}

func newPlanSilence(s plan.Silence) PlanSilence {
	out := PlanSilence{Name: clean(s.Name), Kind: "webhook", To: place(s.Webhook), TTL: whole(s.TTL), Hosts: hostNames(s.Hosts)}
	if s.Alertmanager != "" {
		out.Kind, out.To = "alertmanager", place(s.Alertmanager)
	}
	return out
}

func hostNames(ids []fact.HostID) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, clean(id.String()))
	}
	return out
}

// lasting is a duration as people write it: 48h, 1h30m, 7d.
func lasting(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 3*day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	out := d.Round(time.Second).String()
	if strings.HasSuffix(out, "m0s") {
		out = strings.TrimSuffix(out, "0s")
	}
	if strings.HasSuffix(out, "h0m") {
		out = strings.TrimSuffix(out, "0m")
	}
	return out
}
