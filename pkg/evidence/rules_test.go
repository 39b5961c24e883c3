package evidence_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// TestRuleBreakers: whoever has the operator's keys, and so signs manifest and checkpoints,
// can't make up what others must sign, nor leave checkpoints out.
func TestRuleBreakers(t *testing.T) {
	for name, tt := range map[string]struct {
		part string
		tell func(s *story)
	}{
		"no approval":        {evidence.PartApprovals, func(*story) {}},
		"signed by somebody": {evidence.PartApprovals, func(s *story) { s.approve(mallory(), func(a *rollout.Approved) { a.As = jane().name }) }},
		"for another set":    {evidence.PartApprovals, func(s *story) { s.add(s.signed(jane(), func(a *rollout.Approved) { a.Set = patch.DigestOf(nil) })) }},
		"run out": {evidence.PartApprovals, func(s *story) {
			s.add(s.signed(jane(), func(a *rollout.Approved) { a.Expires = noon().Add(time.Minute) }))
		}},
		"for another ring's set": {evidence.PartApprovals, func(s *story) {
			s.approve(jane(), func(a *rollout.Approved) { a.Set = plan.SetDigest(s.set)[:70] + "0" })
		}},
		"expired":            {evidence.PartApprovals, func(s *story) { s.approve(jane(), func(a *rollout.Approved) { a.Expires = noon().Add(time.Minute) }) }},
		"drawn out":          {evidence.PartApprovals, func(s *story) { s.approve(jane(), func(a *rollout.Approved) { a.Expires = a.Expires.Add(time.Hour) }) }},
		"another reason":     {evidence.PartApprovals, func(s *story) { s.approve(jane(), func(a *rollout.Approved) { a.Reason = "another" }) }},
		"another key's name": {evidence.PartApprovals, func(s *story) { s.approve(jane(), func(a *rollout.Approved) { a.Key = mallory().fingerprint() }) }},
	} {
		s := begin(t, first, strict())
		s.seal("opened", operator())
		s.add(rollout.GateOpened{Ring: "test"})
		s.seal("gate test", operator())
		s.work(host("web-t1"))
		tt.tell(s)
		s.produce()
		v := verified(t, s.bundle())
		if v.Part(tt.part).Standing != evidence.Broken || v.Standing() != evidence.Broken {
			t.Errorf("%s: %s is %+v", name, tt.part, v.Part(tt.part))
		}
	}
}

// TestOpenedOtherwise: a journal that was opened with milder rules than its plan has is no
// journal of that plan, whoever has signed all of it.
func TestOpenedOtherwise(t *testing.T) {
	for name, change := range map[string]func(*rollout.Opened){
		"no signatures": func(o *rollout.Opened) { o.Trust = plan.Trust{} },
		"anybody":       func(o *rollout.Opened) { o.Rings[1].Gate.Approval.People = []string{jane().name, mallory().name} },
		"fewer hosts":   func(o *rollout.Opened) { o.Rings[1].Gate.MinParticipation = 1 },
		"more failures": func(o *rollout.Opened) { o.Rings[0].FailureLimit = 9 },
		"another site":  func(o *rollout.Opened) { o.Site = "acme" },
	} {
		s := begin(t, first, strict())
		s.journal, s.mark = nil, journal.Mark{}
		change(&s.opened)
		s.add(s.opened)
		s.carry()
		if v := verified(t, s.bundle()); v.Part(evidence.PartPlan).Standing != evidence.Broken {
			t.Errorf("%s: %+v", name, v.Part(evidence.PartPlan))
		}
	}
}

// TestOtherHands: which approvals count where several were given.
func TestOtherHands(t *testing.T) {
	typed := func(a *rollout.Approved) { a.Signature, a.Key = "", "" }
	milder := plan.Trust{Checkpoints: true}
	for name, tt := range map[string]struct {
		trust plan.Trust
		want  evidence.Standing
		tell  func(s *story)
	}{
		"typed, where that is enough":      {milder, evidence.NotProven, func(s *story) { s.approve(jane(), typed) }},
		"signed, where that is not needed": {milder, evidence.Proven, func(s *story) { s.approve(jane(), nil) }},
		"typed first, then signed":         {milder, evidence.Proven, func(s *story) { s.approve(jane(), typed); s.approve(jane(), nil) }},
		"twice":                            {strict(), evidence.Proven, func(s *story) { s.approve(jane(), nil); s.approve(jane(), nil) }},
		"nobody":                           {milder, evidence.Broken, func(*story) {}},
	} {
		s := begin(t, first, tt.trust)
		s.seal("opened", operator())
		s.add(rollout.GateOpened{Ring: "test"})
		s.seal("gate test", operator())
		s.work(host("web-t1"))
		tt.tell(s)
		s.produce()
		if p := verified(t, s.bundle()).Part(evidence.PartApprovals); p.Standing != tt.want {
			t.Errorf("%s: %s, want %s: %v", name, p.Standing, tt.want, p.Why)
		}
	}
}

