package plan

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// small is a site made by hand: t1 is the test ring, the others are production. Each
// has one pending update.
func small(names ...string) (Input, map[string]*inventory.Host) {
	made := map[string]*inventory.Host{}
	for _, name := range append([]string{"t1"}, names...) {
		made[name] = &inventory.Host{ID: id(name), Groups: []string{"production"}}
	}
	made["t1"].Groups = []string{"test"}
	in := Input{
		Playbook: &playbook.Playbook{
			Name: "monthly", Reboot: patch.RebootIfNeeded,
			Patches: []playbook.Patch{{Hosts: "*", Packages: playbook.Packages{Kind: playbook.KindAll}}},
			Rings:   []playbook.Ring{{Name: "test", Hosts: "test"}, {Name: "production", Hosts: "all:!test"}},
			Checks: []playbook.Check{
				{Hosts: "*", Check: health.Check{Name: "diff", DefaultDiff: true}}, {Hosts: "*", Check: health.Check{Name: "ssh", Service: "sshd"}},
			},
		},
		Site: "hq", Facts: map[fact.HostID]Found{}, Now: now(),
	}
	for name := range made {
		in.Facts[id(name)] = Found{Facts: debian(id(name), pending()[0])}
	}
	return in, made
}

// settle puts the hosts into the inventory.
func settle(in *Input, made map[string]*inventory.Host) {
	site := inventory.Site{Name: "hq", Timezone: time.UTC}
	if in.Inventory != nil {
		site = in.Inventory.Sites["hq"]
	}
	in.Inventory = &inventory.Inventory{Sites: map[string]inventory.Site{"hq": site}}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		in.Inventory.Hosts = append(in.Inventory.Hosts, *made[name])
	}
}

// weekend is open each Saturday at 22:00 for six hours.
func weekend() schedule.Window {
	return schedule.Window{Rules: []schedule.Rule{{Days: []schedule.Day{{Weekday: time.Saturday}}, Start: "22:00", Length: 6 * time.Hour}}}
}

// everything is an input that fills every field of a plan.
func everything(t *testing.T) Input {
	t.Helper()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	in, made := small("web-01", "web-02", "web-03", "lb1", "sw1", "sw2", "dead")
	for _, name := range []string{"web-01", "web-02", "web-03"} {
		made[name].Via, made[name].Labels = []string{"sw1"}, map[string]string{"tier": "web"}
	}
	made["sw1"].Unit, made["sw2"].Unit = "core", "core"
	in.Inventory = &inventory.Inventory{Sites: map[string]inventory.Site{"hq": {
		Name: "hq", Timezone: london, Windows: map[string]schedule.Window{"weekend": weekend()},
		Freezes:   []schedule.Freeze{{From: "2026-12-18", Through: "2027-01-04", Reason: "year-end"}},
		Approvers: map[string][]string{"board": {"omar@hq.example", "jane@hq.example"}},
	}}}
	settle(&in, made)
	in.Inventory.Budgets = []inventory.Budget{{Name: "label tier=web", Hosts: "tier=web", Most: inventory.Size{N: 50, Percent: true}}}
	in.Quarantine = map[fact.HostID]Quarantined{id("dead"): {Owner: "omar", Until: now().Add(48 * time.Hour), Reason: "disk on order"}}
	in.Takes = map[string]time.Duration{"debian 12 amd64": 12 * time.Minute}
	in.Urgent = true
	book := in.Playbook
	book.FailureLimit = &playbook.Size{N: 50, Percent: true}
	book.Freezes = []schedule.Freeze{{From: "2026-11-30", Through: "2026-11-30", Reason: "audit"}}
	four := 4 * time.Hour
	book.Urgent = &playbook.Urgent{Soak: &four}
	book.Rings[1].Window, book.Rings[1].Order = "weekend", []string{"lb1"}
	book.Rings[1].Gate = playbook.Gate{
		Soak:             &playbook.Soak{For: 48 * time.Hour, Pace: playbook.Pace{Interval: time.Hour, Successes: 2}, MaxGap: 26 * time.Hour},
		Approval:         &playbook.Approval{Approvers: "board", Count: 1, Expires: 7 * 24 * time.Hour},
		MinParticipation: 90, Coverage: 80,
		Checks: []playbook.Inquiry{{Name: "change", When: playbook.WhenBefore, Command: &health.Command{Argv: []string{"change-open"}}, Within: time.Minute}},
	}
	book.Hooks = []playbook.Hook{{Hosts: "web-*", Action: playbook.Action{
		Name: "drain", At: playbook.HookDrain, On: "lb1", Argv: []string{"lbctl", "drain"}, Undo: []string{"lbctl", "enable"},
		Within: time.Minute, Wait: &playbook.Wait{Idle: true, Within: time.Minute},
	}}}
	book.Silences = []playbook.Silence{{Hosts: "*", Mute: playbook.Mute{Name: "alerts", Webhook: "https://hooks.example/x", TTL: 30 * time.Minute}}}
	return in
}
