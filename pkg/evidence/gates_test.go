package evidence_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// TestGates: whoever holds all keys of the operator, and has the approval, can't let a gate
// open otherwise than the journal before it allows.
func TestGates(t *testing.T) {
	sampled := func(pass, fail int) func(s *story) {
		return func(s *story) { s.add(rollout.Sampled{Ring: "production", Pass: pass, Fail: fail}) }
	}
	asked := func(v health.Verdict) func(s *story) {
		return func(s *story) {
			s.add(rollout.Asked{Ring: "production", Check: "backup", When: playbook.WhenBefore, Verdict: v})
		}
	}
	inquiry := func(p *plan.Plan) {
		p.Rings[1].Gate.Soak = nil
		p.Rings[1].Gate.Checks = []playbook.Inquiry{{Name: "backup", When: playbook.WhenBefore, Pace: playbook.Pace{Interval: time.Hour}}}
	}
	for name, tt := range map[string]struct {
		plan func(*plan.Plan)
		tell func(*story)
		want string // why it is broken; "": it is proven
	}{
		"soaked":        {nil, sampled(1, 0), ""},
		"no sample":     {nil, func(*story) {}, "soak 0s of 1m, no sample yet"},
		"a sick sample": {nil, sampled(0, 1), "soak: 1 of 1 samples failed"},
		"too short":     {func(p *plan.Plan) { p.Rings[1].Gate.Soak.For = time.Hour }, sampled(1, 0), "soak 0s of 1h"},
		"waived": {func(p *plan.Plan) { p.Rings[1].Gate.Soak.For = time.Hour }, func(s *story) {
			s.add(rollout.Waived{Ring: "production", Set: plan.SetDigest(s.set), What: rollout.WaiveSoak, By: "jane", Reason: "urgent"})
			sampled(1, 0)(s)
		}, ""},
		"answered":       {inquiry, asked(health.Pass), ""},
		"not answered":   {inquiry, func(*story) {}, "check backup (before): not asked yet"},
		"answered no":    {inquiry, asked(health.Fail), "check backup (before) failed"},
		"another set":    {nil, func(s *story) { sampled(1, 0)(s); s.set = plan.Freeze([]patch.Proven{proven(), {Name: "more"}}) }, "approval: board 0 of 1"},
		"nobody, a set":  {func(p *plan.Plan) { p.Rings[1].Gate.Approval = nil }, func(s *story) { sampled(1, 0)(s); s.set = plan.Freeze(nil) }, "for patch set"},
		"little covered": {func(p *plan.Plan) { p.Rings[1].Gate.Coverage = 90; p.Hosts[0].Install[0].To = "9" }, sampled(1, 0), "coverage: 0 of its 1 updates"},
	} {
		s := planned(t, strict(), tt.plan)
		s.seal("opened", operator())
		s.add(rollout.GateOpened{Ring: "test"})
		s.seal("gate test", operator())
		s.work(host("web-t1"))
		tt.tell(s)
		if s.opened.Rings[1].Gate.Approval != nil {
			s.approve(jane(), nil)
		}
		s.produce()
		v := verified(t, s.bundle())
		p := v.Part(evidence.PartGates)
		if proven := v.Standing() == evidence.Proven && p.Standing == evidence.Proven; tt.want == "" && !proven {
			t.Errorf("%s: %s: %+v", name, v.Standing(), v.Parts)
		}
		if tt.want != "" && (v.Standing() != evidence.Broken || p.Standing != evidence.Broken || !strings.Contains(p.Why[0], tt.want)) {
			t.Errorf("%s: %s: %v", name, p.Standing, p.Why)
		}
	}
}

// planned begins a rollout whose plan is changed first.
func planned(t testing.TB, trust plan.Trust, change func(*plan.Plan)) *story {
	t.Helper()
	s := begin(t, first, trust)
	p, err := plan.Decode(s.plan)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(p)
	}
	return s.open(p)
}

