package rollout

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
)

// Scenarios written by hand: what the properties once found, and rich ones for the crash
// matrix.

// fleet makes a scenario of one rollout, whose hosts all do well.
func fleet(rings ...plan.Ring) *scenario {
	p := part{ID: "monthly", Plan: &plan.Plan{Version: plan.Version, Playbook: "monthly", Site: "hq"}, Helped: true}
	s := &scenario{Bodies: map[fact.HostID]behaviour{}}
	for _, r := range rings {
		for _, host := range r.Hosts {
			h := plan.Host{ID: host, Ring: r.Name, Platform: "debian", Domain: "debian 12 amd64", Takes: 20 * time.Minute}
			h.Install = []patch.Update{{Name: "bash", Arch: "amd64", From: "1", To: "2", Security: patch.Yes}}
			p.Plan.Hosts = append(p.Plan.Hosts, h)
			s.Bodies[host] = behaviour{}
		}
		p.Plan.Rings = append(p.Plan.Rings, r)
	}
	slices.SortFunc(p.Plan.Hosts, func(a, b plan.Host) int { return a.ID.Compare(b.ID) })
	s.Parts = []part{p}
	return s
}

func ringNamed(name string, hosts ...string) plan.Ring {
	r := plan.Ring{Name: name, MaxInFlight: 4, FailureLimit: 4}
	for _, h := range hosts {
		r.Hosts = append(r.Hosts, id(h))
	}
	return r
}

// fails makes the first try of a host end badly at a step.
func (s *scenario) fails(host string, at platform.StepID, how Outcome) *scenario {
	b := s.Bodies[id(host)]
	b.Tries = []script{{Ends: map[platform.StepID]Outcome{at: how}, Check: health.Pass}, {Check: health.Pass}}
	s.Bodies[id(host)] = b
	return s
}

func (s *scenario) extras(x Extras, hosts ...string) *scenario {
	for _, host := range hosts {
		b := s.Bodies[id(host)]
		b.Extras = x
		s.Bodies[id(host)] = b
	}
	return s
}

func (s *scenario) ill(host string, from, to time.Duration) *scenario {
	b := s.Bodies[id(host)]
	b.Spells = append(b.Spells, spell{From: from, To: to})
	s.Bodies[id(host)] = b
	return s
}

// under puts all the hosts of all parts under one budget; peers are added.
func (s *scenario) under(most int, hosts ...string) *scenario {
	b := plan.Budget{Name: "group web", Most: most}
	for _, host := range hosts {
		if _, known := s.Bodies[id(host)]; !known {
			s.Bodies[id(host)] = behaviour{}
		}
		b.Hosts = append(b.Hosts, id(host))
	}
	for i := range s.Parts {
		s.Parts[i].Plan.Budgets = append(s.Parts[i].Plan.Budgets, b)
	}
	return s
}

func hours(n int) *playbook.Soak {
	return &playbook.Soak{For: time.Duration(n) * time.Hour, Pace: playbook.Pace{Interval: time.Hour}, MaxGap: 26 * time.Hour}
}

// saysAfter lets somebody say a word right after the first event that is like that.
func (s *scenario) saysAfter(said word, like func(Entry) bool) *scenario {
	s.Parts[0].Words = map[uint64][]word{s.seqOf(like): {said}}
	return s
}

// seqOf is where the first event stands that is like that, as long as nobody says anything.
func (s *scenario) seqOf(like func(Entry) bool) uint64 {
	w, _ := s.run(sound())
	for _, e := range w.ops[0].events {
		if like(e.Entry) {
			return e.Seq
		}
	}
	return 0
}

// ends tells whether a step of a host has ended; begins, whether it was begun.
func ends(host string, step platform.StepID) func(Entry) bool {
	return func(e Entry) bool {
		end, is := e.(StepEnded)
		return is && end.Host == id(host) && end.Step == step
	}
}

func begins(host string, step platform.StepID) func(Entry) bool {
	return func(e Entry) bool {
		start, is := e.(StepStarted)
		return is && start.Host == id(host) && start.Step == step
	}
}
