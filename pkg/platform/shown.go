package platform

import "github.com/patchring/patchring/pkg/fact"

// Capability is something that a system's driver may be able to do: a row of the table of
// `patchring platforms`.
type Capability string

// The capabilities, in the order in which they are shown.
const (
	CanList      Capability = "pending"
	CanSecurity  Capability = "security"
	CanSeverity  Capability = "severity"
	CanCVEs      Capability = "cves"
	CanHolds     Capability = "holds"
	CanOrder     Capability = "version_order"
	CanExact     Capability = "exact_version"
	CanSimulate  Capability = "simulation"
	CanStage     Capability = "staging"
	CanSupply    Capability = "from_store"
	CanSign      Capability = "signed_index"
	CanKeep      Capability = "keep_outgoing"
	CanBack      Capability = "rollback"
	CanRepair    Capability = "repair"
	CanConffiles Capability = "conffiles"
	CanAside     Capability = "stand_aside"
	CanReboot    Capability = "reboot"
	CanOneShot   Capability = "one_shot_boot"
	CanServices  Capability = "services"
	CanLock      Capability = "host_lock"
)

// Meaning is a capability in words.
type Meaning struct {
	Capability Capability
	Means      string
}

// Meanings are the capabilities of the table, in its order.
func Meanings() []Meaning {
	return []Meaning{
		{CanList, "pending updates: from, to, origin, size"},
		{CanSecurity, "which of them are security fixes"},
		{CanSeverity, "how severe those are"},
		{CanCVEs, "which CVEs they fix"},
		{CanHolds, "holds, pins and what is kept back, with the reason"},
		{CanOrder, "versions are ordered as the package manager orders them"},
		{CanExact, "installs exactly the planned versions, though newer ones are there"},
		{CanSimulate, "simulated before the act; anything beside the plan stops it"},
		{CanStage, "downloads ahead, and installs nothing"},
		{CanSupply, "installs versions that no repository has any more, from an archive or the store"},
		{CanSign, "digests from the repositories' signed index"},
		{CanKeep, "keeps the outgoing versions until the rollout ends"},
		{CanBack, "goes back to exactly the former set"},
		{CanRepair, "puts a cut transaction right, where the playbook says so"},
		{CanConffiles, "the admin's configuration files stay, and what was left beside them is told"},
		{CanAside, "timers with transactions of their own stand aside, and come back"},
		{CanReboot, "whether a reboot is due and why; reboots, and proves it"},
		{CanOneShot, "boots a new kernel once, with the former one to fall back to"},
		{CanServices, "restarts services that still use replaced libraries"},
		{CanLock, "the lock that two operators share lies on the host"},
	}
}

// How says what a capability rests on. The zero value is the worst.
type How string

const (
	Not        How = ""           // the system or its driver can't
	Documented How = "documented" // written from documentation, unchecked
	Simulated  How = "simulated"  // tried on the simulated fleet alone
	Recorded   How = "recorded"   // read from what the real tool once printed
	Real       How = "real"       // tried with the real tool
)

func (h How) String() string {
	if h == Not {
		return "no"
	}
	return string(h)
}

// Shown is one cell of the table: what a driver declares, and the test that backs it.
type Shown struct {
	Capability Capability
	How        How
	Test       string // folder below pkg, a dot, and the test: "lab/real.TestSignedDigests"; of Not: none
	Note       string // why not, or what is left out
}

// System is a column of the table: a package manager, or a device's software.
type System struct {
	Name      string
	Platforms []fact.Platform
	Detects   bool
	Upgrades  bool
	Why       string // why it does not upgrade
	Shows     []Shown
}

// Cell finds what the system declares of a capability; what it does not declare, it can't.
func (s System) Cell(c Capability) Shown {
	for _, shown := range s.Shows {
		if shown.Capability == c {
			return shown
		}
	}
	return Shown{Capability: c}
}
