package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
)

// gear is the driver of a platform that is upgraded at some cost.
type gear struct {
	cost platform.Cost
	back patch.Tri
}

func (gear) Read([]remote.Result) (fact.Facts, error) { return fact.Facts{}, errors.New("unused") }

func (gear) Steps(fact.Facts, patch.Work) ([]platform.Step, error) { return nil, errors.New("unused") }

func (gear) Capabilities() platform.Capabilities {
	return platform.Capabilities{Platform: "acme_os", Class: fact.ClassNetwork, Detects: true, Upgrades: true}
}

func (g gear) Cost(fact.Facts, patch.Work) platform.Cost { return g.cost }

func (g gear) Return(fact.Facts, patch.Work) (patch.Tri, string) { return g.back, "as it is" }

func deviceFacts(name, model, version string) fact.Facts {
	return fact.Facts{
		Host: id(name), Platform: "acme_os", Class: fact.ClassNetwork, Model: model, Version: version,
		Packages: []fact.Package{{Name: patch.ImageName, Version: version, Status: "installed"}},
		Device:   &fact.Device{Family: "A1", Order: "iosxe", Members: []fact.Member{{Model: model, Serial: "S-" + name}}},
	}
}

// switches are two devices, one in each ring, and an image for them.
func switches(change func(in *Input, image *playbook.Image)) (Input, *playbook.Image) {
	in, made := small("sw1")
	image := &playbook.Image{Version: "17.12.4", File: "images/a.bin", Models: []string{"A1-*"}, Outage: patch.OutageWhole}
	in.Playbook.Patches = append(in.Playbook.Patches, playbook.Patch{Hosts: "*", Image: image})
	in.Images = map[string]patch.Image{"images/a.bin": {Name: "a.bin", Digest: "sha256:aa", Size: 42}}
	for _, name := range []string{"t1", "sw1"} {
		in.Facts[id(name)] = Found{Facts: deviceFacts(name, "A1-48", "17.09.04")}
	}
	driver := gear{cost: platform.Cost{Outage: patch.OutageWhole, Proof: platform.ProofDocument}, back: patch.Yes}
	in.Driver = func(fact.Platform) (platform.Driver, bool) { return driver, true }
	in.NoLock = true
	if change != nil {
		change(&in, image)
	}
	settle(&in, made)
	return in, image
}

func TestImages(t *testing.T) {
	in, _ := switches(nil)
	h := at(t, build(t, in), "sw1")
	want := patch.Update{Name: patch.ImageName, From: "17.09.04", To: "17.12.4", Digest: "sha256:aa", File: "a.bin", Size: 42}
	if h.Problem != nil || len(h.Install) != 1 || h.Install[0] != want || h.Image == nil || h.Image.Version != "17.12.4" || h.Outage != patch.OutageWhole {
		t.Errorf("%+v", h)
	}
	if h.Return.Light != Green || h.Reboot != patch.Yes || h.Domain != "acme_os A1" {
		t.Errorf("return %+v, reboot %v, domain %q", h.Return, h.Reboot, h.Domain)
	}
}

