package local

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/platform"
	real "github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/rollout"
)

func markerFile() string { return real.MarkerFolder + "/" + real.MarkerName("monthly", "hq") }

// marker is what stands on a simulated host; the zero one: nothing.
func (h *labHost) marker(t *testing.T) platform.Owner {
	t.Helper()
	raw, err := h.FS.ReadFile(memfs.Root, markerFile())
	if err != nil {
		return platform.Owner{}
	}
	var o platform.Owner
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Errorf("the marker is %q: %v", raw, err)
	}
	return o
}

func (h *labHost) put(t *testing.T, text string) {
	t.Helper()
	if err := h.FS.MkdirAll(memfs.Root, real.MarkerFolder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := h.FS.WriteFile(memfs.Root, markerFile(), 0o600, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// marking is labRig by its own playbook and site, without peers.
func marking(t *testing.T, f *labFleet, id string) *rig {
	t.Helper()
	r := labRig(t, f)
	r.Plan.Budgets, r.Plan.Hooks = nil, nil
	r.Owner.Rollout, r.Owner.Playbook, r.Owner.Site = id, r.Plan.Playbook, r.Plan.Site
	return r
}

// Killed at any command of the begin step, also between lock and marker: begun again,
// the host is marked, and locked.
func TestBeginMarksKilledAnywhere(t *testing.T) {
	for n, died := 0, true; died || n < 2; n++ { // at first not at all
		synctest.Test(t, func(t *testing.T) {
			f := newLabFleet(t, "web")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f.dies, f.die = n, cancel
			r, web := marking(t, f, "r1"), f.hosts[host("web")]
			end, err := r.step(ctx, "web", rollout.FlowBegin, rollout.Start)
			if died = ctx.Err() != nil; died {
				r = r.restart()
				end, err = r.step(t.Context(), "web", rollout.FlowBegin, rollout.Reconcile)
			}
			if err != nil {
				t.Fatal(err)
			}
			want(t, end, rollout.OutcomeOK, "")
			if got := web.marker(t); got.Rollout != "r1" || got.Playbook != "monthly" || got.Site != "hq" || got.Host != "hq/web" {
				t.Errorf("killed at command %d: the marker is %+v", n, got)
			}
		})
		if t.Failed() {
			return
		}
	}
}

// The marker outlasts the lock; the next rollout puts its own there, and says whose it
// was where nobody here knows that one.
func TestMarkerOutlastsTheLock(t *testing.T) {
	for name, c := range map[string]struct{ before, says, not string }{
		"none":           {"", "", "replaced"},
		"not known here": {`{"rollout":"r0","playbook":"monthly","site":"hq","by":"omar@ci","since":"2026-11-21T22:00:00Z"}`, "the marker of rollout r0 of omar@ci, which is not in this state folder, was replaced", ""},
		"known here":     {`{"rollout":"known","playbook":"monthly","site":"hq","by":"omar@ci","since":"2026-11-21T22:00:00Z"}`, "", "replaced"},
		"misplaced":      {`{"rollout":"r0","playbook":"weekly","site":"hq","by":"omar@ci","since":"2026-11-21T22:00:00Z"}`, "", "replaced"},
		"cut off":        {`{"rollout":"r0`, "", "replaced"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newLabFleet(t, "web")
			web := f.hosts[host("web")]
			if c.before != "" {
				web.put(t, c.before)
			}
			r := marking(t, f, "r1")
			r.Knows = func(id string) bool { return id == "known" }
			end := r.must(t, "web", rollout.FlowBegin)
			want(t, end, rollout.OutcomeOK, c.says)
			if c.not != "" && strings.Contains(strings.Join(end.Notes, "; "), c.not) {
				t.Errorf("%s: %q", name, end.Notes)
			}
			for _, id := range end.Began.Steps {
				want(t, r.must(t, "web", id), rollout.OutcomeOK, "")
			}
			if _, err := web.FS.ReadFile(memfs.Root, real.LockFolder+"/owner.json"); err == nil || web.marker(t).Rollout != "r1" {
				t.Errorf("%s: after the work the marker is %+v, the lock: %v", name, web.marker(t), err)
			}
		})
	}
}

// A host that can't keep the marker is not begun, and its lock is given back. One that
// has nothing to do, or steps back, gets none.
func TestNotBegunNotMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newLabFleet(t, "web")
		web := f.hosts[host("web")]
		web.put(t, "")
		if err := web.FS.RemoveAll(memfs.Root, markerFile()); err != nil {
			t.Fatal(err)
		}
		if err := web.FS.MkdirAll(memfs.Root, markerFile(), 0o700); err != nil {
			t.Fatal(err)
		}
		want(t, marking(t, f, "r1").must(t, "web", rollout.FlowBegin), rollout.OutcomeFailed, "is not a file")
		if _, err := web.FS.ReadFile(memfs.Root, real.LockFolder+"/owner.json"); err == nil {
			t.Error("the lock is still there")
		}
		if err := web.FS.RemoveAll(memfs.Root, markerFile()); err != nil {
			t.Fatal(err)
		}
		crowded := marking(t, f, "r1")
		crowded.Plan = budgeted(crowded.Plan, 1, "peer", "web")
		crowded.Hosts[host("peer")] = crowded.Hosts[host("web")]
		crowded.Out = func() map[fact.HostID]string { return map[fact.HostID]string{host("peer"): "sick"} }
		want(t, crowded.must(t, "web", rollout.FlowBegin), rollout.OutcomeBack, "")
		if got := web.marker(t); got.Rollout != "" {
			t.Errorf("it stepped back, and the marker is %+v", got)
		}
	})
}