// TestWho: the auditor's demands hold whatever the rollout demanded, and a gate that asked
// people is proven by their signatures alone.
func TestWho(t *testing.T) {
	typed := func(a *rollout.Approved) { a.Signature, a.Key = "", "" }
	unasked := func(p *plan.Plan) { p.Rings[1].Gate.Approval = nil }
	all := strict()
	for name, tt := range map[string]struct {
		trust, demand plan.Trust
		plan          func(*plan.Plan)
		typed         bool
		want          evidence.Standing
	}{
		"typed":                          {trust: plan.Trust{Checkpoints: true}, typed: true, want: evidence.NotProven},
		"nobody asked":                   {trust: plan.Trust{Checkpoints: true}, plan: unasked, want: evidence.Proven},
		"nobody asked, approvals wanted": {trust: plan.Trust{Checkpoints: true}, demand: plan.Trust{Approvals: true}, plan: unasked, want: evidence.NotProven},
		"no checkpoints":                 {trust: plan.Trust{}, want: evidence.Proven},
		"no checkpoints, but wanted":     {trust: plan.Trust{}, demand: plan.Trust{Checkpoints: true}, want: evidence.NotProven},
		"nobody knows who began":         {trust: plan.Trust{}, demand: plan.Trust{FourEyes: true}, want: evidence.NotProven},
		"four eyes, though not demanded": {trust: plan.Trust{Checkpoints: true}, demand: plan.Trust{FourEyes: true}, want: evidence.Proven},
		"all":                            {trust: all, demand: all, want: evidence.Proven},
	} {
		s := planned(t, tt.trust, tt.plan)
		s.sealIf("opened")
		s.add(rollout.GateOpened{Ring: "test"})
		s.sealIf("gate test")
		s.work(host("web-t1"))
		s.add(rollout.Sampled{Ring: "production", Pass: 1})
		switch {
		case tt.plan != nil:
		case tt.typed:
			s.approve(jane(), typed)
		default:
			s.approve(jane(), nil)
		}
		s.produce()
		if v := audited(t, evidence.Check{Archive: s.bundle(), Allowed: allowed(t, signers()), Demand: tt.demand}); v.Standing() != tt.want {
			t.Errorf("%s: %s, want %s: %+v", name, v.Standing(), tt.want, v.Parts)
		}
	}
	s := whole(t, first, strict())
	source := s.source()
	source.PlanSignature = nil
	archive := built(t, source, operator().signer)
	if v := audited(t, evidence.Check{Archive: archive, Allowed: allowed(t, signers()), Demand: plan.Trust{Plans: true}}); v.Standing() != evidence.NotProven {
		t.Errorf("a plan that nobody signed: %s", v.Standing())
	}
}

// TestExpired: a key that signed while it was valid has signed, though it has expired since.
func TestExpired(t *testing.T) {
	day := mallory().allowed(`namespaces="patchring-evidence",valid-after="20261122Z",valid-before="20261123Z"`)
	archive := built(t, whole(t, first, strict()).source(), mallory().signer)
	v := audited(t, evidence.Check{Archive: archive, Allowed: allowed(t, signers()+day)})
	if p := v.Part(evidence.PartManifest); v.Standing() != evidence.Proven || !strings.Contains(strings.Join(p.Why, " "), "expired since") {
		t.Errorf("exported with the next day's key: %s: %v", v.Standing(), p.Why)
	}
	for name, never := range map[string]string{
		"before the rollout": `valid-before="20261120Z"`, "in the future": `valid-after="20270601Z"`, "for something else": `namespaces="file",valid-after="20261122Z",valid-before="20261123Z"`,
	} {
		v := audited(t, evidence.Check{Archive: archive, Allowed: allowed(t, signers()+mallory().allowed(never))})
		if p := v.Part(evidence.PartManifest); p.Standing != evidence.Broken {
			t.Errorf("valid %s: %s: %v", name, p.Standing, p.Why)
		}
	}
}

// TestPublishedExpired: what was published is verified at the time at which it was made.
func TestPublishedExpired(t *testing.T) {
	s := begin(t, first, plan.Trust{Checkpoints: true})
	s.seal("opened", operator())
	for range 30 {
		s.add(rollout.Paused{Reason: "lunch"})
		s.add(rollout.Resumed{})
	}
	archive := built(t, s.source(), mallory().signer)
	for limit, want := range map[string]evidence.Standing{"202611211202Z": evidence.Proven, "202611211159Z": evidence.Broken} {
		text := operator().allowed(`valid-before="`+limit+`"`) + mallory().allowed("")
		v := audited(t, evidence.Check{Archive: archive, Allowed: allowed(t, text), Published: statements(t, archive)})
		if p := v.Part(evidence.PartPublished); p.Standing != want {
			t.Errorf("%s: %s: %v", limit, p.Standing, p.Why)
		}
	}
}

// TestWords: what is wrong with a file that is no bundle, or not a whole one.
func TestWords(t *testing.T) {
	archive := whole(t, first, strict()).bundle()
	for what, tt := range map[string]struct {
		file []byte
		want string
	}{
		"a text":       {[]byte("hello\n"), "this is no zip"},
		"nothing":      {nil, "this is no zip"},
		"cut early":    {archive[:3000], "was cut off here"},
		"cut late":     {archive[:len(archive)-9], "bytes are here"},
		"with a tail":  {slices.Concat(archive, []byte("tail")), "4 bytes stand behind its end"},
		"packed anew":  {evidence.Pack(evidence.Unpack(archive), noon().Add(-time.Hour)), "packed by something else"},
		"another kind": {append([]byte("PK\x03\x04"), make([]byte, 40)...), "not stored as patchring stores it"},
	} {
		if p := verified(t, tt.file).Part(evidence.PartArchive); p.Standing != evidence.Broken || !strings.Contains(p.Why[0], tt.want) {
			t.Errorf("%s: %s: %v", what, p.Standing, p.Why)
		}
	}
}