func TestImagesThatAreRefused(t *testing.T) {
	in := func(change func(in *Input, image *playbook.Image)) Host {
		made, _ := switches(change)
		return at(t, build(t, made), "sw1")
	}
	cost := func(c platform.Cost) func(*Input, *playbook.Image) {
		return func(in *Input, _ *playbook.Image) {
			in.Driver = func(fact.Platform) (platform.Driver, bool) { return gear{cost: c}, true }
		}
	}
	for says, change := range map[string]func(in *Input, image *playbook.Image){
		"0 of the playbook's images are for model A1-48": func(_ *Input, i *playbook.Image) { i.Models = []string{"B2-*"} },
		"2 of the playbook's images are for model A1-48": func(in *Input, i *playbook.Image) {
			other := *i
			in.Playbook.Patches = append(in.Playbook.Patches, playbook.Patch{Hosts: "*", Image: &other})
		},
		"was not looked at":       func(in *Input, _ *playbook.Image) { in.Images = nil },
		"costs an outage (whole)": func(_ *Input, i *playbook.Image) { i.Outage = patch.OutageSwitchover },
		"costs an outage (of unknown length)": func(in *Input, i *playbook.Image) {
			cost(platform.Cost{Proof: platform.ProofReal})(in, i)
			i.Outage = patch.OutageSwitchover
		},
		"is unproven: nobody has seen it work":             cost(platform.Cost{Outage: patch.OutageNone, Proof: platform.ProofUnproven}),
		"can keep no lock":                                 func(in *Input, _ *playbook.Image) { in.NoLock = false },
		"new software of a device needs a restart":         func(in *Input, _ *playbook.Image) { in.Playbook.Reboot = patch.RebootNever },
		"must not be upgraded over SSH: a controller":      refusedDevice,
		"has an image for it, and it is driven by its pac": func(in *Input, _ *playbook.Image) { in.Facts[id("sw1")] = Found{Facts: debian(id("sw1"))} },
	} {
		if h := in(change); h.Problem == nil || !strings.Contains(h.Problem.What, says) || h.Problem.Hint == "" {
			t.Errorf("%s: got %+v", says, h.Problem)
		}
	}
}

func refusedDevice(in *Input, _ *playbook.Image) {
	f := in.Facts[id("sw1")].Facts
	device := *f.Device
	device.Refused = []string{"a controller manages it"}
	f.Device = &device
	in.Facts[id("sw1")] = Found{Facts: f}
}

// A stack that holds one member of another model is not what the image is for.
func TestEveryMemberMustFit(t *testing.T) {
	device := &fact.Device{Members: []fact.Member{{Model: "A1-48"}, {Model: "B2-1"}, {}}}
	if fits([]string{"A1-*"}, device, "A1-48") || !fits([]string{"A1-*", "B2-?"}, device, "") || fits([]string{"A1-*"}, &fact.Device{}, "") {
		t.Error("a model that does not fit was taken, or one that does was not")
	}
	if !patch.MatchModel("EX4300/*", "EX4300/48") || !patch.MatchModel("ISR4331*", "ISR4331/K9") || patch.MatchModel("[", "[") {
		t.Error("a slash is a letter like others, and a malformed glob matches nothing")
	}
}

// One version is spelled in several ways, and what is there needs no image.
func TestDevicesThatHaveIt(t *testing.T) {
	for _, version := range []string{"17.12.04", "17.12.4", "17.15.1"} {
		in, _ := switches(func(in *Input, _ *playbook.Image) {
			in.Facts[id("sw1")] = Found{Facts: deviceFacts("sw1", "A1-48", version)}
		})
		if h := at(t, build(t, in), "sw1"); !h.Idle() || h.Problem != nil {
			t.Errorf("%s: %+v", version, h)
		}
	}
}

// What a ring proved is a version and a file; another file of the same name is not it.
func TestImagesAreExact(t *testing.T) {
	in, _ := switches(nil)
	p := build(t, in)
	after := deviceFacts("t1", "A1-48", "17.12.04")
	proven := Proven(after.Domain(), at(t, p, "t1").Install, after)
	if len(proven) != 1 || proven[0].Digest != "sha256:aa" || proven[0].Version != "17.12.4" || proven[0].Assurance != patch.AssurancePlaybook {
		t.Fatalf("%+v", proven)
	}
	facts := deviceFacts("sw1", "A1-48", "17.9.4") // spelled in another way than at plan time
	narrow := func(set patch.PatchSet) patch.Work {
		work, err := Narrow(p, id("sw1"), &set, facts)
		if err != nil {
			t.Fatal(err)
		}
		return work
	}
	if work := narrow(Freeze(proven)); work.Refused != "" || len(work.Install) != 1 || work.Image == nil {
		t.Errorf("%+v", work)
	}
	if work := narrow(Freeze(nil)); len(work.Install) != 0 || len(work.Left) != 1 || work.Left[0].Reason != patch.ReasonUntested {
		t.Errorf("%+v", work)
	}
	other := slices.Clone(proven)
	other[0].Digest = "sha256:bb"
	if work := narrow(Freeze(other)); !strings.Contains(work.Refused, "the image of this version that was proven is bb") {
		t.Errorf("%+v", work)
	}
}

