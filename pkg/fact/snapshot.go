package fact

import "time"

// Snapshot is the state of a host that a diff compares: taken before and after
// the work. A section that could not be read is not Known, and a diff of it is
// unknown, never equal.
type Snapshot struct {
	Seen     time.Time          `json:"seen"`
	BootID   string             `json:"boot_id,omitempty"`
	Sections map[string]Section `json:"sections"`
}

// Section is one kind of state as a sorted set of lines, e.g. the failed units.
type Section struct {
	Known bool     `json:"known"`
	Why   string   `json:"why,omitempty"` // why it is not known
	Items []string `json:"items,omitempty"`
	// Rule says how a device's section is compared; empty: as its name says, for servers.
	Rule Rule `json:"rule,omitempty"`
	// Tolerance of RuleCount: the part by which the number may differ, 0.02.
	Tolerance float64 `json:"tolerance,omitempty"`
}

// SectionConfiguration is a device's configuration: its lines without those that differ
// each time, each as a digest, for they hold secrets.
const SectionConfiguration = "configuration"

// Rule is how the section of a device is compared.
type Rule string

const (
	RuleKeep  Rule = "keep"   // what stands here is well, and must be after the work, too
	RuleNoNew Rule = "no_new" // what stands here is bad, and must not become more
	RuleCount Rule = "count"  // numbers, of which the sum counts
	RuleMost  Rule = "most"   // but for a few lines, what stands here must be after the work, too
)

// The sections that the Linux snapshot fills.
const (
	SectionFailedUnits  = "failed_units"
	SectionListeners    = "listeners"
	SectionMounts       = "mounts"
	SectionDefaultRoute = "default_route"
	SectionTimeSync     = "time_sync"
	SectionBGP          = "bgp_neighbours"
)
