package drivers

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
)

func TestFor(t *testing.T) {
	set, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range set.All() {
		c := d.Capabilities()
		found, ok := set.For(c.Platform)
		if !ok || found.Capabilities() != c {
			t.Errorf("For(%q) = %v, %v", c.Platform, found, ok)
		}
		if _, locks := d.(platform.Locker); locks != c.Locks {
			t.Errorf("%s: says Locks %v, and is a Locker: %v", c.Platform, c.Locks, locks)
		}
		if c.Upgrades == (c.Why != "") {
			t.Errorf("%s: upgrades %v, and why not: %q", c.Platform, c.Upgrades, c.Why)
		}
	}
	for _, name := range []fact.Platform{"", "windows"} {
		if d, ok := set.For(name); ok {
			t.Errorf("For(%q) = %v, want none", name, d)
		}
	}
}

// TestManagersKeepTheContract: every manager has the functions that the scripts call.
func TestManagersKeepTheContract(t *testing.T) {
	for _, m := range Managers() {
		if m.Refused != "" {
			continue // it is only looked at
		}
		for where, names := range map[string][]string{
			strings.Join(m.Shared, "") + m.Script: {"probe", "versions", "available", "locks", "health", "simulate", "staged", "files", "signs"},
			m.Acts:                                {"stage", "keep", "install", "repair"},
		} {
			for _, name := range names {
				if !strings.Contains("\n"+where, "\n"+m.Name+"_"+name+"() {") {
					t.Errorf("%s has no %s_%s", m.Name, m.Name, name)
				}
			}
		}
		if m.Is == nil || m.Order == nil || m.Spec == nil || m.Key == nil || m.Read == nil || m.Simulated == nil || m.Ending == "" || len(m.Drives) == 0 {
			t.Errorf("%s is not whole", m.Name)
		}
		for _, unit := range m.Aside {
			if !strings.HasSuffix(unit, ".timer") && !strings.HasSuffix(unit, ".service") || strings.ContainsAny(unit, " \t*") {
				t.Errorf("%s: %q is not one unit", m.Name, unit)
			}
		}
	}
}
