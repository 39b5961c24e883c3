package report

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// A rollout of the same fleet whose failed hosts go back by themselves.

const otherDigest patch.Digest = "sha256:1b2c7d1e0a4b5c6d7e8f90112233445566778899aabbccddeeff001122334455"

// taken is the work of a host on its way back.
func taken(did ...patch.Update) *rollout.Began {
	w := patch.Work{ID: "w-2", Back: true}
	for _, u := range did {
		if u.From == "" {
			w.Remove = append(w.Remove, u.Name)
			continue
		}
		w.Install = append(w.Install, patch.Update{Name: u.Name, Arch: u.Arch, From: u.To, To: u.From, Source: patch.SourceHost})
	}
	return &rollout.Began{Work: w, Steps: []platform.StepID{"install", "verify", "check", "end"}}
}

func backPlan() *plan.Plan {
	p := samplePlan()
	p.OnFailure, p.Restart, p.Repair = plan.OnFailure{Rollback: true, Window: "weekend"}, patch.RestartIfNeeded, true
	for i := range p.Hosts {
		if p.Hosts[i].ID == id("web4") {
			p.Hosts[i].Domain = "rocky 9.4 x86_64"
		}
	}
	return p
}

func backSource() Source {
	s := sampleSource()
	s.Plan = backPlan()
	s.Status.Phase, s.Status.Reasons = rollout.PhaseHalted, []string{"hosts are rolled back", "shop is slow"}
	brought := patch.Update{Name: "libnew", Arch: "amd64", To: "1.0-1"}
	for i := range s.Status.Hosts {
		switch h := &s.Status.Hosts[i]; h.ID {
		case id("web1"):
			h.Back, h.FellFrom, h.State, h.Try = true, rollout.HostFailed, rollout.HostRolledBack, 2
			h.Did = []patch.Update{curl(), openssl(), brought}
			h.Began, h.Proven, h.Checks, h.Reasons, h.Code = taken(h.Did...), nil, nil, nil, ""
		case id("db1"):
			h.Back, h.FellFrom, h.State = true, rollout.HostHealthy, rollout.HostRollback
			h.Did = []patch.Update{openssl()}
			h.Began, h.Proven = nil, nil
		}
	}
	late := openssl()
	late.To = "3.0.17-1~deb12u1"
	seen := sampleFacts("canary2")
	seen.Updates = []patch.Update{late}
	s.Facts = map[fact.HostID]fact.Facts{id("canary2"): seen}
	s.Events = append(s.Events,
		rollout.Event{Seq: 20, Time: at(20), Actor: "jane@laptop", Entry: rollout.GateOpened{Ring: "production", Set: planDigest, Frozen: sampleFrozen().Set}},
		rollout.Event{Seq: 21, Time: at(21), Actor: "jane@laptop", Entry: rollout.RollbackAsked{Hosts: []fact.HostID{id("db1"), id("web1")}, Reason: "shop is slow"}},
	)
	return s
}

func sampleFrozen() Frozen {
	signed := proven(openssl(), libssl(), curl(), kernel())
	for i := range signed[:2] {
		signed[i].Digest, signed[i].Size, signed[i].Assurance = planDigest, 1433000, patch.AssuranceSigned
		signed[i].Repository, signed[i].File, signed[i].Signer = "Debian-Security:12/oldstable-security", "pool/main/o/openssl/"+signed[i].Name+".deb", "Debian Security <security@debian.example>"
	}
	signed[2].Digest, signed[2].Assurance = otherDigest, patch.AssuranceHost
	return Frozen{
		SetFile: plan.SetFile{Rollout: "monthly-hq-20260307-7f3a", Playbook: "monthly", Site: "hq", Ring: "production", Frozen: at(5), Set: plan.Freeze(signed)},
		Stored:  func(d patch.Digest) bool { return d == otherDigest },
	}
}

// otherSet has one version more, one less, one other, and one other file.
func otherSet() patch.PatchSet {
	set := sampleFrozen().Set.Proven[1:]
	other := append([]patch.Proven{}, set...)
	other[0].Version = "6.1.129-1"
	other[1].Digest = otherDigest
	return plan.Freeze(append(other, patch.Proven{Domain: "rocky 9.4 x86_64", Name: "bash", Arch: "x86_64", Version: "5.1.8-9.el9"}))
}

func sampleBrought() []Brought {
	work := patch.Work{ID: "w", Install: []patch.Update{openssl(), curl()}}
	work.Install[1].Source = patch.SourceStore
	ended := func(outcome rollout.Outcome, code fault.Code, reasons ...string) rollout.StepEnded {
		return rollout.StepEnded{Outcome: outcome, Code: code, Reasons: reasons, Began: &rollout.Began{Work: work}}
	}
	return []Brought{
		{id("web1"), "production", ended(rollout.OutcomeOK, "")},
		{id("web2"), "production", ended(rollout.OutcomeNothing, "")},
		{id("web3"), "production", ended(rollout.OutcomeFailed, fault.HostFailed, "step preflight did not go well", "/ has 3 MiB free")},
		{id("web4"), "production", ended(rollout.OutcomeUnreachable, fault.Unreachable, "no route to host")},
		{id("web5"), "production", ended(rollout.OutcomeFailed, fault.Locked, "locked by jane@laptop")},
		{id("web6"), "production", ended("", fault.Lost, "the connection ended")},
	}
}

func sampleSystems() []platform.System {
	return []platform.System{
		{Name: "apt", Platforms: []fact.Platform{"debian", "ubuntu"}, Detects: true, Upgrades: true, Shows: []platform.Shown{
			{Capability: platform.CanList, How: platform.Real, Test: "lab/real.TestExactlyWhatWasTested"},
			{Capability: platform.CanSeverity, Note: "apt's repositories tell none"},
			{Capability: platform.CanAside, How: platform.Simulated, Test: "platform/linux.TestAside"},
		}},
		{Name: "bsd", Platforms: []fact.Platform{"bsd"}, Detects: true, Upgrades: true},
		{Name: "bootc", Detects: true, Why: "its image is named by a tag that moves"},
	}
}
