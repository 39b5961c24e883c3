package app

import (
	"fmt"

	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/rollout"
)

// offScript lists where the end of the demo differs from its script. The fleet is the
// judge: it counts what was really done to each host.
func offScript(s rollout.Status, fleet *lab.Fleet) []string {
	var wrong []string
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if s.Phase != rollout.PhaseHalted {
		note("the rollout is %s, not halted", s.Phase)
	}
	count := map[rollout.HostState]int{}
	for _, h := range s.Hosts {
		count[h.State]++
		host := fleet.Host(h.ID.Name)
		if host == nil {
			note("%s is not in the fleet", h.ID)
			continue
		}
		for _, w := range hostOffScript(h, host) {
			note("%s: %s", h.ID, w)
		}
	}
	if count[rollout.HostFailed] != 1 || count[rollout.HostUnknown] != 0 {
		note("%d hosts failed and %d are unknown; one should have failed", count[rollout.HostFailed], count[rollout.HostUnknown])
	}
	if count[rollout.HostHealthy] < 3 || count[rollout.HostWaiting] == 0 {
		note("%d hosts are healthy and %d wait", count[rollout.HostHealthy], count[rollout.HostWaiting])
	}
	return wrong
}

func hostOffScript(h rollout.HostStatus, host *lab.Host) []string {
	var wrong []string
	sick := host.Spec().Faults.UnhealthyAfter != ""
	if sick != (h.State == rollout.HostFailed) && h.Ring != "" && h.State != rollout.HostWaiting {
		wrong = append(wrong, fmt.Sprintf("it is %s", h.State))
	}
	if d := host.Device(); d != nil {
		wrong = append(wrong, deviceOffScript(h, d)...)
	}
	done := host.Effects().Transactions
	if !h.Touched && len(done) > 0 {
		wrong = append(wrong, fmt.Sprintf("patchring did not count it as touched, and %d packages changed", len(done)))
	}
	times := map[string]int{}
	for _, t := range done {
		times[t.Package]++
		if times[t.Package] > 1 {
			wrong = append(wrong, t.Package+" was changed more than once")
		}
	}
	return wrong
}

// deviceOffScript: a device that is healthy has restarted once, with the image that was
// committed once; any other has not restarted at all.
func deviceOffScript(h rollout.HostStatus, d *device.Device) []string {
	want := 0
	if h.State == rollout.HostHealthy {
		want = 1
	}
	var wrong []string
	for _, effect := range []string{"reload", "commit"} {
		if got := d.Done().Count(effect); got != want {
			wrong = append(wrong, fmt.Sprintf("%s: %d times, want %d", effect, got, want))
		}
	}
	return wrong
}
