package report

import (
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/evidence"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/rollout"
)

// The samples are one fleet in the middle of a halted rollout: every state of a
// host, every outcome of an update and every kind of reason stands in it once.

func at(minutes int) time.Time {
	return time.Date(2026, 3, 7, 22, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func id(name string) fact.HostID { return fact.HostID{Site: "hq", Name: name} }

func openssl() patch.Update {
	return patch.Update{Name: "openssl", Arch: "amd64", From: "3.0.15-1~deb12u1", To: "3.0.16-1~deb12u1", Origin: "Debian-Security:12/oldstable-security", Security: patch.Yes, Severity: patch.SeverityImportant, Size: 1433000}
}

func libssl() patch.Update {
	u := openssl()
	u.Name, u.Severity, u.Size, u.Dependency = "libssl3", "", 2020000, true
	return u
}

func curl() patch.Update {
	return patch.Update{Name: "curl", Arch: "amd64", From: "7.88.1-10+deb12u8", To: "7.88.1-10+deb12u12", Origin: "Debian:12.9/oldstable", Security: patch.No, Size: 315000}
}

func kernel() patch.Update {
	return patch.Update{Name: "linux-image-6.1.0-31-amd64", Arch: "amd64", To: "6.1.128-1", Security: patch.Yes, Severity: patch.SeverityCritical, Size: 68 << 20}
}

func postgres() patch.Update {
	return patch.Update{Name: "postgresql-15", Arch: "amd64", From: "15.10-0+deb12u1", To: "15.12-0+deb12u2", Security: patch.Yes}
}

func held() []patch.Left {
	return []patch.Left{{Update: postgres(), Reason: patch.ReasonHeld, Detail: "apt-mark hold on the host"}}
}

func proven(all ...patch.Update) []patch.Proven {
	var out []patch.Proven
	for _, u := range all {
		out = append(out, patch.Proven{Domain: "debian 12 amd64", Name: u.Name, Arch: u.Arch, Version: u.To})
	}
	return out
}

func work(install []patch.Update, left ...patch.Left) *rollout.Began {
	return &rollout.Began{Work: patch.Work{ID: "w-1", Install: install, Left: left}, Steps: []platform.StepID{"install", "verify", "check", "end"}}
}

const planDigest patch.Digest = "sha256:6f2c7d1e0a4b5c6d7e8f90112233445566778899aabbccddeeff001122334455"

func samplePlan() *plan.Plan {
	two := []patch.Update{openssl(), libssl()}
	host := func(name, ring string, install []patch.Update, left []patch.Left, reboot patch.Tri) plan.Host {
		return plan.Host{ID: id(name), Ring: ring, Domain: "debian 12 amd64", Platform: "debian", Install: install, Left: left, Reboot: reboot, Checks: []health.Check{{Name: "service nginx"}}, Return: sampleReturn(name)}
	}
	gone := host("mail1", "production", nil, nil, patch.Unknown)
	gone.Problem = &plan.Problem{Code: string(fault.Unreachable), What: "connect to 10.0.4.25 port 22: no route to host", Hint: "is it switched on? patchring doctor mail1"}
	return &plan.Plan{
		Version: 1, Playbook: "monthly", Source: planDigest, Site: "hq", Made: at(-90), Reboot: patch.RebootIfNeeded,
		Rings: []plan.Ring{
			{Name: "test", Hosts: []fact.HostID{id("canary1"), id("canary2")}, Batches: []int{2}, MaxInFlight: 20},
			{Name: "production", Hosts: []fact.HostID{id("db1"), id("idle1"), id("mail1"), id("web1"), id("web2"), id("web3"), id("web4")}, Batches: []int{1, 3, 3}, MaxInFlight: 3, FailureLimit: 1},
		},
		Hosts: []plan.Host{
			host("canary1", "test", append([]patch.Update{curl(), kernel()}, two...), nil, patch.Yes),
			host("canary2", "test", two, nil, patch.No),
			host("db1", "production", two, held(), patch.No),
			host("idle1", "production", nil, nil, patch.No),
			gone,
			host("web1", "production", append([]patch.Update{curl(), postgres()}, two...), nil, patch.No),
			host("web2", "production", two, nil, patch.Unknown),
			host("web3", "production", two, nil, patch.No),
			host("web4", "production", []patch.Update{curl()}, nil, patch.No),
		},
		Notes: []string{"hq/web2 does not say whether a reboot will be needed"},
	}
}

// sampleReturn: production hosts go back, with two exceptions.
func sampleReturn(name string) plan.Return {
	switch name {
	case "canary1":
		return plan.Return{Light: plan.Amber, Reasons: []string{"linux-image-6.1.0-31-amd64: the host boots from it; the former kernel is booted to take it back"}}
	case "web2", "web3":
		return plan.Return{Reasons: []string{"openssl 3.0.15-1~deb12u1 can't be had any more"}}
	}
	return plan.Return{Light: plan.Green}
}

func sampleHosts() []rollout.HostStatus {
	two := []patch.Update{openssl(), libssl()}
	four := append([]patch.Update{curl(), kernel()}, two...)
	pass := []health.Result{{Check: "service nginx", Verdict: health.Pass, Seen: "active", Tries: 1}, {Check: "default diff", Verdict: health.Pass, Tries: 1}}
	return []rollout.HostStatus{
		{ID: id("canary1"), Ring: "test", State: rollout.HostHealthy, Touched: true, Step: rollout.FlowEnd, Began: work(four), Proven: proven(four...), Checks: pass, Rebooted: true, Started: at(0), Ended: at(4),
			Notes: []string{"kept /etc/ssl/openssl.cnf; the new one is /etc/ssl/openssl.cnf.dpkg-dist"}},
		{ID: id("canary2"), Ring: "test", State: rollout.HostHealthy, Touched: true, Step: rollout.FlowEnd, Began: work(two), Proven: proven(two...), Checks: pass, Started: at(0), Ended: at(2)},
		{ID: id("db1"), Ring: "production", State: rollout.HostHealthy, Touched: true, Step: rollout.FlowEnd, Began: work(two), Proven: proven(two...), Checks: pass[1:], Started: at(5), Ended: at(7)},
		{ID: id("idle1"), Ring: "production", State: rollout.HostNothing},
		{ID: id("mail1"), Ring: "production", State: rollout.HostUnreachable, Code: fault.Unreachable, Reasons: []string{"connect to 10.0.4.25 port 22: no route to host"}},
		{ID: id("web1"), Ring: "production", State: rollout.HostFailed, Touched: true, Step: rollout.FlowCheck, Code: fault.HostFailed,
			Reasons: []string{"check service nginx: fail: nginx.service is failed (Result: exit-code)"},
			Began:   work(append([]patch.Update{curl()}, two...), patch.Left{Update: postgres(), Reason: patch.ReasonUntested, Detail: "no host of the test ring has it"}),
			Proven:  proven(append([]patch.Update{curl()}, two...)...), Started: at(7), Ended: at(12),
			Checks: []health.Result{{Check: "service nginx", Verdict: health.Fail, Seen: "nginx.service is failed (Result: exit-code)", Tries: 13}, pass[1]}},
		{ID: id("web2"), Ring: "production", State: rollout.HostUnknown, Touched: true, Step: "install", Code: fault.Lost, Began: work(two), Started: at(7), Ended: at(13),
			Reasons: []string{"the connection ended while packages were being installed, and the host has not come back"}, Notes: []string{"patchring's lock is still on the host"}},
		{ID: id("web3"), Ring: "production", State: rollout.HostWorking, Touched: true, Step: "install", Began: work(two), Started: at(12), Attempt: 1},
		{ID: id("web4"), Ring: "production", State: rollout.HostWaiting},
	}
}

func sampleSource() Source {
	st := rollout.Status{
		Rollout: "monthly-hq-20260307-7f3a", Playbook: "monthly", Site: "hq", Plan: planDigest, Phase: rollout.PhaseHalted,
		Opened: at(0), Changed: at(13), Seq: 71, Hosts: sampleHosts(),
		Reasons: []string{"ring production: 2 hosts failed, and 1 may"},
		Rings: []rollout.RingStatus{
			{Name: "test", Gate: rollout.GateOpen, GateReasons: []string{"the first ring: it gets the plan's own versions"}, Began: at(0), Ended: at(4)},
			{Name: "production", Gate: rollout.GateOpen, GateReasons: []string{"ring test: 2 of 2 hosts healthy, 0 with nothing to do, 0 failed (limit 0)"}, Set: planDigest, FailureLimit: 1, Began: at(5)},
		},
	}
	for i := range st.Rings {
		r := &st.Rings[i]
		r.ByState = map[rollout.HostState]int{}
		for _, h := range st.Hosts {
			if h.Ring == r.Name {
				r.Hosts++
				r.ByState[h.State]++
			}
		}
	}
	return Source{
		Status: st, Path: "playbooks/monthly.yaml", Plan: samplePlan(), Events: sampleEvents(), Now: at(14),
		Waits: []rollout.Wait{{For: "the hosts at work: hq/web3 (install)"}, {Ring: "production", For: "halted: somebody must look", Person: true}},
		Facts: map[fact.HostID]fact.Facts{id("canary1"): {Kernel: fact.Kernel{Running: "6.1.0-28-amd64", Newest: "6.1.0-28-amd64"}}},
	}
}

func sampleEvents() []rollout.Event {
	entries := []rollout.Entry{
		rollout.Opened{Rollout: "monthly-hq-20260307-7f3a", Playbook: "monthly", Site: "hq", Rings: samplePlan().Rings},
		rollout.GateOpened{Ring: "test", Reasons: []string{"the first ring: it gets the plan's own versions"}},
		rollout.StepStarted{Host: id("canary1"), Step: rollout.FlowBegin, Mode: rollout.Start},
		rollout.StepEnded{Host: id("canary1"), Step: rollout.FlowBegin, Outcome: rollout.OutcomeOK, Began: work([]patch.Update{openssl()})},
		rollout.StepEnded{Host: id("canary1"), Step: rollout.FlowVerify, Outcome: rollout.OutcomeOK, Proven: proven(openssl())},
		rollout.GateOpened{Ring: "production", Reasons: []string{"ring test: 2 of 2 hosts healthy, 0 with nothing to do, 0 failed (limit 0)"}},
		rollout.StepStarted{Host: id("web2"), Step: "install", Mode: rollout.Reconcile},
		rollout.StepEnded{Host: id("web2"), Step: "install", Reasons: []string{"the connection ended"}, Code: fault.Lost},
		rollout.Paused{Reason: "lunch"},
		rollout.Resumed{},
		rollout.Halted{Ring: "production", Reasons: []string{"ring production: 2 hosts failed, and 1 may"}},
	}
	var out []rollout.Event
	for i, e := range entries {
		out = append(out, rollout.Event{Seq: uint64(i + 1), Time: at(i), Actor: "jane@laptop", Entry: e})
	}
	return out
}

func sampleFacts(name string) fact.Facts {
	return fact.Facts{
		Host: id(name), Seen: at(0), Clock: at(0), Platform: "debian", Class: fact.ClassServer, Version: "12.9", Arch: "amd64", Hostname: name,
		OS: fact.OS{ID: "debian", VersionID: "12"}, Kernel: fact.Kernel{Running: "6.1.0-28-amd64", Newest: "6.1.0-31-amd64"}, BootID: "b-1",
		Reboot: fact.Reboot{Needed: patch.Yes, Reasons: []string{"a newer kernel is installed"}}, Refreshed: at(-60),
		Manager: fact.Manager{Name: "apt", State: fact.ManagerOK}, Updates: []patch.Update{openssl(), curl()}, KeptBack: held(), Holds: []string{"postgresql-15"},
		Spaces: []fact.Space{{Mount: "/", FreeKiB: 9 << 20, TotalKiB: 20 << 20}, {Mount: "/boot", FreeKiB: 20 << 10, TotalKiB: 400 << 10}},
	}
}

func refused() error {
	return &fault.Error{Code: fault.HostKeyChanged, Host: "hq/web9", Step: "connect", What: "the host key changed: SHA256:k3v… instead of SHA256:a8f…", Hint: "if the host was made anew: remove line 7 of known_hosts, then patchring doctor web9"}
}

func sampleDetected() []Detected {
	blind := sampleFacts("old1")
	blind.Updates, blind.Version, blind.Manager = nil, "7.11", fact.Manager{Name: "apt", State: fact.ManagerInterrupted, Detail: "2 packages are half-configured"}
	blind.Reboot = fact.Reboot{}
	blind.Problems = []fact.Problem{{What: "updates", Detail: "apt-get -s exited with 100"}}
	network := fact.Facts{Host: id("sw1"), Seen: at(0), Platform: "cisco_iosxe", Class: fact.ClassNetwork, Vendor: "Cisco", Model: "C9300-48P", Version: "17.9.4a", Serial: "FOC1", Device: &fact.Device{Family: "C9300", Members: []fact.Member{{ID: "1", Model: "C9300-48P", Serial: "FOC1", Role: fact.RoleActive}}}}
	network.Device = &fact.Device{Proof: "vendor_document", Family: "C9300", Mode: "INSTALL", Booted: at(-900), Members: []fact.Member{
		{ID: "1", Model: "C9300-48P", Serial: "FOC1", Role: "active", State: "Ready", Version: "17.09.04a"},
		{ID: "2", Model: "C9300-24T", Serial: "FOC2", Role: "standby", State: "Ready", Version: "17.09.04a"},
	}}
	return []Detected{
		{Host: id("web1"), Facts: sampleFacts("web1")}, {Host: id("old1"), Facts: blind},
		{Host: id("sw1"), Facts: network}, {Host: id("web9"), Err: refused()},
	}
}

func sampleExamined() []Examined {
	var out []Examined
	for _, d := range sampleDetected() {
		out = append(out, Examined{Host: d.Host, Facts: d.Facts, Err: d.Err})
	}
	out[0].Tried = []Test{{Name: TestPrivilege, Result: "ok"}}
	out[2].Tried = []Test{{Name: TestPrivilege, Result: "skipped", Seen: "become is none"}}
	out[1].Facts.Clock = at(11)
	return out
}

func sampleProbed() []Probed {
	h := sampleHosts()
	return []Probed{
		{Host: id("canary1"), Results: h[0].Checks}, {Host: id("web1"), Results: h[5].Checks},
		{Host: id("none"), Results: nil}, {Host: id("web9"), Err: refused()},
	}
}

func sampleInventory() []inventory.Host {
	return []inventory.Host{
		{ID: id("web1"), Groups: []string{"web", "production"}, Labels: map[string]string{"rack": "12"},
			Settings: inventory.Settings{Address: "10.0.4.11", Port: 2222, User: "patch", Become: inventory.BecomeSudo, Jump: []string{"jump@bastion.hq.example"}, Platform: "debian", Class: fact.ClassServer, Criticality: "high", Exposure: "internet"}},
		{ID: id("sw1"), Groups: []string{"core"}},
	}
}

func sampleGraph() inventory.Node {
	web := inventory.Node{Kind: "group", Name: "web", Children: []inventory.Node{{Kind: "host", Name: "hq/web1"}, {Kind: "host", Name: "hq/web2"}}}
	again := web
	again.Again, again.Children = true, nil
	production := inventory.Node{Kind: "group", Name: "production", Children: []inventory.Node{again}}
	hq := inventory.Node{Kind: "site", Name: "hq", Children: []inventory.Node{web, production}}
	return inventory.Node{Kind: "inventory", Children: []inventory.Node{hq, {Kind: "site", Name: "branch", Children: []inventory.Node{{Kind: "host", Name: "branch/fw1"}}}}}
}

// samples are all documents by name.
func samples() map[string]Document {
	return map[string]Document{
		"rolledback": NewRollout(backSource()),
		"backplan":   NewPlan(backPlan(), planDigest, false),
		"patchset":   NewPatchSet(sampleFrozen()),
		"setdiff":    NewSetDiff(sampleFrozen().Set, otherSet()),
		"staging":    NewStaging(planDigest, planDigest, sampleBrought()),
		"platforms":  NewPlatforms(sampleSystems(), sampleDevices(), false),
		"system":     NewPlatforms(sampleSystems()[:1], nil, true),
		"typed":      NewTyped(sampleDevices()[0]),
		"samples":    NewSamples([]device.Outcome{{Platform: "acme_os", Sample: "one"}, {Platform: "acme_os", Sample: "two", Wrong: []string{"version: got 1, not 2"}}}),
		"rollout":    NewRollout(sampleSource()),
		"plan":       NewPlan(samplePlan(), planDigest, false),
		"gated":      NewPlan(gatedPlan(), planDigest, false),
		"imageplan":  NewPlan(imagePlan(), planDigest, false),
		"waiting":    NewRollout(waitingSource()),
		"detect":     NewDetect(sampleDetected()),
		"doctor":     NewDoctor(sampleExamined()),
		"checks":     NewChecks(sampleProbed()),
		"inventory":  NewInventory("inventory.yaml", sampleInventory()),
		"rollouts":   NewRollouts([]Source{sampleSource(), waitingSource(), {Status: rollout.Status{Rollout: "weekly-hq-1", Playbook: "weekly", Site: "hq", Phase: rollout.PhaseFinished, Opened: at(-900), Changed: at(-800)}}}),
		"explain":    sampleExplain(),
		"hostkeys":   NewHostKeys("check", sampleKeys()),
		"rights":     sampleRights(),
		"evidence":   NewEvidence(sampleVerdict(evidence.Proven, evidence.Proven)),
		"graph":      NewGraph("inventory.yaml", sampleGraph()),
		"lint":       NewLint("inventory.yaml", 2, []string{"playbooks/monthly.yaml"}),
		"failure":    NewFailure(fmt.Errorf("detect: %w", refused())),
	}
}

func sampleExplain() Explain {
	d := NewExplain(id("web1"), []inventory.Setting{{Name: "user", Value: "patch", Where: "inventory.yaml:3", Lost: []string{"inventory.yaml:2 (defaults: root)"}}, {Name: "port", Where: "default"}})
	return d.Connect("address", "10.0.0.5", "inventory").Connect("port", "2222", "~/.ssh/config:7").Connect("jump", "", "default")
}
