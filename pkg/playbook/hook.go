package playbook

import "time"

// Hook is a program of the user's that runs at a moment of the work on some hosts.
type Hook struct {
	Hosts string // pattern
	Action
}

// Action is what a hook does, with the values of PATCHRING_* in its environment. In
// JSON it is part of a plan.
type Action struct {
	Name string   `json:"name"`
	At   HookAt   `json:"at"`
	On   string   `json:"on"`             // OnHost, OnController, or another host of the site by name
	Argv []string `json:"argv"`           // no shell is between
	Undo []string `json:"undo,omitempty"` // of a drain: puts the host back
	// Within: it takes at most this long, then it has failed.
	Within time.Duration `json:"within"`
	Become bool          `json:"become,omitempty"` // with root's rights, where it runs on a host
	Wait   *Wait         `json:"wait,omitempty"`   // of a drain: until the host is really out of use
}

// HookAt is the moment.
type HookAt string

const (
	HookBefore HookAt = "before" // before the host is drained and touched
	HookDrain  HookAt = "drain"  // takes the host out of use; Undo is owed from its start on
	HookAfter  HookAt = "after"  // the host is healthy, and in use again
)

// Where a hook runs, unless on a host that it names.
const (
	OnHost       = "host"
	OnController = "controller"
)

// Wait is how a drain is seen to have taken effect: exactly one kind.
type Wait struct {
	Idle   bool          `json:"idle,omitempty"` // no TCP connection from outside to a listener of the host's own network namespace is established, but SSH's
	Argv   []string      `json:"argv,omitempty"` // exits 0; runs where the hook does
	Within time.Duration `json:"within"`
}

// Silence keeps alerts about hosts quiet while they are at work.
type Silence struct {
	Hosts string // pattern
	Mute
}

// Mute is one silence of one host: Alertmanager's API v2, or a webhook.
type Mute struct {
	Name         string        `json:"name"`
	Alertmanager string        `json:"alertmanager,omitempty"` // base URL of its API v2
	Webhook      string        `json:"webhook,omitempty"`      // gets a POST of our JSON: {action: set|extend|remove, ...}
	Matchers     []Matcher     `json:"matchers,omitempty"`     // Alertmanager's; values may hold {{ .name }}, {{ .address }}, {{ .site }}
	TTL          time.Duration `json:"ttl"`                    // it ends by itself after this, unless extended
	Token        string        `json:"token,omitempty"`        // reference to a bearer token: env:NAME …
}

// Matcher is one of Alertmanager's.
type Matcher struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Regex bool   `json:"regex,omitempty"`
}
