package report

import (
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// Where one condition of a gate stands.
const (
	needWaiting      = "waiting"
	needPassed       = "passed"
	needFailed       = "failed"
	needInconclusive = "inconclusive"
	needWaived       = "waived"
)

func newGate(r rollout.RingStatus) Gate {
	out := Gate{State: gateWord(r.Gate), Reasons: cleanAll(r.GateReasons), Checks: []InquiryGate{}, Waived: []Waiver{}}
	p := r.Progress
	if p == nil {
		return out
	}
	waived := waivedOf(*p)
	for _, w := range p.Waived {
		out.Waived = append(out.Waived, Waiver{What: clean(w.What), Reason: clean(w.Reason), By: clean(w.By)})
	}
	if p.Soak != nil {
		out.Soak = newSoakGate(*p.Soak, waived[rollout.WaiveSoak])
	}
	if p.Approval != nil {
		out.Approval = newApprovalGate(*p.Approval)
	}
	for _, q := range p.Inquiries {
		out.Checks = append(out.Checks, newInquiryGate(q, waived[waiveCheck+q.Name]))
	}
	return out
}

// waiveCheck begins the name of an inquiry in a waiver.
const waiveCheck = "check:"

func waivedOf(p rollout.GateProgress) map[string]bool {
	out := map[string]bool{}
	for _, w := range p.Waived {
		out[w.What] = true
	}
	return out
}

func newSoakGate(p rollout.SoakProgress, waived bool) *SoakGate {
	out := &SoakGate{
		State: needWaiting, For: whole(p.For), Soaked: whole(p.Soaked), Samples: p.Samples, Failed: p.Failed,
		Pass: p.Pass, Fail: p.Fail, Unknown: p.Unknown, Last: p.Last.UTC(), Sick: sickOf(p.Sick),
	}
	switch {
	case p.Shut:
		out.State = needFailed
	case waived:
		out.State = needWaived
	case p.Doubtful:
		out.State = needInconclusive
	case p.Passed:
		out.State = needPassed
	}
	return out
}

func sickOf(all map[string]string) []Sick {
	out := []Sick{}
	for _, host := range slices.Sorted(maps.Keys(all)) {
		out = append(out, Sick{clean(host), clean(all[host])})
	}
	return out
}

func newApprovalGate(p rollout.ApprovalProgress) *ApprovalGate {
	out := &ApprovalGate{State: needWaiting, Approvers: clean(p.Approvers), Count: p.Count, Given: []Approval{}}
	for _, a := range p.Given {
		out.Given = append(out.Given, Approval{clean(a.As), clean(a.By), clean(a.Reason), a.Expires.UTC(), a.Authenticated})
	}
	if out.people() >= out.Count {
		out.State = needPassed
	}
	return out
}

// people counts each of those who approved once.
func (a ApprovalGate) people() int {
	who := map[string]bool{}
	for _, g := range a.Given {
		who[g.As] = true
	}
	return len(who)
}

func newInquiryGate(q rollout.InquiryProgress, waived bool) InquiryGate {
	out := InquiryGate{
		Name: clean(q.Name), When: orElse(clean(string(q.When)), string(playbook.WhenBoth)), State: needWaiting,
		Asked: q.Asked, Failed: q.Failed, Successes: q.Successes,
		Verdict: q.LastVerdict.String(), Seen: clean(q.Seen), Last: q.Last.UTC(),
	}
	switch {
	case q.Passed:
		out.State = needPassed
	case waived:
		out.State = needWaived
	case q.Asked == 0:
	case q.LastVerdict == health.Fail:
		out.State = needFailed
	case q.LastVerdict != health.Pass:
		out.State = needInconclusive
	}
	return out
}