func TestDevicesAreTakenBack(t *testing.T) {
	in, _ := switches(nil)
	p := build(t, in)
	did := at(t, p, "sw1").Install
	for version, want := range map[string]string{"17.12.04": "17.12.4 17.09.04", "17.9.4": "", "16.1": "somebody else has changed it"} {
		work, err := TakeBack(p, id("sw1"), did, deviceFacts("sw1", "A1-48", version))
		got := work.Refused
		for _, u := range work.Install {
			got = u.From + " " + u.To
		}
		if err != nil || !work.Back || work.Image == nil || !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, %v", version, got, err)
		}
	}
}

// Who carries nothing goes first, whatever it is called.
func TestStandbyFirst(t *testing.T) {
	in, made := small("a", "b", "c")
	for _, name := range []string{"a", "b", "c"} {
		made[name].Unit = "pair"
		f := deviceFacts(name, "A1-48", "17.09.04")
		f.Device.Role = map[string]string{"a": fact.RoleActive, "b": "", "c": fact.RoleStandby}[name]
		in.Facts[id(name)] = Found{Facts: f}
	}
	made["other"] = &inventory.Host{ID: id("other"), Groups: []string{"production"}}
	settle(&in, made)
	if got := build(t, in).Rings[1].Hosts; !slices.Equal(got[:3], []fact.HostID{id("other"), id("c"), id("b")}) && !slices.Equal(got, []fact.HostID{id("c"), id("b"), id("a"), id("other")}) {
		t.Errorf("%v", got)
	}
}

// Somebody's upgrade that is not committed, or has ended half way, is a person's to look at;
// one of our own is carried on.
func TestDevicesHalfWay(t *testing.T) {
	trial := deviceFacts("sw1", "A1-48", "17.12.04")
	trial.Device.Slots = []fact.Slot{{State: fact.SlotTrial, Version: "17.12.04"}}
	half := deviceFacts("sw1", "A1-48", "17.12.04")
	half.Device.Members = []fact.Member{{ID: "1", Serial: "a", Model: "A1-48", Version: "17.12.4"}, {ID: "2", Serial: "b", Model: "A1-48", Version: "17.9.4"}}
	for says, f := range map[string]fact.Facts{"on trial": trial, "half way": half} {
		in, _ := switches(func(in *Input, _ *playbook.Image) { in.Facts[id("sw1")] = Found{Facts: f} })
		if h := at(t, build(t, in), "sw1"); h.Problem == nil || !strings.Contains(h.Problem.What, says) || !strings.Contains(h.Problem.Hint, "plan again") {
			t.Errorf("%s: %+v", says, h.Problem)
		}
		in, _ = switches(func(in *Input, _ *playbook.Image) {
			in.Facts[id("sw1")] = Found{Facts: f}
			in.Past = map[fact.HostID]Recheck{id("sw1"): {Rollout: "r", Doubted: true}}
		})
		if h := at(t, build(t, in), "sw1"); h.Problem != nil || h.Image == nil {
			t.Errorf("ours, %s: %+v", says, h)
		}
	}
	if EveryMember(half, "17.12.4") || !EveryMember(trial, "17.12.4") {
		t.Error("every member counts")
	}
}

// What it had already can't be taken back to anything.
func TestAdoptedSoftwareIsNotTakenBack(t *testing.T) {
	in, _ := switches(nil)
	did := []patch.Update{{Name: patch.ImageName, From: "17.12.4", To: "17.12.4"}}
	work, err := TakeBack(build(t, in), id("sw1"), did, deviceFacts("sw1", "A1-48", "17.12.04"))
	if err != nil || !strings.Contains(work.Refused, "not known what it ran before") {
		t.Errorf("%+v, %v", work, err)
	}
}
