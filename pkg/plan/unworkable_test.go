package plan

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
)

// What could not be learned, and what is broken, is never "nothing to do".
func TestUnworkableHosts(t *testing.T) {
	id := fact.HostID{Site: "default", Name: "web"}
	problem := func(what string) []fact.Problem { return []fact.Problem{{What: what, Detail: "told so"}} }
	for name, c := range map[string]struct {
		facts fact.Facts
		says  string
	}{
		"well":                 {fact.Facts{Platform: "debian", Manager: fact.Manager{State: fact.ManagerOK}}, ""},
		"age of lists unknown": {fact.Facts{Platform: "debian", Problems: problem("lists")}, ""},
		"no platform":          {fact.Facts{}, "platform could not be told"},
		"detected only":        {fact.Facts{Platform: "linux"}, "can't be patched"},
		"updates unread":       {fact.Facts{Platform: "debian", Problems: problem("updates")}, "could not be read"},
		"answer cut off":       {fact.Facts{Platform: "debian", Problems: problem("output")}, "could not be read"},
		"refresh failed":       {fact.Facts{Platform: "debian", Problems: problem("refresh")}, "could not be refreshed"},
		"interrupted":          {fact.Facts{Platform: "debian", Manager: fact.Manager{State: fact.ManagerInterrupted}}, "interrupted"},
		"broken":               {fact.Facts{Platform: "debian", Manager: fact.Manager{State: fact.ManagerBroken}}, "broken"},
	} {
		got := unworkableIn(id, c.facts, false)
		switch {
		case c.says == "" && got != nil:
			t.Errorf("%s: %+v", name, got)
		case c.says != "" && (got == nil || !strings.Contains(got.What, c.says) || got.Hint == ""):
			t.Errorf("%s: %+v, want %q and a hint", name, got, c.says)
		}
		if cut := name == "interrupted" || name == "broken"; cut && unworkableIn(id, c.facts, true) != nil {
			t.Errorf("%s: it is not put right, though the playbook says so", name)
		}
	}
}

func TestAHostThatRunsSomethingElseThanTheInventorySays(t *testing.T) {
	inv, err := inventory.Parse("inventory.yaml", []byte("version: 1\nhosts:\n  web: {address: 10.0.0.1, platform: rhel}\n  db: {address: 10.0.0.2}\n"))
	if err != nil {
		t.Fatal(err)
	}
	d := &Draft{in: Input{Inventory: inv}}
	debian := fact.Facts{Platform: "debian"}
	if got := d.mistaken(fact.HostID{Site: "default", Name: "web"}, debian); got == nil || !strings.Contains(got.What, "rhel") {
		t.Errorf("web: %+v", got)
	}
	if got := d.mistaken(fact.HostID{Site: "default", Name: "db"}, debian); got != nil {
		t.Errorf("db: %+v", got)
	}
}

func unworkableIn(id fact.HostID, f fact.Facts, repair bool) *Problem {
	d := &Draft{in: Input{Playbook: &playbook.Playbook{Repair: repair}}}
	return d.unworkable(id, f)
}
