package inventory

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/schedule"
)

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.yaml")
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte(fleet))
	f.Fuzz(func(t *testing.T, src []byte) {
		inv, err := Parse("fuzz.yaml", src)
		if err != nil {
			if _, ok := errors.AsType[*document.Problems](err); !ok || inv != nil {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		checkInventory(t, inv)
	})
}

// checkInventory holds for whatever was accepted.
func checkInventory(t *testing.T, inv *Inventory) {
	t.Helper()
	if len(inv.Hosts) == 0 {
		t.Error("no hosts")
	}
	for i, h := range inv.Hosts {
		if i > 0 && inv.Hosts[i-1].ID.Compare(h.ID) >= 0 {
			t.Errorf("%s stands behind %s", h.ID, inv.Hosts[i-1].ID)
		}
		if !goodName(h.ID.Name) || !goodName(h.ID.Site) || h.Become == "" || h.Address != "" && checkAddress(h.Address) != nil {
			t.Errorf("host %+v", h)
		}
		if !slices.IsSorted(h.Groups) || slices.ContainsFunc(h.Groups, func(g string) bool { return !goodName(g) }) {
			t.Errorf("groups %q", h.Groups)
		}
		if _, ok := inv.Sites[h.ID.Site]; !ok {
			t.Errorf("%s has no site", h.ID)
		}
		if found, err := inv.Find(h.ID.String()); err != nil || found.ID != h.ID {
			t.Errorf("%s is not found: %v", h.ID, err)
		}
		inv.Explain(h)
	}
	_ = inv.Graph().String()
	checkRules(t, inv)
}

// checkRules: what stands at sites and budgets is complete, and can be worked with.
func checkRules(t *testing.T, inv *Inventory) {
	t.Helper()
	for name, s := range inv.Sites {
		if _, err := schedule.Compile(schedule.Calendar{Zone: s.Timezone.String(), Windows: s.Windows, Freezes: s.Freezes}); err != nil {
			t.Errorf("the calendar of %s: %v", name, err)
		}
		for list, people := range s.Approvers {
			if len(people) == 0 || slices.Contains(people, "") {
				t.Errorf("%s: %q", list, people)
			}
		}
	}
	for _, b := range inv.Budgets {
		if _, err := inv.Select(b.Hosts, nil); err != nil || b.Most.N < 1 || b.Name == "" || b.Where == "" {
			t.Errorf("budget %+v: %v", b, err)
		}
	}
	for _, h := range inv.Hosts {
		for _, id := range inv.dependsOn(h) {
			if _, err := inv.Find(id.String()); err != nil || id == h.ID || id.Site != h.ID.Site {
				t.Errorf("%s depends on %s: %v", h.ID, id, err)
			}
		}
	}
}

func FuzzSelect(f *testing.F) {
	for pattern := range likeAnsible() {
		f.Add(pattern)
	}
	f.Add("hq/web*:rack=a1:@x:web-[1:3]")
	inv := parse(f, clients)
	all, err := inv.Select("all", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		hosts, err := inv.Select(pattern, func(string) ([]byte, error) { return []byte(pattern), nil })
		if err != nil {
			if fault.CodeOf(err) != fault.Usage {
				t.Errorf("%q: %v", pattern, err)
			}
			return
		}
		for i, h := range hosts {
			if i > 0 && hosts[i-1].ID.Compare(h.ID) >= 0 {
				t.Errorf("%q: not sorted, or twice", pattern)
			}
			if !slices.ContainsFunc(all, func(o Host) bool { return o.ID == h.ID }) {
				t.Errorf("%q: %s is not of the inventory", pattern, h.ID)
			}
		}
	})
}

func FuzzExpand(f *testing.F) {
	f.Add("web-[01:04]")
	f.Add("r[a:f]-[1:9:2]")
	f.Fuzz(func(t *testing.T, text string) {
		names, err := expand(text)
		if err == nil && (len(names) == 0 || len(names) > maxHosts) {
			t.Errorf("%q stands for %d names", text, len(names))
		}
	})
}
