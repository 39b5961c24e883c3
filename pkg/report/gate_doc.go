package report

import "time"

// Gate before a ring, and what it has gathered so far.
type Gate struct {
	State    string        `json:"state"` // open | closed | inconclusive
	Reasons  []string      `json:"reasons"`
	Soak     *SoakGate     `json:"soak"`     // null: none is asked for
	Approval *ApprovalGate `json:"approval"` // null: none is asked for
	Checks   []InquiryGate `json:"checks"`
	Waived   []Waiver      `json:"waived"`
}

// SoakGate is how far the soak has come. Pass, Fail and Unknown count the hosts of
// the last sample.
type SoakGate struct {
	State   string    `json:"state"` // waiting | passed | failed | inconclusive | waived
	For     int64     `json:"for_seconds"`
	Soaked  int64     `json:"soaked_seconds"`
	Samples int       `json:"samples"`
	Failed  int       `json:"samples_failed"`
	Pass    int       `json:"pass"`
	Fail    int       `json:"fail"`
	Unknown int       `json:"unknown"`
	Last    time.Time `json:"last,omitzero"`
	Sick    []Sick    `json:"sick"`
}

// Sick is a host that is not well or out of use, and why.
type Sick struct {
	Host string `json:"host"`
	Why  string `json:"why"`
}

// ApprovalGate is who has approved so far. Only approvals that hold now are in it.
type ApprovalGate struct {
	State     string     `json:"state"` // waiting | passed
	Approvers string     `json:"approvers"`
	Count     int        `json:"count"` // how many different people it takes
	Given     []Approval `json:"given"`
}

// Approval is one person's word, as claimed.
type Approval struct {
	As            string    `json:"as"` // whose word it is
	By            string    `json:"by"` // who typed it: user@machine
	Reason        string    `json:"reason"`
	Expires       time.Time `json:"expires,omitzero"`
	Authenticated bool      `json:"authenticated"` // proven by a signature
}

// InquiryGate is one question of the user's own, and its answers at one moment: one
// that is asked before and after the ring stands twice.
type InquiryGate struct {
	Name      string    `json:"name"`
	When      string    `json:"when"`  // before | after
	State     string    `json:"state"` // waiting | passed | failed | inconclusive | waived
	Asked     int       `json:"asked"`
	Failed    int       `json:"failed"`
	Successes int       `json:"successes"` // in a row
	Verdict   string    `json:"verdict"`   // of the last answer: pass | fail | unknown
	Seen      string    `json:"seen"`
	Last      time.Time `json:"last,omitzero"`
}

// Waiver is what a person let the gate open without, and why.
type Waiver struct {
	What   string `json:"what"` // soak, or check: and its name
	Reason string `json:"reason"`
	By     string `json:"by"` // who typed it: user@machine
}

// Override let hosts start outside their window.
type Override struct {
	Reason string    `json:"reason"` // empty: there was none
	Until  time.Time `json:"until,omitzero"`
}
