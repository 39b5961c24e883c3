package rollout

import (
	"maps"
	"time"

	"github.com/patchring/patchring/pkg/playbook"
)

// progress is what a ring's gate has gathered, for people; nil where it asks for nothing.
func (s *State) progress(r *ring, now time.Time) *GateProgress {
	p := GateProgress{
		Soak: s.soakProgress(r, now), Approval: s.approvalProgress(r, now),
		Inquiries: inquiryProgress(r), Waived: append([]Waived(nil), r.waived...),
	}
	if p.Soak == nil && p.Approval == nil && len(p.Inquiries) == 0 {
		return nil
	}
	return &p
}

func (s *State) soakProgress(r *ring, now time.Time) *SoakProgress {
	rule, k := r.Gate.Soak, r.soak
	if rule == nil {
		return nil
	}
	p := &SoakProgress{
		For: rule.For, Soaked: min(k.soaked, rule.For), Samples: k.samples, Failed: k.failed,
		Pass: k.pass, Fail: k.fail, Unknown: k.doubts, Last: k.last, Sick: maps.Clone(k.sick), Passed: r.opened,
	}
	if !r.opened && !s.quiet(r).IsZero() {
		c := s.soakCondition(r, now)
		p.Passed, p.Shut, p.Doubtful = c.state == GateOpen, c.final, c.state == GateInconclusive
	}
	return p
}

func (s *State) approvalProgress(r *ring, now time.Time) *ApprovalProgress {
	a := r.Gate.Approval
	if a == nil {
		return nil
	}
	if r.opened { // what held then; it may have run out since
		now = r.openedAt
	}
	return &ApprovalProgress{Approvers: a.Approvers, Count: a.Count, Given: s.approvals(r, now)}
}

func inquiryProgress(r *ring) []InquiryProgress {
	var all []InquiryProgress
	for _, q := range r.Gate.Checks {
		for _, when := range []playbook.When{before, after} {
			if q.When != when && q.When != playbook.WhenBoth {
				continue
			}
			p := InquiryProgress{Name: q.Name, When: when}
			if a := r.asked[askedKey(q.Name, when)]; a != nil {
				p.Asked, p.Failed, p.Successes = a.asked, a.failed, a.streak
				p.Last, p.LastVerdict, p.Seen = a.last, a.verdict, a.seen
				p.Passed = a.streak >= max(1, q.Successes)
			}
			all = append(all, p)
		}
	}
	return all
}

// Sick gives the hosts that the last sample before a ring's gate found not well, and why.
func (s *State) Sick(name string) map[string]string {
	_, r := s.ring(name)
	if r == nil {
		return nil
	}
	return maps.Clone(r.soak.sick)
}
