package app

import (
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// How long logins are needed: the work of a ring, side by side as it allows, never less than
// the longest host with its reserve, never past the window.
func TestBusyUntil(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	clock, err := schedule.Compile(schedule.Calendar{Zone: "UTC", Windows: map[string]schedule.Window{
		"night": {Rules: []schedule.Rule{{Days: []schedule.Day{{Weekday: time.Saturday}}, Start: "21:00", Length: 2 * time.Hour}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{}
	var ids []fact.HostID
	for i := range 10 {
		id := fact.HostID{Site: "hq", Name: string(rune('a' + i))}
		ids = append(ids, id)
		p.Hosts = append(p.Hosts, plan.Host{ID: id, Install: []patch.Update{{Name: "bash"}}, Takes: 12 * time.Minute})
	}
	for _, tt := range []struct {
		ring plan.Ring
		want time.Duration
	}{
		{plan.Ring{Hosts: ids, MaxInFlight: 2}, time.Hour},
		{plan.Ring{Hosts: ids, MaxInFlight: 100}, 24 * time.Minute},
		{plan.Ring{Hosts: ids[:1]}, 24 * time.Minute},
		{plan.Ring{Hosts: ids, MaxInFlight: 1, Window: "night"}, time.Hour}, // it closes at 23:00
		{plan.Ring{Hosts: ids, MaxInFlight: 4, Window: "night"}, 30 * time.Minute},
	} {
		if got := busyUntil(p, tt.ring, clock, now, 0).Sub(now); got != tt.want {
			t.Errorf("%d hosts, %d at once, window %q: %v, want %v", len(tt.ring.Hosts), tt.ring.MaxInFlight, tt.ring.Window, got, tt.want)
		}
	}
}

// A window that is closed: nothing is needed, unless the run waits for it to open.
func TestBusyUntilLater(t *testing.T) {
	friday := time.Date(2026, 11, 20, 21, 0, 0, 0, time.UTC)
	clock, err := schedule.Compile(schedule.Calendar{Zone: "UTC", Windows: map[string]schedule.Window{
		"night": {Rules: []schedule.Rule{{Days: []schedule.Day{{Weekday: time.Saturday}}, Start: "21:00", Length: 2 * time.Hour}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	id := fact.HostID{Site: "hq", Name: "a"}
	p := &plan.Plan{Hosts: []plan.Host{{ID: id, Install: []patch.Update{{Name: "bash"}}, Takes: time.Hour}}}
	ring := plan.Ring{Hosts: []fact.HostID{id}, Window: "night"}
	if got := busyUntil(p, ring, clock, friday, 23*time.Hour); !got.IsZero() {
		t.Errorf("not waited for: %v", got)
	}
	if got := busyUntil(p, ring, clock, friday, 25*time.Hour); !got.Equal(friday.Add(26 * time.Hour)) {
		t.Errorf("waited for: %v", got)
	}
}

func TestRingAhead(t *testing.T) {
	a, b := fact.HostID{Site: "hq", Name: "a"}, fact.HostID{Site: "hq", Name: "b"}
	p := &plan.Plan{Rings: []plan.Ring{{Name: "test", Hosts: []fact.HostID{a}}, {Name: "production", Hosts: []fact.HostID{b}}}}
	state := func(one, two rollout.HostState) rollout.Status {
		return rollout.Status{Hosts: []rollout.HostStatus{{ID: a, State: one}, {ID: b, State: two}}}
	}
	for _, tt := range []struct {
		status rollout.Status
		want   string
	}{
		{state(rollout.HostWaiting, rollout.HostWaiting), "test"},
		{state(rollout.HostWorking, rollout.HostWaiting), "test"},
		{state(rollout.HostHealthy, rollout.HostWaiting), "production"},
		{state(rollout.HostFailed, rollout.HostUnknown), ""},
	} {
		if ring, _ := ringAhead(p, tt.status); ring.Name != tt.want {
			t.Errorf("%v: %q, want %q", tt.status.Hosts, ring.Name, tt.want)
		}
	}
}
