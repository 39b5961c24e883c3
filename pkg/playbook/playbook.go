// Package playbook reads one playbook: which patches, through which rings, with
// which checks. A safety setting that this build can't enforce is an error.
package playbook

import (
	"strconv"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
)

// Playbook is a validated playbook with every default filled in.
type Playbook struct {
	Path      string
	Name      string
	Patches   []Patch
	Rings     []Ring // at least one; the first is the test ring
	Reboot    patch.RebootRule
	OnFailure string  // "halt", the only one this build knows
	Checks    []Check // at least one
}

// Patch selects updates for hosts.
type Patch struct {
	Hosts    string // pattern
	Packages Packages
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
// the defaults. Windows come in a later build: until then hosts of every ring may be
// started at any time, and a playbook that names another window is refused.
type Ring struct {
	Name         string
	Hosts        string
	Batches      []Size // of the ring's hosts; the last repeats. Default [100%]
	MaxInFlight  int    // default 20
	FailureLimit Size   // default 0: the first failure stops the ring
}

// Size is a count or a percentage of a ring.
type Size struct {
	N       int
	Percent bool
}

// String is the size as it is written: "5" or "10%".
func (s Size) String() string {
	if s.Percent {
		return strconv.Itoa(s.N) + "%"
	}
	return strconv.Itoa(s.N)
}

// Check applies one health check to the hosts of a pattern.
type Check struct {
	Hosts string
	health.Check
}
