package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/version"
)

// driver finds a platform's driver.
func (d *Draft) driver(name fact.Platform) (platform.Driver, bool) {
	if d.in.Driver != nil {
		return d.in.Driver(name)
	}
	return drivers.For(name)
}

func imagesFor(rules []rule, id fact.HostID) []*playbook.Image {
	var out []*playbook.Image
	for _, r := range rules {
		if r.image != nil && r.hosts[id] {
			out = append(out, r.image)
		}
	}
	return out
}

// image plans a device's new software, and tells whether that is all there is to plan
// here: packages are none of a device's, and images none of a server's.
func (d *Draft) image(h *Host, f fact.Facts, images []*playbook.Image) bool {
	switch {
	case f.Device == nil && len(images) == 0:
		return false
	case f.Device == nil:
		h.Problem = &Problem{Code: string(fault.HostFailed), What: "the playbook has an image for it, and it is driven by its package manager (platform " + string(f.Platform) + ")", Hint: "narrow hosts of the image entry"}
	case len(images) == 0:
		d.notes = append(d.notes, fmt.Sprintf("%s: no image entry of the playbook is for this device", h.ID))
	default:
		h.Problem = d.newSoftware(h, f, images)
	}
	return true
}

// newSoftware picks the image for a device, or says why none fits.
func (d *Draft) newSoftware(h *Host, f fact.Facts, images []*playbook.Image) *Problem {
	fitting := slices.DeleteFunc(slices.Clone(images), func(i *playbook.Image) bool { return !fits(i.Models, f.Device, f.Model) })
	if len(fitting) != 1 {
		return &Problem{Code: string(fault.HostFailed), What: fmt.Sprintf("%d of the playbook's images are for model %s", len(fitting), orUnknown(f.Model)), Hint: "models of exactly one image entry must match it"}
	}
	wanted := fitting[0]
	image, known := d.in.Images[wanted.File]
	if !known {
		return &Problem{Code: string(fault.Usage), What: "the file " + wanted.File + " was not looked at", Hint: "put it where the playbook names it"}
	}
	image.Models, image.Version = wanted.Models, wanted.Version
	if host, ok := d.in.host(h.ID); ok && host.Serve.IsValid() {
		image.Serve = host.Serve.String()
	}
	u := patch.Update{Name: patch.ImageName, From: installedImage(f), To: image.Version, Digest: image.Digest, File: image.Name, Size: image.Size, Security: patch.Unknown}
	h.Image = &image
	newer, known := ordering(f)(u.From, u.To)
	switch past := d.in.Past[h.ID]; {
	case OnTrial(f) && !past.Doubted:
		return &Problem{Code: string(fault.HostFailed), What: "it runs " + u.From + " on trial: somebody's upgrade is not committed", Hint: "commit it, or give it up, on the device; then plan again"}
	case sameVersion(f, u.From, u.To) && !EveryMember(f, u.To) && !past.Doubted:
		return &Problem{Code: string(fault.HostFailed), What: "some of its members run " + u.To + ", and others do not: somebody's upgrade has ended half way", Hint: "bring its members to one version; then plan again"}
	case sameVersion(f, u.From, u.To), known && newer:
		return nil // it has it, or something newer
	}
	h.Install = []patch.Update{u}
	return d.accepted(h, f, wanted.Outage)
}

// EveryMember tells whether each member that says which version it runs has this one.
func EveryMember(f fact.Facts, version string) bool {
	return f.Device == nil || !slices.ContainsFunc(f.Device.Members, func(m fact.Member) bool {
		return m.Serial != "" && m.Version != "" && !sameVersion(f, m.Version, version)
	})
}

