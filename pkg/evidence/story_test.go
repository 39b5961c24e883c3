package evidence_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
)

// The people of the stories.
func operator() key { return newKey("olga@hq.example") }
func jane() key     { return newKey("jane@hq.example") }
func mallory() key  { return newKey("mallory@else.example") }

// signers is the auditor's own file.
func signers() string {
	return "# who may sign what\n" +
		operator().allowed(`namespaces="patchring-checkpoint,patchring-evidence,patchring-plan"`) +
		jane().allowed(`namespaces="patchring-approval"`)
}

func allowed(t testing.TB, text string) *sshsig.Allowed {
	t.Helper()
	a, err := sshsig.ParseAllowed("allowed_signers", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func strict() plan.Trust {
	return plan.Trust{Approvals: true, Plans: true, Checkpoints: true, FourEyes: true}
}

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// story is a rollout as it is journaled.
type story struct {
	tb      testing.TB
	id      string
	trust   plan.Trust
	plan    []byte
	journal []byte
	mark    journal.Mark
	opened  rollout.Opened
	objects map[patch.Digest][]byte
	set     patch.PatchSet
	web     []fact.HostID
}

func host(name string) fact.HostID { return fact.HostID{Site: "hq", Name: name} }

func update() patch.Update {
	return patch.Update{Name: "openssl", Arch: "amd64", From: "3.0.14-1", To: "3.0.15-1", Security: patch.Yes, CVEs: "CVE-2026-1234"}
}

func proven() patch.Proven {
	return patch.Proven{Domain: "debian 12 amd64", Name: "openssl", Arch: "amd64", Version: "3.0.15-1", Digest: patch.DigestOf([]byte("deb")), Assurance: patch.AssuranceSigned}
}

// newPlan has a test ring and a production ring, whose gate asks for a soak and for Jane.
func newPlan(id string, trust plan.Trust, web []fact.HostID) *plan.Plan {
	ring := func(name string, hosts ...fact.HostID) plan.Ring {
		return plan.Ring{Name: name, Hosts: hosts, Batches: []int{len(hosts)}, MaxInFlight: len(hosts)}
	}
	production := ring("production", web...)
	production.Gate = plan.Gate{
		Soak:     &playbook.Soak{For: time.Minute, Pace: playbook.Pace{Interval: time.Hour}, MaxGap: 2 * time.Hour},
		Approval: &plan.Approval{Approvers: "board", People: []string{jane().name, operator().name}, Count: 1, Expires: 24 * time.Hour},
	}
	planned := func(id fact.HostID, ring string) plan.Host {
		return plan.Host{
			ID: id, Ring: ring, Domain: "debian 12 amd64", Platform: "debian", Install: []patch.Update{update()}, Reboot: patch.Yes,
			Left: []patch.Left{{Update: patch.Update{Name: "mysql-server", To: "8.1"}, Reason: patch.ReasonExcluded, Detail: "vendor release, owner dba, until 2027-02-01"}},
		}
	}
	hosts := []plan.Host{planned(host("web-t1"), "test")}
	for _, id := range web {
		hosts = append(hosts, planned(id, "production"))
	}
	slices.SortFunc(hosts, func(a, b plan.Host) int { return a.ID.Compare(b.ID) })
	return &plan.Plan{
		Version: plan.Version, Playbook: "monthly", Source: patch.DigestOf([]byte(id)), Inventory: patch.DigestOf([]byte("inventory")), Site: "hq", Made: noon(),
		Rings: []plan.Ring{ring("test", host("web-t1")), production}, Hosts: hosts, Trust: trust,
		Quarantined: []plan.Quarantined{{ID: host("old-1"), Ring: "production", Owner: "jane", Until: noon().Add(time.Hour), Reason: "dead disk"}},
	}
}

// begin opens a rollout.
func begin(tb testing.TB, id string, trust plan.Trust) *story {
	tb.Helper()
	return beginOf(tb, id, trust, []fact.HostID{host("web-1")})
}

// beginOf opens one whose production ring has these hosts.
func beginOf(tb testing.TB, id string, trust plan.Trust, web []fact.HostID) *story {
	tb.Helper()
	s := &story{tb: tb, id: id, trust: trust, web: web}
	return s.open(newPlan(id, trust, web))
}

// open begins the story of another plan.
func (s *story) open(p *plan.Plan) *story {
	s.tb.Helper()
	raw, err := plan.Encode(p)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.plan, s.objects, s.set = raw, map[patch.Digest][]byte{}, plan.Freeze([]patch.Proven{proven()})
	s.journal, s.mark, s.opened = nil, journal.Mark{}, rollout.Open(s.id, p, patch.DigestOf(raw))
	s.add(s.opened)
	return s
}

// add journals an entry, a minute after the one before.
func (s *story) add(e rollout.Entry) {
	s.tb.Helper()
	kind, payload, err := rollout.Marshal(e)
	if err != nil {
		s.tb.Fatal(err)
	}
	line, mark, err := journal.Line(s.mark, journal.Record{Time: noon().Add(time.Duration(s.mark.Seq) * time.Minute), Actor: "olga@laptop", Kind: kind, Payload: payload})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.journal, s.mark = append(append(s.journal, line...), '\n'), mark
}

// seal journals a checkpoint.
func (s *story) seal(why string, k key) { s.tb.Helper(); s.sealOver(s.mark, why, k) }

// sealOver journals one over any place.
func (s *story) sealOver(at journal.Mark, why string, k key) {
	s.tb.Helper()
	e := rollout.Sealed{Seq: at.Seq, Line: at.Line, Why: why, As: k.name, Key: k.fingerprint()}
	message, err := evidence.CheckpointMessage(evidence.CheckpointOf(s.opened, e))
	if err != nil {
		s.tb.Fatal(err)
	}
	e.Signature = k.sign("patchring-checkpoint", message)
	s.add(e)
}

// approve journals the word of a person for the production ring; change is made to what
// that person has signed.
func (s *story) approve(k key, change func(*rollout.Approved)) {
	s.tb.Helper()
	a := s.signed(k, nil)
	if change != nil {
		change(&a)
	}
	s.add(a)
}

// signed is such a word; what it says is changed before it is signed.
func (s *story) signed(k key, change func(*rollout.Approved)) rollout.Approved {
	s.tb.Helper()
	a := rollout.Approved{
		Ring: "production", Plan: s.opened.Plan, Set: plan.SetDigest(s.set), By: k.name + "@phone", As: k.name,
		Expires: noon().Add(24 * time.Hour), Reason: "change 4711", Authenticated: true, Key: k.fingerprint(),
	}
	if change != nil {
		change(&a)
	}
	message, err := evidence.ApprovalMessage(evidence.ApprovalOf(s.opened, a))
	if err != nil {
		s.tb.Fatal(err)
	}
	a.Signature = k.sign("patchring-approval", message)
	return a
}

// keep puts something into the store.
func (s *story) keep(v any) patch.Digest {
	s.tb.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		s.tb.Fatal(err)
	}
	d := patch.DigestOf(raw)
	s.objects[d] = raw
	return d
}

func (s *story) facts(id fact.HostID, boot string) patch.Digest {
	return s.keep(fact.Facts{Host: id, BootID: boot, Kernel: fact.Kernel{Running: "6.1-" + boot}, OS: fact.OS{ID: "debian", VersionID: "12"}, Arch: "amd64"})
}

// work carries one host from begin to end.
func (s *story) work(id fact.HostID) {
	steps := []platform.StepID{rollout.FlowBefore, "install", "reboot", rollout.FlowVerify, rollout.FlowCheck, rollout.FlowEnd}
	ends := map[platform.StepID]rollout.StepEnded{
		rollout.FlowBegin: {Began: &rollout.Began{
			Facts: s.facts(id, "boot-1"), Work: patch.Work{ID: "w-" + id.Name, Install: []patch.Update{update()}}, Steps: steps, Changing: []platform.StepID{"install", "reboot"},
		}},
		rollout.FlowBefore: {Before: s.keep(fact.Snapshot{BootID: "boot-1 " + id.Name})},
		rollout.FlowVerify: {Proven: []patch.Proven{proven()}, Reboots: true, After: s.facts(id, "boot-2")},
		rollout.FlowCheck:  {Checks: []health.Result{{Check: "service nginx", Verdict: health.Pass, Seen: "active", Tries: 1}}},
	}
	for _, step := range append([]platform.StepID{rollout.FlowBegin}, steps...) {
		end := ends[step]
		end.Host, end.Step, end.Outcome = id, step, rollout.OutcomeOK
		s.add(rollout.StepStarted{Host: id, Step: step, Mode: rollout.Start})
		s.add(end)
	}
}

// sealIf journals a checkpoint where they are made in this story.
func (s *story) sealIf(why string) {
	if s.trust.Checkpoints {
		s.seal(why, operator())
	}
}

// whole tells the story to its end.
func whole(tb testing.TB, id string, trust plan.Trust) *story {
	tb.Helper()
	s := begin(tb, id, trust)
	s.carry()
	return s
}

// carry brings a rollout from its opening to its end.
func (s *story) carry() {
	s.sealIf("opened")
	s.add(rollout.GateOpened{Ring: "test", Reasons: []string{"the first ring"}})
	s.sealIf("gate test")
	s.work(host("web-t1"))
	s.add(rollout.Sampled{Ring: "production", Pass: 1, Samples: s.keep("all pass")})
	s.approve(jane(), nil)
	s.produce()
}

// produce opens the gate of the production ring, and ends the rollout.
func (s *story) produce() {
	s.add(rollout.WindowOverridden{Reason: "the board has agreed", Until: noon().Add(48 * time.Hour)})
	s.add(rollout.GateOpened{Ring: "production", Set: plan.SetDigest(s.set), Frozen: s.set, Reasons: []string{"soaked 1h of 1h", "95 % took part"}})
	s.sealIf("gate production")
	for _, id := range s.web {
		s.work(id)
	}
	s.add(rollout.Finished{})
	s.sealIf("finished")
}

func (s *story) source() evidence.Source {
	return evidence.Source{
		Journal: s.journal, Plan: s.plan, PlanSignature: []byte(operator().sign("patchring-plan", s.plan)), Objects: s.objects, Tool: "v1.2.3", SBOM: []byte("{}\n"),
	}
}

// bundle is the story's evidence, signed by the operator.
func (s *story) bundle() []byte {
	s.tb.Helper()
	return built(s.tb, s.source(), operator().signer)
}

func built(tb testing.TB, s evidence.Source, sign evidence.Sign) []byte {
	tb.Helper()
	archive, err := evidence.Build(s, sign)
	if err != nil {
		tb.Fatal(err)
	}
	return archive
}

// verified is what an auditor with the right allowed_signers finds.
func verified(tb testing.TB, archive []byte) evidence.Verdict {
	tb.Helper()
	return audited(tb, evidence.Check{Archive: archive, Allowed: allowed(tb, signers())})
}

func audited(tb testing.TB, c evidence.Check) evidence.Verdict {
	tb.Helper()
	c.Now = noon().Add(30 * 24 * time.Hour)
	v, err := evidence.Verify(c)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}
