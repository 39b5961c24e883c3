package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// Encode writes the plan as canonical JSON: fields in the order of the types, hosts
// sorted, one newline at the end. The same plan always gives the same bytes.
func Encode(p *Plan) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("encode the plan: %w", err)
	}
	return out.Bytes(), nil
}

// Decode reads what Encode wrote. A plan of a newer patchring and one with fields
// that this build does not know are refused: carried out in part, they would be
// another plan.
func Decode(raw []byte) (*Plan, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, notAPlan(err)
	}
	if head.Version != Version {
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unsupported,
			What: fmt.Sprintf("the plan has version %d, and this patchring reads version %d", head.Version, Version),
			Hint: "make a new plan with: patchring plan PLAYBOOK",
		}
	}
	p := &Plan{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(p); err != nil {
		return nil, notAPlan(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, notAPlan(errors.New("something stands behind the plan"))
	}
	p.emptyIsAbsent()
	return p, nil
}

// emptyIsAbsent: what is written as empty and what is not written are the same plan,
// and must be written in the same way again.
func (p *Plan) emptyIsAbsent() {
	if c := &p.Calendar; len(c.Windows) == 0 && len(c.Freezes) == 0 {
		c.Windows, c.Freezes = nil, nil
	}
	for i := range p.Rings {
		if g := &p.Rings[i].Gate; len(g.Checks) == 0 {
			g.Checks = nil
		}
	}
}

func notAPlan(err error) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Usage, What: "not a plan that patchring wrote", Err: err,
		Hint: "make one with: patchring plan PLAYBOOK",
	}
}

// Digest names the plan by its encoded bytes.
func Digest(p *Plan) (patch.Digest, error) {
	raw, err := Encode(p)
	if err != nil {
		return "", err
	}
	return patch.DigestOf(raw), nil
}

// Host finds what the plan says of one host.
func (p *Plan) Host(id fact.HostID) (Host, bool) {
	at, found := slices.BinarySearchFunc(p.Hosts, id, func(h Host, id fact.HostID) int { return h.ID.Compare(id) })
	if !found {
		return Host{}, false
	}
	return p.Hosts[at], true
}

// SecurityLeft counts the updates left out that are, or may be, security fixes.
// What is installed already is not left out.
func SecurityLeft(left []patch.Left) int {
	n := 0
	for _, l := range left {
		if l.Reason != patch.ReasonInstalled && l.Update.Security != patch.No {
			n++
		}
	}
	return n
}
