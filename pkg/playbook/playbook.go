// Package playbook reads one playbook: which patches, through which rings, with
// which checks. A safety setting that this build can't enforce is an error.
package playbook

import (
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/schedule"
)

// Playbook is a validated playbook with every default filled in.
type Playbook struct {
	Path      string
	Name      string
	Patches   []Patch
	Rings     []Ring // at least one; the first is the test ring
	Reboot    patch.RebootRule
	Restart   patch.RestartRule
	OneShot   bool   // a new kernel is booted once before it becomes the default
	Repair    bool   // a cut transaction is put right first
	OnFailure string // OnFailureHalt or OnFailureRollback
	// RollbackWindow is when hosts may be rolled back by themselves: a name in every site
	// that the rings touch, or schedule.Any.
	RollbackWindow string
	Checks         []Check // at least one
	// FailureLimit of the whole rollout; nil: only the rings have one.
	FailureLimit *Size
	Urgent       *Urgent // nil: there is no such lane
	Hooks        []Hook  // drain, before and after, in the order of the file
	Silences     []Silence
	// Freezes are those of every site that the rings touch, beside the sites' own. Where
	// sites have different clocks, FreezesIn is exact.
	Freezes []schedule.Freeze

	freezes map[string][]schedule.Freeze // by site; nil in a Playbook that Parse didn't make
}

// What becomes of a host that has failed for sure.
const (
	OnFailureHalt     = "halt"
	OnFailureRollback = "rollback"
)

// FreezesIn are the playbook's freezes on the clock of one site.
func (b *Playbook) FreezesIn(site string) []schedule.Freeze {
	if list, ok := b.freezes[site]; ok {
		return list
	}
	return b.Freezes
}

// Urgent is the lane for known-exploited fixes: same rings, same order, and these
// instead of what the rings say. What is nil holds as the ring says it.
type Urgent struct {
	Soak     *time.Duration
	Window   *string
	Approval *Approval
}

// Patch selects updates for hosts.
type Patch struct {
	Hosts    string // pattern
	Packages Packages
	Image    *Image // nil: it is about packages
}

// Packages is the selection rule for package managers.
type Packages struct {
	Kind        Kind
	MinSeverity patch.Severity // empty: no minimum; an unknown severity counts as in
	Exclude     []Exclude
}

// Kind of updates.
type Kind string

const (
	KindSecurity Kind = "security"
	KindBugfix   Kind = "bugfix"
	KindAll      Kind = "all"
)

// Exclude leaves a package out, for a reason, on somebody's account, until a day.
type Exclude struct {
	Package string // glob
	Reason  string
	Owner   string
	Until   time.Time // the day's last second, in UTC; zero: no end
}

// Holds tells whether the exclude is still in force. One that has run out is no
// mistake: it just holds no longer.
func (e Exclude) Holds(now time.Time) bool { return e.Until.IsZero() || !now.After(e.Until) }

// Ring is one ring as written; hosts are a pattern, resolved by plan. Parse fills in
// the defaults.
type Ring struct {
	Name         string
	Hosts        string
	Batches      []Size // of the ring's hosts; the last repeats. Default [100%]
	MaxInFlight  int    // default 20
	FailureLimit Size   // default 0: the first failure stops the ring
	Window       string // a name in every site that the ring has hosts in, or schedule.Any
	Gate         Gate
	Order        []string // patterns: hosts of the first are done before those of the next; the rest come last
}

// Size is a count or a percentage of a ring.
type Size = inventory.Size

// Check applies one health check to the hosts of a pattern.
type Check struct {
	Hosts string
	health.Check
}
