package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
)

// LookedKeys is what was learned of one host's keys, and done about them.
type LookedKeys struct {
	Host fact.HostID
	Name string // as known_hosts writes it
	File string // the site's known_hosts
	// State of the host: ok, other_kind, unknown, changed, revoked, untold; confirmed where a
	// file holds its keys; recorded where they were written down now. Empty where Err is set.
	State   string
	Why     string
	Hint    string
	Keys    []LookedKey
	Backup  string // the file as it was before lines were removed
	Err     error  // what kept the host from being looked at
	Skipped []string
}

// LookedKey is one key of a host.
type LookedKey struct {
	Type        string `json:"type"`
	Fingerprint string `json:"fingerprint"`
	State       string `json:"state"` // ok | other_kind | unknown | changed | revoked | gone | proven | unpinned | confirmed | recorded | removed
	Where       string `json:"where"` // file:line, where one speaks of it
}

// HostKeys is the document of `hostkeys`.
type HostKeys struct {
	Header
	Action string         `json:"action"` // check | pin | rotate
	Exit   Ending         `json:"exit"`
	Hosts  []HostKeysHost `json:"hosts"`
	Totals HostKeysTotals `json:"totals"`
}

// HostKeysHost is one host with its keys.
type HostKeysHost struct {
	Host   string      `json:"host"`
	Name   string      `json:"name"`
	File   string      `json:"file"`
	State  string      `json:"state"` // as LookedKeys; failed where it could not be looked at
	Why    string      `json:"why"`
	Hint   string      `json:"hint"`
	Keys   []LookedKey `json:"keys"`
	Notes  []string    `json:"notes"` // what it said that was not used
	Backup string      `json:"backup"`
}

// HostKeysTotals counts hosts by state, and keys that were written or removed.
type HostKeysTotals struct {
	Hosts    int            `json:"hosts"`
	ByState  map[string]int `json:"by_state"`
	Recorded int            `json:"recorded"`
	Removed  int            `json:"removed"`
}

// NewHostKeys builds it, in the order of its input.
func NewHostKeys(action string, in []LookedKeys) HostKeys {
	doc := HostKeys{Header: header("hostkeys"), Action: clean(action), Hosts: []HostKeysHost{}, Totals: HostKeysTotals{ByState: map[string]int{}}}
	var claims []claim
	for _, one := range in {
		h := newHostKeysHost(one)
		doc.Hosts = append(doc.Hosts, h)
		doc.Totals.add(h)
		if code := hostKeysCode(one, h.State); code != ExitDone {
			claims = append(claims, claim{code, h.Host})
		}
	}
	doc.Exit = ending(gather(claims, "with keys not in order"), "the keys of "+count(len(in), "host")+" are in order")
	return doc
}

func newHostKeysHost(one LookedKeys) HostKeysHost {
	h := HostKeysHost{
		Host: clean(one.Host.String()), Name: clean(one.Name), File: clean(one.File), State: clean(one.State),
		Why: clean(one.Why), Hint: clean(one.Hint), Keys: []LookedKey{}, Notes: cleanAll(one.Skipped), Backup: clean(one.Backup),
	}
	if one.Err != nil {
		h.State, h.Why, h.Hint = "failed", bareError(one.Err), clean(fault.HintOf(one.Err))
		switch fault.CodeOf(one.Err) {
		case fault.Unreachable:
			h.State = "unreachable"
		case fault.HostKeyChanged:
			h.State = "changed"
		case fault.HostKeyUnknown:
			h.State = "unknown"
		}
	}
	if h.State == "" {
		h.State = "untold"
	}
	for _, k := range one.Keys {
		h.Keys = append(h.Keys, LookedKey{clean(k.Type), clean(k.Fingerprint), clean(k.State), clean(k.Where)})
	}
	return h
}

// hostKeysCode: a key that is not known, or another one, needs a person, who looks at the
// host's console. Only what could not be looked at is unreachable, or an error.
func hostKeysCode(one LookedKeys, state string) int {
	switch state {
	case "ok", "other_kind", "confirmed", "recorded":
		return ExitDone
	case "unknown", "changed", "revoked", "untold":
		return ExitNeedsPerson
	}
	if one.Err == nil {
		return ExitNeedsPerson
	}
	return ofFault(fault.CodeOf(one.Err))
}

func (t *HostKeysTotals) add(h HostKeysHost) {
	t.Hosts++
	t.ByState[h.State]++
	for _, k := range h.Keys {
		switch k.State {
		case "recorded":
			t.Recorded++
		case "removed":
			t.Removed++
		}
	}
}

// Recordable counts the keys that would be written down once a person says yes.
func (d HostKeys) Recordable() int {
	n := 0
	for _, h := range d.Hosts {
		if slices.Contains([]string{"unknown", "other_kind", "ok"}, h.State) {
			n += len(slices.DeleteFunc(slices.Clone(h.Keys), func(k LookedKey) bool {
				return !slices.Contains([]string{"unknown", "other_kind", "proven", "gone"}, k.State)
			}))
		}
	}
	return n
}

func (t *HostKeysTotals) words() string {
	var b strings.Builder
	for _, state := range []string{"ok", "recorded", "confirmed", "other_kind", "unknown", "changed", "revoked", "unreachable", "untold", "failed"} {
		if n := t.ByState[state]; n > 0 {
			fmt.Fprintf(&b, ", %d %s", n, hostKeysWord(state))
		}
	}
	return b.String()
}
