package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// counts says which approvals do.
func (a PlanApproval) counts() string {
	if a.Authenticated {
		return "signed ones only"
	}
	return "typed names count, unauthenticated"
}

// extras are the lines at the top that only some plans have.
func (d Plan) extras() []pair {
	var out []pair
	if d.Urgent {
		out = append(out, pair{"Lane", text("urgent: its own soak, window and approval; the same rings in the same order")})
	}
	if d.Trust != nil {
		out = append(out, pair{"Signed", text(d.Trust.said())})
	}
	if d.FailureLimit != nil {
		out = append(out, pair{"Limit", text(fmt.Sprintf("more than %d failed of all hosts stop the rollout", *d.FailureLimit))})
	}
	if len(d.Calendar.Windows) > 0 {
		out = append(out, pair{"Takes", text(d.takes())})
	}
	for _, f := range d.Calendar.Freezes {
		out = append(out, pair{"Freeze", text(fmt.Sprintf("%s through %s %s: %s", f.From, f.Through, d.Calendar.Zone, f.Reason))})
	}
	return out
}

// takes is how long the work on a host is expected to take: windows depend on it.
func (d Plan) takes() string {
	var known []int64
	assumed := 0
	for _, h := range d.Hosts {
		if h.Takes > 0 && len(h.Updates) > 0 {
			known = append(known, h.Takes)
			if h.Assumed {
				assumed++
			}
		}
	}
	if len(known) == 0 {
		return ""
	}
	least, most := lasting(time.Duration(slices.Min(known))*time.Second), lasting(time.Duration(slices.Max(known))*time.Second)
	out := "about " + least
	if least != most {
		out += " to " + most
	}
	out += " a host"
	switch {
	case assumed == len(known):
		return out + ": the default, for want of history"
	case assumed > 0:
		return fmt.Sprintf("%s, by such hosts' history; the default for %d without any", out, assumed)
	}
	return out + ", by such hosts' history"
}

func (d Plan) gateSheet() sheet {
	s := sheet{title: "What must hold before each ring", group: true, columns: []column{{head: "RING", whole: true}, {head: "NEEDS", least: 8}, {head: "WHAT", least: 24, prose: true}}}
	for _, r := range d.Rings {
		for _, need := range d.needs(r) {
			s.rows = append(s.rows, texts(r.Name, need[0], need[1]))
		}
	}
	return s
}

// needs lists what a ring asks for beyond what every ring does.
func (d Plan) needs(r PlanRing) [][2]string {
	var out [][2]string
	add := func(need, what string) { out = append(out, [2]string{need, what}) }
	if r.Window != schedule.Any {
		add("window", d.windowSaid(r.Window))
	}
	if len(r.Stages) > 1 {
		add("order", stagesSaid(r.Stages))
	}
	if s := r.Gate.Soak; s != nil {
		add("soak", s.said())
	}
	if a := r.Gate.Approval; a != nil {
		add("approval", a.said())
	}
	for _, c := range r.Gate.Checks {
		add("check "+c.Name, c.said())
	}
	if p := r.Gate.MinParticipation; p != rollout.MinParticipation {
		add("participation", fmt.Sprintf("%d %% of the hosts of the rings before", p))
	}
	if r.Gate.Coverage > 0 {
		add("coverage", fmt.Sprintf("%d %% of its updates proven by a ring before", r.Gate.Coverage))
	}
	return out
}

func (d Plan) windowSaid(name string) string {
	for _, w := range d.Calendar.Windows {
		if w.Name == name && w.Opens != "" {
			return name + ": " + w.Opens + " " + d.Calendar.Zone
		}
	}
	return name + ": it never opens"
}

func stagesSaid(stages []int) string {
	var sizes []string
	for _, n := range stages {
		sizes = append(sizes, count(n, "host"))
	}
	return "one stage after the other: " + strings.Join(sizes, ", then ")
}

func (s PlanSoak) said() string {
	out := lastingSeconds(s.For) + " healthy on the rings before, " + s.PlanPace.said("sampled")
	if s.MaxGap > 0 {
		out += "; a gap of more than " + lastingSeconds(s.MaxGap) + " does not count"
	}
	return out
}

// said is e.g. "asked every 5m; more than 1 failed shuts it".
func (p PlanPace) said(verb string) string {
	out := verb + " every " + lastingSeconds(p.Interval)
	if p.InitialDelay > 0 {
		out += ", first after " + lastingSeconds(p.InitialDelay)
	}
	if p.Successes > 1 {
		out += fmt.Sprintf(", %d passes in a row", p.Successes)
	}
	return out + fmt.Sprintf("; more than %d failed shut it", p.FailureLimit)
}

func lastingSeconds(s int64) string { return lasting(time.Duration(s) * time.Second) }

func (a PlanApproval) said() string {
	return fmt.Sprintf("%s: %d of %s (%s), each holds %s; %s",
		a.Approvers, a.Count, people(len(a.People)), orElse(some(a.People), "nobody"), lastingSeconds(a.Expires), a.counts())
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

func (c PlanInquiry) said() string {
	when := "before and after the ring"
	if c.When != "both" {
		when = c.When + " the ring"
	}
	return c.Kind + " " + c.What + "; " + when + ", " + c.PlanPace.said("asked")
}

func (d Plan) budgetSheet() sheet {
	s := sheet{title: "Budgets: the most that may be out at once", columns: []column{{head: "BUDGET", least: 12}, {head: "MOST", right: true}, {head: "OF", least: 10}}}
	var pairs []string
	for _, b := range d.Budgets {
		if b.Members && b.Most == 1 { // one for each unit: they all say the same
			pairs = append(pairs, b.Name)
			continue
		}
		s.rows = append(s.rows, texts(b.Name, fmt.Sprint(b.Most), count(len(b.Hosts), "host")))
	}
	if len(pairs) > 0 {
		s.rows = append(s.rows, texts(some(pairs), "1", "each unit's members"))
	}
	return s
}

// aroundSheet is what runs beside the driver's own steps, in the order of the work.
func (d Plan) aroundSheet() sheet {
	s := sheet{title: "What runs around the work", columns: []column{{head: "WHEN", whole: true}, {head: "HOSTS", least: 10}, {head: "ON", least: 6}, {head: "WHAT", least: 24, prose: true}}}
	for _, m := range d.Silences {
		s.rows = append(s.rows, texts("silence", some(m.Hosts), "controller", fmt.Sprintf("%s: %s %s; it ends by itself after %s", m.Name, m.Kind, m.To, lastingSeconds(m.TTL))))
	}
	for _, at := range []string{"before", "drain", "after"} {
		for _, h := range d.Hooks {
			if h.At == at {
				s.rows = append(s.rows, texts(at, some(h.Hosts), h.On, h.said()))
			}
		}
	}
	return s
}

func (h PlanHook) said() string {
	out := remote.Quote(h.Argv) + ", within " + lastingSeconds(h.Within)
	if h.Become {
		out += ", as root"
	}
	if h.Wait != "" {
		out += "; waits " + h.Wait
	}
	if len(h.Undo) > 0 {
		out += "; put back by " + remote.Quote(h.Undo)
	}
	return out
}
