package plan

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
)

// A switch that reloads takes all behind it down, unless they have a second way.
func TestWhatADeviceTakesDown(t *testing.T) {
	for name, c := range map[string]struct {
		via    []string
		outage patch.Outage
		most   int
		says   string
		noted  bool
	}{
		"two of two, one allowed": {[]string{"sw1"}, patch.OutageWhole, 1, "takes 2 of group web down with it, and its budget allows 1", true},
		"two allowed":             {[]string{"sw1"}, patch.OutageWhole, 2, "", true},
		"a second way":            {[]string{"sw1", "sw2"}, patch.OutageWhole, 1, "", false},
		"another device's":        {[]string{"other"}, patch.OutageWhole, 1, "", false},
		"a moment":                {[]string{"sw1"}, patch.OutageSwitchover, 1, "", false},
	} {
		in, made := small("sw1", "sw2", "other", "web1", "web2")
		made["sw1"].Unit, made["sw2"].Unit = "core", "core"
		made["web1"].Via, made["web2"].Via = c.via, c.via
		in.Playbook.Patches = append(in.Playbook.Patches, playbook.Patch{Hosts: "sw*", Image: &playbook.Image{Version: "2", File: "a", Models: []string{"*"}, Outage: patch.OutageWhole}})
		in.Images = map[string]patch.Image{"a": {Name: "a", Digest: "sha256:aa"}}
		for _, sw := range []string{"sw1", "sw2"} {
			in.Facts[id(sw)] = Found{Facts: deviceFacts(sw, "A1-48", "1")}
		}
		in.NoLock = true
		in.Driver = func(fact.Platform) (platform.Driver, bool) {
			return gear{cost: platform.Cost{Outage: c.outage, Proof: platform.ProofReal}}, true
		}
		settle(&in, made)
		in.Inventory.Budgets = []inventory.Budget{{Name: "group web", Hosts: "web*", Most: inventory.Size{N: c.most}}}
		p := build(t, in)
		h := at(t, p, "sw1")
		switch {
		case c.says == "" && h.Problem != nil, c.says != "" && (h.Problem == nil || !strings.Contains(h.Problem.What, c.says)):
			t.Errorf("%s: %+v", name, h.Problem)
		}
		if noted(p, "lose their way") != c.noted {
			t.Errorf("%s: notes %q", name, p.Notes)
		}
	}
}