// accepted judges what the upgrade rests on and costs, against what was accepted.
func (d *Draft) accepted(h *Host, f fact.Facts, most patch.Outage) *Problem {
	driver, _ := d.driver(f.Platform)
	work := patch.Work{Install: h.Install, Image: h.Image}
	if d.in.Playbook.Reboot == patch.RebootNever {
		return &Problem{Code: string(fault.HostFailed), What: "new software of a device needs a restart, and the playbook says reboot: never", Hint: "write reboot: if_needed, or leave the device out"}
	}
	cost := platform.Cost{Outage: patch.OutageUnknown, Proof: platform.ProofUnproven}
	if c, ok := driver.(platform.Coster); ok {
		cost = c.Cost(f, work)
	}
	h.Outage, h.Net, h.Proof, h.Definition = cost.Outage, cost.Net, string(cost.Proof), f.Device.Definition
	switch {
	case len(f.Device.Refused) > 0:
		return &Problem{Code: string(fault.HostFailed), What: "it must not be upgraded over SSH: " + strings.Join(f.Device.Refused, "; "), Hint: "leave it out of the rings"}
	case !cost.Outage.Within(most):
		return &Problem{Code: string(fault.HostFailed), What: fmt.Sprintf("upgrading it costs an outage (%s), and the playbook accepts %s", cmp.Or(cost.Outage, "of unknown length"), most), Hint: "write outage: whole in the image entry, if that is accepted"}
	case !cost.Proof.Proven() && !d.in.Unproven:
		return &Problem{Code: string(fault.HostFailed), What: "how it is upgraded is " + string(cost.Proof) + ": nobody has seen it work", Hint: "say --accept-unproven, and stay close to its console"}
	}
	if _, locks := driver.(platform.Locker); !locks && !d.in.NoLock {
		return &Problem{Code: string(fault.HostFailed), What: "it can keep no lock, so a second operator elsewhere would not be noticed", Hint: "say --accept-no-lock, if nobody else works on it meanwhile"}
	}
	h.Return = returnOf(driver, f, work)
	return d.dragsDown(h)
}

// OnTrial tells of a device that gives up what it runs by itself unless it is told to keep it.
func OnTrial(f fact.Facts) bool {
	return f.Device != nil && slices.ContainsFunc(f.Device.Slots, func(s fact.Slot) bool { return s.State == fact.SlotTrial })
}

// returnOf is the light of a device's way back.
func returnOf(driver platform.Driver, f fact.Facts, work patch.Work) Return {
	r, ok := driver.(platform.Returner)
	if !ok {
		return Return{Reasons: []string{"this platform is not taken back"}}
	}
	can, why := r.Return(f, work)
	back := Return{Light: map[patch.Tri]Light{patch.Yes: Green, patch.Unknown: Amber, patch.No: Red}[can]}
	if why != "" {
		back.Reasons = []string{why}
	}
	return back
}

// fits: every member that says what it is must be one of the models.
func fits(models []string, device *fact.Device, model string) bool {
	all := []string{}
	for _, m := range device.Members {
		if m.Model != "" {
			all = append(all, m.Model)
		}
	}
	if len(all) == 0 {
		all = append(all, model)
	}
	return !slices.ContainsFunc(all, func(m string) bool {
		return m == "" || !slices.ContainsFunc(models, func(glob string) bool { return patch.MatchModel(glob, m) })
	})
}

// installedImage is the software that a device runs, as version orders it.
func installedImage(f fact.Facts) string {
	if p, found := f.Installed(patch.ImageName, ""); found {
		return p.Version
	}
	return ""
}

// sameVersion: devices spell one version in several ways (17.03.01a is 17.3.1a).
func sameVersion(f fact.Facts, a, b string) bool {
	return a == b || f.Device != nil && (version.Same(f.Device.Order, a, b) || version.Same(f.Device.Order, b, a))
}

// Spelled gives the facts of a device with its version as these updates spell it, so that
// equal versions are equal texts. Of all other hosts they are what they were.
func Spelled(f fact.Facts, updates []patch.Update) fact.Facts {
	if f.Device == nil {
		return f
	}
	f.Packages = slices.Clone(f.Packages)
	for i, p := range f.Packages {
		for _, u := range updates {
			for _, v := range []string{u.From, u.To} {
				if p.Name == u.Name && v != "" && sameVersion(f, p.Version, v) {
					f.Packages[i].Version = v
				}
			}
		}
	}
	return f
}

func deviceScheme(name string) func(a, b string) int {
	compare, _ := version.Scheme(name)
	return compare
}

// takeBackImage is TakeBack for a device: whether it can be done, its driver says.
func takeBackImage(work patch.Work, h Host, did []patch.Update, f fact.Facts) patch.Work {
	f, work.Image = Spelled(f, did), h.Image
	for _, u := range did {
		here := versionsOf(f, u)
		switch {
		case u.From == "" || sameVersion(f, u.From, u.To):
			work.Refused = "it is not known what it ran before: it had this version already when this rollout came to it"
		case slices.Contains(here, u.From):
		case !slices.Contains(here, u.To):
			work.Refused = fmt.Sprintf("it ran %s, was to become %s by this rollout, and runs %s now: somebody else has changed it", u.From, u.To, orUnknown(strings.Join(here, ", ")))
		default:
			work.Install = append(work.Install, patch.Update{Name: u.Name, From: u.To, To: u.From})
		}
	}
	return work
}
