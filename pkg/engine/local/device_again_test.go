package local

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

var sw1 = fact.HostID{Site: "hq", Name: "sw1"} //nolint:gochecknoglobals // a constant of the tests

// stack is a stack that runs a version; its members have these serial numbers.
func stack(version string, serials ...string) fact.Facts {
	d := &fact.Device{Order: "iosxe", Definition: "sha256:d1"}
	for _, s := range serials {
		d.Members = append(d.Members, fact.Member{ID: s, Serial: s})
	}
	return fact.Facts{Host: sw1, Platform: "acme_os", Device: d, Packages: []fact.Package{{Name: patch.ImageName, Version: version, Status: "installed"}}}
}

func imageHost() plan.Host {
	return plan.Host{
		ID: sw1, Image: &patch.Image{Version: "17.12.4", Digest: "sha256:aa"}, Definition: "sha256:d1", Outage: patch.OutageWhole, Proof: string(platform.ProofDocument),
		Install: []patch.Update{{Name: patch.ImageName, From: "17.9.4", To: "17.12.4", Digest: "sha256:aa"}},
	}
}

// second is the second try of a host whose first began with these facts.
func second(t *testing.T, first fact.Facts) *work {
	t.Helper()
	raw, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	kept := &shelf{}
	digest, err := kept.Put(raw)
	if err != nil {
		t.Fatal(err)
	}
	known := rollout.HostStatus{ID: sw1, Touched: true, Began: &rollout.Began{Facts: digest}}
	p := &Performer{Config: Config{Store: kept}, hosts: map[fact.HostID]rollout.HostStatus{sw1: known}}
	return &work{p: p, task: rollout.Task{Host: sw1, Try: 2}}
}

// A later try does not believe what an earlier one has left: its steps prove it.
func TestDevicesAreProvenAnew(t *testing.T) {
	left := patch.Work{Left: []patch.Left{{Update: imageHost().Install[0], Reason: patch.ReasonInstalled}}}
	now := stack("17.12.04", "a", "b")
	got := second(t, now).anew(left, imageHost(), now)
	if !got.Again || len(got.Install) != 1 || got.Install[0].From != "17.12.4" || got.Install[0].To != "17.12.4" || got.Install[0].Digest != "sha256:aa" || len(got.Left) != 0 {
		t.Errorf("%+v", got)
	}
	first := second(t, now)
	first.task.Try = 1
	if got := first.anew(left, imageHost(), now); got.Again || len(got.Install) != 0 {
		t.Errorf("a first try has nothing of its own there: %+v", got)
	}
	old := patch.Work{Install: imageHost().Install}
	if got := second(t, now).anew(old, imageHost(), stack("17.9.4", "a", "b")); !got.Again || got.Install[0].From != "17.9.4" {
		t.Errorf("what is not there yet stays as planned: %+v", got)
	}
	doubted := imageHost()
	doubted.Install, doubted.Recheck = nil, &plan.Recheck{Rollout: "r", Doubted: true}
	if got := first.anew(patch.Work{}, doubted, now); len(got.Install) != 1 || got.Install[0].Digest != "" {
		t.Errorf("what another rollout has brought has no proven file: %+v", got)
	}
}

func TestOtherDevicesAreNotBegunAgain(t *testing.T) {
	w := second(t, stack("17.9.4", "a", "b"))
	for name, c := range map[string]struct {
		now  fact.Facts
		says string
	}{
		"the same":       {stack("17.12.4", "b", "a"), ""},
		"one is missing": {stack("17.12.4", "a"), "other serial numbers"},
		"one is another": {stack("17.12.4", "a", "c"), "other serial numbers"},
		"no device":      {fact.Facts{}, ""},
	} {
		end := w.otherDevice(c.now)
		if got := end != nil && end.Outcome == rollout.OutcomeUnknown && strings.Contains(end.Reasons[0], c.says); got != (c.says != "") {
			t.Errorf("%s: %+v", name, end)
		}
	}
}

// costly is a driver whose upgrades cost as much as it says.
type costly struct {
	platform.Driver
	cost platform.Cost
}

func (c costly) Cost(fact.Facts, patch.Work) platform.Cost { return c.cost }

// What was accepted when the plan was made is all that may be done.
func TestDevicesThatHaveChangedSinceThePlan(t *testing.T) {
	work := patch.Work{Image: imageHost().Image, Install: imageHost().Install}
	fine := platform.Cost{Outage: patch.OutageWhole, Proof: platform.ProofDocument}
	trial := stack("17.12.4", "a")
	trial.Device.Slots = []fact.Slot{{State: fact.SlotTrial}}
	other := stack("17.9.4", "a")
	other.Device.Definition = "sha256:d2"
	ours := work
	ours.Again = true
	switchover := imageHost()
	switchover.Outage = patch.OutageSwitchover
	for says, c := range map[string]struct {
		planned plan.Host
		cost    platform.Cost
		facts   fact.Facts
		work    patch.Work
	}{
		"":                        {imageHost(), fine, stack("17.9.4", "a"), work},
		"on trial":                {imageHost(), fine, trial, work},
		"definition":              {imageHost(), fine, other, work},
		"did not foresee":         {switchover, fine, stack("17.9.4", "a"), work},
		"nobody has seen it work": {imageHost(), platform.Cost{Outage: patch.OutageWhole, Proof: platform.ProofUnproven}, stack("17.9.4", "a"), work},
	} {
		if got := unfitDevice(c.planned, costly{cost: c.cost}, c.facts, c.work); !strings.Contains(got, says) || says == "" && got != "" {
			t.Errorf("%q: got %q", says, got)
		}
	}
	if got := unfitDevice(imageHost(), costly{cost: fine}, trial, ours); got != "" {
		t.Errorf("our own trial is carried on: %q", got)
	}
}

func TestWhatCantBeBroughtAhead(t *testing.T) {
	look := platform.Step{ID: "preflight"}
	bring := platform.Step{ID: "stage", Do: []platform.Operation{{Put: &platform.File{Path: "flash:a"}}}}
	pull := platform.Step{ID: "stage", Do: []platform.Operation{{Exchange: &remote.Exchange{Send: "copy"}, Serve: &platform.File{Path: "a"}}}}
	device := stack("1", "a")
	if !bringsNothing(device, []platform.Step{look}) || bringsNothing(device, []platform.Step{look, bring}) || bringsNothing(device, []platform.Step{pull}) {
		t.Error("only what sends or serves a file brings anything")
	}
	if bringsNothing(fact.Facts{}, []platform.Step{look}) {
		t.Error("package managers have their own step for it")
	}
}
