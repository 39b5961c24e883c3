package report

import "time"

// Plan is the document of a plan: exactly what would change.
type Plan struct {
	Header
	Plan     string     `json:"plan"` // its digest
	Playbook string     `json:"playbook"`
	Site     string     `json:"site"`
	Made     time.Time  `json:"made"`
	Reboot   string     `json:"reboot"` // if_needed | always | never
	Exit     Ending     `json:"exit"`
	Rings    []PlanRing `json:"rings"`
	Hosts    []PlanHost `json:"hosts"`
	Notes    []string   `json:"notes"`
	Totals   PlanTotals `json:"totals"`

	Urgent       bool          `json:"urgent"`        // the urgent lane
	FailureLimit *int          `json:"failure_limit"` // of the whole rollout; null: only the rings have one
	Calendar     PlanCalendar  `json:"calendar"`
	Budgets      []PlanBudget  `json:"budgets"`
	Hooks        []PlanHook    `json:"hooks"`
	Silences     []PlanSilence `json:"silences"`
	Quarantined  []Quarantined `json:"quarantined"`

	Restart   string      `json:"restart"`  // of services on replaced libraries: if_needed | never
	Repair    bool        `json:"repair"`   // a cut transaction is put right first
	OneShot   bool        `json:"one_shot"` // a new kernel is booted once before it becomes the default
	OnFailure PlanFailure `json:"on_failure"`
	Uncovered []Uncovered `json:"uncovered"`
	Trust     *PlanTrust  `json:"trust"` // what must be signed; null: nothing
}

// PlanFailure is what becomes of a host that has failed for sure.
type PlanFailure struct {
	Action string `json:"action"` // halt | rollback
	Window string `json:"window"` // of a rollback; a name in the calendar, or any; empty: halt
}

// PlanRing is a ring with its numbers worked out.
type PlanRing struct {
	Name         string `json:"name"`
	Hosts        int    `json:"hosts"`
	Batches      []int  `json:"batches"` // in units
	MaxInFlight  int    `json:"max_in_flight"`
	FailureLimit int    `json:"failure_limit"`

	Units  int      `json:"units"`  // a pair, stack or cluster is one; any other host too
	Window string   `json:"window"` // a name in the calendar, or any
	Stages []int    `json:"stages"` // so many hosts make each, one after the other; empty: all are one
	Gate   PlanGate `json:"gate"`
}

// PlanHost is what the plan has for one host.
type PlanHost struct {
	Host     string       `json:"host"`
	Ring     string       `json:"ring"`
	Platform string       `json:"platform"`
	Domain   string       `json:"domain"`
	Updates  []PlanUpdate `json:"updates"`
	Left     []PlanLeft   `json:"left"`
	Reboot   string       `json:"reboot_expected"` // yes | no | unknown
	Checks   []string     `json:"checks"`
	Problem  *Trouble     `json:"problem"` // null: it can be worked on

	Unit    string `json:"unit"`          // the pair, stack or cluster that it is a member of; empty: its own
	Takes   int64  `json:"takes_seconds"` // how long its work is expected to take; 0: not known
	Assumed bool   `json:"takes_assumed"` // that is the default: such hosts have no history yet

	Back  WayBack    `json:"way_back"`
	Image *PlanImage `json:"image"` // null: it gets packages
}

// PlanUpdate is one update.
type PlanUpdate struct {
	Package    string `json:"package"`
	Arch       string `json:"arch"`
	From       string `json:"from"`
	To         string `json:"to"`
	Origin     string `json:"origin"`
	Security   string `json:"security"` // yes | no | unknown
	Severity   string `json:"severity"`
	Bytes      int64  `json:"bytes"` // to download; 0: unknown
	Dependency bool   `json:"dependency"`
}

// PlanLeft is an update that will be left alone, and why.
type PlanLeft struct {
	PlanUpdate
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// Trouble is what went wrong, and what to do about it.
type Trouble struct {
	Code string `json:"code"`
	What string `json:"what"`
	Hint string `json:"hint"`
}

// PlanTotals of a plan.
type PlanTotals struct {
	Hosts        int   `json:"hosts"`
	ToPatch      int   `json:"hosts_to_patch"`
	Problems     int   `json:"hosts_with_problems"`
	Updates      int   `json:"updates"`
	Security     int   `json:"security"`
	Left         int   `json:"left"`
	Reboots      int   `json:"reboots_expected"`
	RebootsMaybe int   `json:"reboots_unknown"`
	Bytes        int64 `json:"bytes"`

	WaysBack Lights `json:"ways_back"`
}
