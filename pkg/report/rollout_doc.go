package report

import "time"

// Rollout is the document of one rollout: for report, status and the end of run.
// Times are UTC. Lists are never null.
type Rollout struct {
	Header
	ID       string    `json:"rollout"`
	Playbook string    `json:"playbook"`
	Site     string    `json:"site"`
	Plan     string    `json:"plan"`
	Phase    string    `json:"phase"` // open | paused | halted | aborted | finished | none
	Exit     Ending    `json:"exit"`
	Next     string    `json:"next"` // what to type next; empty: nothing
	Opened   time.Time `json:"opened,omitzero"`
	Changed  time.Time `json:"changed,omitzero"`
	Seconds  int64     `json:"seconds"` // from opened to changed
	Reasons  []string  `json:"reasons"`
	Rings    []Ring    `json:"rings"`
	Hosts    []Host    `json:"hosts"`
	Waits    []Wait    `json:"waits"`
	Skipped  []Skipped `json:"skipped"`
	Totals   Totals    `json:"totals"`
	Timeline []Moment  `json:"timeline"`

	Starter  string   `json:"starter"` // user@machine; empty: not known
	Urgent   bool     `json:"urgent"`  // the urgent lane
	Override Override `json:"window_override"`
	// Out are hosts that count as out though this rollout does not work on them.
	Out         []Sick        `json:"out"`
	Quarantined []Quarantined `json:"quarantined"`
	// Late are versions that came out since the plan, Uncovered hosts that nothing can be proven for.
	Late      []Late      `json:"late"`
	Uncovered []Uncovered `json:"uncovered"`
}

// Ring is one ring of a rollout.
type Ring struct {
	Name         string         `json:"name"`
	Gate         Gate           `json:"gate"`
	Set          string         `json:"set"` // digest of the patch set that it is bound to; empty: the plan's versions
	Hosts        int            `json:"hosts"`
	ByState      map[string]int `json:"by_state"`
	Batches      []int          `json:"batches"`
	FailureLimit int            `json:"failure_limit"`
	Began        time.Time      `json:"began,omitzero"`
	Ended        time.Time      `json:"ended,omitzero"`
	Window       string         `json:"window"` // a name in the calendar, or any

	Digests *SetTotals `json:"set_digests"` // what the digests of Set rest on; null: there is none, or the journal was not read
}

// Host is one host's way through the rollout.
type Host struct {
	Host    string    `json:"host"` // site/name
	Ring    string    `json:"ring"`
	State   string    `json:"state"` // waiting | working | healthy | nothing | failed | rollback | rolled_back | unknown | unreachable
	Touched bool      `json:"touched"`
	Step    string    `json:"step"` // the last one begun
	Code    string    `json:"code"` // the class of a failure; empty: none
	Updates []Change  `json:"updates"`
	Reboot  Restart   `json:"reboot"`
	Kernel  Kernel    `json:"kernel"`
	Checks  []Checked `json:"checks"`
	Reasons []string  `json:"reasons"`
	Notes   []string  `json:"notes"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Seconds int64     `json:"seconds"`

	Unit      string    `json:"unit"`                // the pair, stack or cluster that it is a member of; empty: its own
	Try       int       `json:"try"`                 // how often it was begun anew; 1 is the first
	Drained   bool      `json:"drained"`             // out of use, and nothing has put it back yet
	Silenced  bool      `json:"silenced"`            // alerts about it are kept quiet
	NotBefore time.Time `json:"not_before,omitzero"` // it stepped back, and is not begun again earlier

	Back      WayBack    `json:"way_back"`
	TakenBack *TakenBack `json:"taken_back"`
	Image     *PlanImage `json:"image"` // null: it gets packages
}

// Change is one update of one host, and what became of it.
type Change struct {
	Package    string `json:"package"`
	Arch       string `json:"arch"`
	From       string `json:"from"` // empty: new on this host
	To         string `json:"to"`
	Origin     string `json:"origin"`
	Security   string `json:"security"` // yes | no | unknown
	Severity   string `json:"severity"`
	Dependency bool   `json:"dependency"`
	// Outcome is installed (seen on the host afterwards), left (see Reason), planned,
	// not_done (the host came to its end untouched), unconfirmed (begun, and not seen) or
	// taken_back (installed once, and back at the former version).
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"` // of left: untested | excluded | held | kept_back | installed | moved | narrowed …
	Detail  string `json:"detail"`
}

// Restart of a host.
type Restart struct {
	Expected string `json:"expected"` // by the plan: yes | no | unknown
	Done     bool   `json:"done"`
}

// Kernel as it was seen before the work; empty: not known.
type Kernel struct {
	Running string `json:"running"`
	Newest  string `json:"newest"` // the newest one installed
}

// Checked is one health check and its verdict.
type Checked struct {
	Check   string `json:"check"`
	Verdict string `json:"verdict"` // pass | fail | unknown
	Seen    string `json:"seen"`
	Tries   int    `json:"tries"`
}

// Wait is something that the rollout waits for.
type Wait struct {
	Ring   string    `json:"ring"`
	For    string    `json:"for"`
	Person bool      `json:"person"`         // nothing goes on until somebody acts
	Until  time.Time `json:"until,omitzero"` // when it goes on by itself; left out: not foreseen
	Text   string    `json:"text"`           // all of that as one line
}

// Skipped is a host, or one package of a host, that nothing was done to, and why.
type Skipped struct {
	Host    string `json:"host"`
	Ring    string `json:"ring"`
	Package string `json:"package"` // empty: the whole host
	To      string `json:"to"`
	Reason  string `json:"reason"` // a host's state, or the reason of an update
	Detail  string `json:"detail"`
}

// Totals of a rollout.
type Totals struct {
	Hosts       int            `json:"hosts"`
	ByState     map[string]int `json:"by_state"`
	Touched     int            `json:"touched"`
	Rebooted    int            `json:"rebooted"`
	Installed   int            `json:"updates_installed"`
	Security    int            `json:"security_installed"`
	Left        int            `json:"updates_left"`
	LeftFixes   int            `json:"security_left"`       // as the exit code counts them: not those excluded on purpose
	LeftMaybe   int            `json:"security_left_maybe"` // the repository does not say what they are
	Unconfirmed int            `json:"updates_unconfirmed"`
}

// Moment is one line of the timeline.
type Moment struct {
	Seq   uint64    `json:"seq"`
	Time  time.Time `json:"time"`
	Actor string    `json:"actor"`
	Event string    `json:"event"` // the name that the journal has for it
	Ring  string    `json:"ring"`
	Host  string    `json:"host"`
	Step  string    `json:"step"`
	Text  string    `json:"text"` // a sentence
}
