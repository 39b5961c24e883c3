package app

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/rollout"
)

func TestHeartbeatSpeaksOfLongStepsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var lines []string
		heard := func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(lines)
		}
		h := startHeartbeat(time.Now, func(_ time.Time, text string) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, text)
		})
		host := fact.HostID{Site: "s", Name: "a"}
		h.event(rollout.Event{Time: time.Now(), Entry: rollout.StepStarted{Host: host, Step: "preflight"}})
		h.progress(host, "waiting for the package lock: unattended-upgr")
		<-time.After(50 * time.Second)
		if said := heard(); len(said) != 0 {
			t.Errorf("too early: %q", said)
		}
		<-time.After(90 * time.Second)
		said := heard()
		if len(said) != 2 || !strings.Contains(said[0], "s/a: preflight goes on for 1m") || !strings.Contains(said[0], "unattended-upgr") {
			t.Errorf("said %q", said)
		}
		h.event(rollout.Event{Time: time.Now(), Entry: rollout.StepEnded{Host: host, Step: "preflight"}})
		<-time.After(5 * time.Minute)
		h.end()
		if said := heard(); len(said) != 2 {
			t.Errorf("spoke of a step that has ended: %q", said)
		}
	})
}
