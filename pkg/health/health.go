// Package health decides whether a host is well: it turns checks into commands,
// reads what they printed into measurements, and judges: pass, fail or unknown,
// with reasons. It does nothing itself; package probe runs the commands.
package health

import "time"

// Verdict of a check or a host. The zero value is the worst but one: unknown is
// never a pass, and blocks like a failure.
type Verdict uint8

const (
	Unknown Verdict = iota
	Fail
	Pass
)

var verdictNames = [...]string{"unknown", "fail", "pass"}

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return verdictNames[0]
}

// MarshalText writes pass, fail or unknown.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote; anything else is Unknown.
func (v *Verdict) UnmarshalText(b []byte) error {
	*v = Unknown
	for i, name := range verdictNames {
		if name == string(b) {
			*v = Verdict(i)
		}
	}
	return nil
}

// Check is one question to one host. Exactly one of its kinds is set.
type Check struct {
	Name        string        // what a person calls it; made from the kind where the playbook says nothing
	Within      time.Duration // asked again until it passes or this has passed since the first try; 0: DefaultWithin
	Service     string        // a systemd unit that must be active
	TCP         *TCP
	HTTP        *HTTP
	Command     *Command
	Disk        *Disk
	Load        *Load
	Conffiles   *Conffiles `json:",omitempty"` // plans made before there was one stay byte for byte
	DefaultDiff bool       // the state after the work has no new fault against the state before
}

// DefaultWithin is how long a check may take to become a pass.
const DefaultWithin = 60 * time.Second

// From says who asks.
type From string

const (
	FromHost       From = "host"       // on the host itself
	FromController From = "controller" // by patchring
)

// TCP asks for an open port.
type TCP struct {
	Address string // host:port; an empty host is the host itself (127.0.0.1 from host, its address from the controller)
	From    From
}

// HTTP asks for a status, and optionally for text in the body.
type HTTP struct {
	URL      string // with {{ .address }}, {{ .name }} and {{ .site }} filled in
	Status   int
	Contains string
	From     From
}

// Command passes when it exits 0.
type Command struct {
	Argv   []string
	Become bool
}

// Disk asks for free space.
type Disk struct {
	Path    string
	MinFree string // "10%" or "500MiB"
}

// Load asks for a load average (1 min) of at most Max times the processors.
type Load struct{ Max float64 }

// Result of one check on one host.
type Result struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Seen    string  `json:"seen,omitempty"` // what was seen, cleaned
	Tries   int     `json:"tries,omitempty"`
}

// Worst is the verdict of several: fail before unknown before pass. None is
// Unknown: nobody asked.
func Worst(results []Result) Verdict {
	if len(results) == 0 {
		return Unknown
	}
	worst := Pass
	for _, r := range results {
		switch {
		case r.Verdict == Fail:
			return Fail
		case r.Verdict != Pass:
			worst = Unknown
		}
	}
	return worst
}
