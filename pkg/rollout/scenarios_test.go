package rollout

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
)

// draw is one scenario in the making.
type draw struct {
	*rapid.T
	s     scenario
	units map[fact.HostID]string
	peers []fact.HostID
}

// one tells whether something that is to happen in one of n cases does.
func (d *draw) one(n int, label string) bool { return rapid.IntRange(1, n).Draw(d.T, label) == n }

func pick[V any](d *draw, label string, from ...V) V {
	return rapid.SampledFrom(from).Draw(d.T, label)
}

func (d *draw) num(low, high int, label string) int {
	return rapid.IntRange(low, high).Draw(d.T, label)
}

// scenarios draws fleets of up to three rings, mostly well, with everything that may
// go wrong somewhere; sometimes two rollouts at the same time, of one state folder or
// of two.
func scenarios() *rapid.Generator[scenario] {
	return rapid.Custom(func(t *rapid.T) scenario {
		d := newDraw(t)
		d.part("monthly", 0, 0)
		if d.one(4, "a second rollout") {
			d.part("other", d.num(0, 1, "folder"), time.Duration(d.num(0, 90, "later"))*time.Minute)
		}
		d.finish()
		return d.s
	})
}

// rivals draws two rollouts, mostly of two folders, that start at the same time under
// one tight budget.
func rivals() *rapid.Generator[scenario] {
	return rapid.Custom(func(t *rapid.T) scenario {
		d := newDraw(t)
		for i, name := range []string{"a", "b"} {
			d.one4(name, i*d.num(0, 3, "folder"))
		}
		d.finish()
		return d.s
	})
}

func newDraw(t *rapid.T) *draw {
	return &draw{T: t, s: scenario{Bodies: map[fact.HostID]behaviour{}}, units: map[fact.HostID]string{}}
}

// one4 is a rollout of one ring of at most four hosts, on which little goes wrong.
func (d *draw) one4(name string, folder int) {
	p := d.newPart(name, folder)
	r := plan.Ring{Name: "all", Hosts: []fact.HostID{}, MaxInFlight: 4, FailureLimit: 4}
	for j := range d.num(1, 4, "hosts") {
		h := plan.Host{ID: id(fmt.Sprintf("%s%d", name, j)), Ring: r.Name, Platform: "debian", Domain: "debian 12 amd64"}
		h.Install = []patch.Update{{Name: "bash", Arch: "amd64", From: "1", To: "2"}}
		d.s.Bodies[h.ID] = behaviour{Pace: d.num(1, 9, "pace"), Tries: []script{d.script(6)}, Extras: Extras{Drain: d.one(3, "drain")}}
		d.wayBack(&h)
		r.Hosts = append(r.Hosts, h.ID)
		p.Plan.Hosts = append(p.Plan.Hosts, h)
	}
	p.Plan.Rings = append(p.Plan.Rings, r)
	d.back(p)
	d.s.Parts = append(d.s.Parts, *p)
}

func (d *draw) newPart(name string, folder int) *part {
	return &part{
		ID: name, Folder: folder, Crashes: map[uint64]bool{}, Words: map[uint64][]word{},
		Plan: &plan.Plan{Version: plan.Version, Playbook: name, Site: "hq", Rings: []plan.Ring{}, Hosts: []plan.Host{}},
	}
}

func (d *draw) part(name string, folder int, after time.Duration) {
	p := d.newPart(name, folder)
	p.After, p.Helped, p.Prompt = after, d.one(2, "helped"), d.one(2, "prompt")
	for i, ring := range []string{"test", "pilot", "production"}[:d.num(1, 3, "rings")] {
		d.ring(p, i, ring)
	}
	if d.one(4, "limit of all") {
		n := d.num(0, 3, "limit")
		p.Plan.FailureLimit = &n
	}
	p.Plan.Calendar = d.calendar()
	d.back(p)
	for range d.num(0, 2, "crashes") {
		p.Crashes[rapid.Uint64Range(1, 120).Draw(d.T, "crash")] = rapid.Bool().Draw(d.T, "done")
	}
	for range d.num(0, 4, "words") {
		at := rapid.Uint64Range(1, 120).Draw(d.T, "said at")
		p.Words[at] = append(p.Words[at], d.word())
	}
	if d.one(5, "stop") {
		p.StopAt = rapid.Uint64Range(1, 60).Draw(d.T, "stop at")
	}
	d.s.Parts = append(d.s.Parts, *p)
}

func (d *draw) ring(p *part, i int, name string) {
	n := d.num(0, 5, "hosts")
	if d.one(12, "large") {
		n = d.num(20, 22, "many hosts") // large enough for 95 % to mean something
	}
	r := plan.Ring{
		Name: name, Hosts: []fact.HostID{}, MaxInFlight: d.num(0, 4, "max in flight"),
		FailureLimit: pick(d, "limit", 0, 0, 1, 2, 5),
	}
	active := 0
	for j := range n {
		h := plan.Host{ID: id(fmt.Sprintf("%s%d-%02d", p.ID, i, j)), Ring: name, Platform: "debian", Domain: "debian 12 amd64"}
		d.host(&h)
		if j > 0 && d.one(4, "same unit") {
			d.join(r.Hosts[j-1], &h, p)
		}
		if h.Problem == nil && !h.Idle() {
			active++
		}
		r.Hosts = append(r.Hosts, h.ID)
		p.Plan.Hosts = append(p.Plan.Hosts, h)
	}
	sizes := pick(d, "batches", nil, []playbook.Size{{N: 1}}, []playbook.Size{{N: 1}, {N: 50, Percent: true}}, []playbook.Size{{N: 2}, {N: 3}})
	r.Batches = plan.Batches(active, sizes)
	if n > 1 && d.one(3, "stages") {
		first := d.num(1, n-1, "first stage")
		r.Stages = []int{first, n - first}
	}
	d.gate(p, &r, i)
	p.Plan.Rings = append(p.Plan.Rings, r)
}