// TestFourEyes: a journal in which whoever made the first checkpoint approves, or nobody is
// known to have started the rollout, is no possible one where four eyes are demanded.
func TestFourEyes(t *testing.T) {
	for name, tt := range map[string]struct {
		fourEyes bool
		seal     bool
		want     evidence.Standing
	}{
		"demanded": {true, true, evidence.Broken}, "not demanded": {false, true, evidence.Proven}, "no first checkpoint": {true, false, evidence.Broken},
	} {
		s := begin(t, first, plan.Trust{Approvals: true, FourEyes: tt.fourEyes})
		if tt.seal {
			s.seal("opened", jane())
		}
		s.add(rollout.GateOpened{Ring: "test"})
		s.work(host("web-t1"))
		s.approve(jane(), nil)
		s.produce()
		if _, err := evidence.Wanted(s.journal); (err != nil) != (tt.want == evidence.Broken) {
			t.Errorf("%s: the journal is read: %v", name, err)
		}
	}
}

// TestTwoKeys: who starts a rollout with a key that nobody there knew, and approves it with
// another, is found by an auditor who knows both.
func TestTwoKeys(t *testing.T) {
	spare := newKey("spare")
	s := begin(t, first, plan.Trust{Approvals: true, FourEyes: true, Checkpoints: true})
	nameless := func(why string) {
		spare.name = ""
		s.seal(why, spare)
	}
	nameless("opened")
	s.add(rollout.GateOpened{Ring: "test"})
	nameless("gate test")
	s.work(host("web-t1"))
	s.approve(jane(), nil)
	s.trust.Checkpoints = false // the rest is of no account
	s.produce()
	spare.name = jane().name
	v := audited(t, evidence.Check{Archive: s.bundle(), Allowed: allowed(t, signers()+spare.allowed(""))})
	if p := v.Part(evidence.PartApprovals); p.Standing != evidence.Broken {
		t.Errorf("%s: %v", p.Standing, p.Why)
	}
}

// TestPlaces: where checkpoints are demanded, work without one behind the gate is a breach.
func TestPlaces(t *testing.T) {
	for name, tt := range map[string]struct {
		want evidence.Standing
		tell func(s *story)
	}{
		"all there": {evidence.Proven, func(s *story) {
			s.seal("opened", operator())
			s.add(rollout.GateOpened{Ring: "test"})
			s.seal("gate", operator())
			s.work(host("web-t1"))
		}},
		"none at all": {evidence.Broken, func(s *story) { s.add(rollout.GateOpened{Ring: "test"}); s.work(host("web-t1")) }},
		"none at gate": {evidence.Broken, func(s *story) {
			s.seal("opened", operator())
			s.add(rollout.GateOpened{Ring: "test"})
			s.work(host("web-t1"))
		}},
		"too late": {evidence.Broken, func(s *story) {
			s.seal("opened", operator())
			s.add(rollout.GateOpened{Ring: "test"})
			s.work(host("web-t1"))
			s.seal("gate", operator())
		}},
		"not yet":     {evidence.NotProven, func(s *story) { s.seal("opened", operator()); s.add(rollout.GateOpened{Ring: "test"}) }},
		"not at end":  {evidence.NotProven, func(s *story) { s.seal("opened", operator()); s.add(rollout.Aborted{Reason: "enough"}) }},
		"by somebody": {evidence.Broken, func(s *story) { s.seal("opened", mallory()) }},
		"of another history": {evidence.Broken, func(s *story) {
			s.sealOver(journal.Mark{Seq: 1, Line: patch.DigestOf([]byte("another"))}, "opened", operator())
		}},
		"over what was before": {evidence.Broken, func(s *story) {
			opening := s.mark
			s.seal("opened", operator())
			s.add(rollout.GateOpened{Ring: "test"})
			s.sealOver(opening, "gate", operator())
			s.work(host("web-t1"))
		}},
		"of other site": {evidence.Broken, func(s *story) { s.opened.Site = "else"; s.seal("opened", operator()) }},
	} {
		s := begin(t, first, strict())
		tt.tell(s)
		if p := verified(t, s.bundle()).Part(evidence.PartCheckpoints); p.Standing != tt.want {
			t.Errorf("%s: %s, want %s: %v", name, p.Standing, tt.want, p.Why)
		}
		torn := append(bytes.Clone(s.journal), `{"v":1,"se`...)
		parts, err := evidence.Carried(torn, s.source().Plan, allowed(t, signers()), true)
		if err != nil && name == "of other site" {
			continue // the plan is another site's
		}
		if err != nil || parts[0].Standing != tt.want {
			t.Errorf("%s, before it is carried on: %v, %v, want %s", name, parts, err, tt.want)
		}
	}
	if p, err := evidence.Carried([]byte("{}\n"), nil, nil, true); err == nil {
		t.Errorf("no journal at all: %v", p)
	}
}