// join puts a host into the unit of the one before it.
func (d *draw) join(with fact.HostID, h *plan.Host, p *part) {
	name := d.units[with]
	if name == "" {
		name = "u-" + with.Name
		d.units[with] = name
		p.Plan.Hosts[len(p.Plan.Hosts)-1].Unit = name
	}
	d.units[h.ID], h.Unit = name, name
}

func (d *draw) host(h *plan.Host) {
	h.Takes = time.Duration(pick(d, "takes", 0, 10, 30, 50, 80)) * time.Minute
	d.s.Bodies[h.ID] = behaviour{}
	switch d.num(0, 19, "kind") {
	case 0:
		h.Problem = &plan.Problem{Code: "unreachable", What: "no answer"}
		return
	case 1, 2:
		return // nothing to do
	case 3:
		h.Domain = "debian 13"
	}
	for _, name := range []string{"bash", "libssl3", "nginx"}[:d.num(1, 3, "updates")] {
		to := pick(d, "to", "2", "2", "2", "3")
		h.Install = append(h.Install, patch.Update{Name: name, Arch: "amd64", From: pick(d, "from", "1", "1", "1", ""), To: to, Security: patch.Yes})
	}
	d.wayBack(h)
	b := behaviour{Stuck: d.one(8, "stuck"), Pace: d.num(1, 5, "pace"), Tries: []script{d.script(4), d.script(8)}}
	if d.one(2, "extras") {
		b.Extras = Extras{Silence: d.one(2, "silence"), Before: d.one(2, "hook before"), Drain: d.one(2, "drain"), After: d.one(2, "hook after")}
	}
	if d.one(6, "falls ill") {
		b.Spells = []spell{d.spell()}
	}
	d.s.Bodies[h.ID] = b
}

func (d *draw) spell() spell {
	from := time.Duration(d.num(0, 20*60, "ill from")) * time.Minute
	return spell{From: from, To: from + time.Duration(pick(d, "ill for", 20, 90, 600, 100_000))*time.Minute, Gone: d.one(2, "gone")}
}

// script goes wrong in one of so many cases.
func (d *draw) script(trouble int) script {
	s := script{Ends: map[platform.StepID]Outcome{}, Check: health.Pass, Takes: map[platform.StepID]int{}}
	if d.one(trouble, "trouble") {
		step := pick(d, "where", FlowBegin, FlowSilence, FlowBefore, "preflight", FlowHooks, FlowDrain, "install", "reboot",
			FlowVerify, FlowCheck, FlowUndrain, FlowHooksEnd, FlowUnsilence, FlowEnd)
		s.Ends[step] = pick(d, "what", OutcomeUnknown, OutcomeFailed, OutcomeFailed, OutcomeUnreachable)
		if d.one(4, "undrain too") {
			s.Ends[FlowUndrain] = OutcomeFailed
		}
	}
	if d.one(2*trouble, "sick") {
		s.Check = pick(d, "verdict", health.Unknown, health.Fail)
	}
	for _, step := range []platform.StepID{"install", "reboot", FlowDrain, FlowCheck} {
		s.Takes[step] = d.num(1, 20, "minutes")
	}
	return s
}

// finish adds what all parts share: peers outside the rings, and the budgets.
func (d *draw) finish() {
	for i := range d.num(0, 2, "peers") {
		peer := id(fmt.Sprintf("peer%d", i))
		d.s.Bodies[peer] = behaviour{Spells: []spell{d.spell()}}
		if d.one(4, "in quarantine") {
			d.s.Bodies[peer] = behaviour{Spells: []spell{{To: 1 << 60, Gone: true}}}
			dead := plan.Quarantined{ID: peer, Ring: "test", Owner: "jane", Until: beginning.Add(1000 * time.Hour), Reason: "dead"}
			for j := range d.s.Parts {
				d.s.Parts[j].Plan.Quarantined = append(d.s.Parts[j].Plan.Quarantined, dead)
			}
		}
		d.peers = append(d.peers, peer)
	}
	all := slices.Clone(d.peers)
	for _, p := range d.s.Parts {
		for _, h := range p.Plan.Hosts {
			all = append(all, h.ID)
		}
	}
	slices.SortFunc(all, fact.HostID.Compare)
	d.budgets(all)
	for i := range d.s.Parts {
		slices.SortFunc(d.s.Parts[i].Plan.Hosts, func(a, b plan.Host) int { return a.ID.Compare(b.ID) })
	}
}
