package report

import (
	"errors"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// Detected is what came of detecting one host: facts, or the error that kept them away.
type Detected struct {
	Host  fact.HostID
	Facts fact.Facts // the zero value where Err is set
	Err   error
}

// Detect is the document of a detection.
type Detect struct {
	Header
	Exit   Ending         `json:"exit"`
	Hosts  []DetectedHost `json:"hosts"`
	Totals DetectTotals   `json:"totals"`
}

// DetectedHost is what is known of one host. Could-not-tell is said: pending.known
// is false, reboot is "unknown", and problems say why.
type DetectedHost struct {
	Host      string       `json:"host"`
	Platform  string       `json:"platform"`
	Class     string       `json:"class"`
	Vendor    string       `json:"vendor"`
	Model     string       `json:"model"`
	Version   string       `json:"version"` // the system's, in its own words
	Serial    string       `json:"serial"`  // of the unit that answers, or the chassis
	Hostname  string       `json:"hostname"`
	Arch      string       `json:"arch"`
	Container string       `json:"container"`
	Kernel    Kernel       `json:"kernel"`
	BootID    string       `json:"boot_id"`
	Seen      time.Time    `json:"seen,omitzero"`
	Refreshed time.Time    `json:"refreshed,omitzero"` // when the package lists were last fetched
	Pending   Pending      `json:"pending"`
	Updates   []PlanUpdate `json:"updates"`
	Left      []PlanLeft   `json:"kept_back"`
	Holds     []string     `json:"holds"`
	Reboot    Need         `json:"reboot"`
	Manager   Keeper       `json:"package_manager"`
	Device    *Gear        `json:"device"` // null: it has no command line of its own
	Problems  []Lack       `json:"problems"`
	Error     *Trouble     `json:"error"` // null: it was detected
}

// Pending counts updates. Known is false where the package manager could not be asked.
type Pending struct {
	Known    bool `json:"known"`
	Total    int  `json:"total"`
	Security int  `json:"security"`
	Maybe    int  `json:"security_unknown"` // the repository does not say what they are
}

// Need of a restart.
type Need struct {
	Needed  string   `json:"needed"` // yes | no | unknown
	Reasons []string `json:"reasons"`
}

// Keeper is the package manager and its health.
type Keeper struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok | interrupted | broken | locked | unknown
	Detail string `json:"detail"`
}

// Lack is something that could not be learned.
type Lack struct {
	What   string `json:"what"`
	Detail string `json:"detail"`
}

// DetectTotals of a detection.
type DetectTotals struct {
	Hosts    int `json:"hosts"`
	Detected int `json:"detected"`
	Pending  int `json:"updates"`
	Security int `json:"security"`
	Reboots  int `json:"reboots_needed"`
	Errors   int `json:"errors"`
}

// NewDetect builds the document of a detection, in the order of its input.
func NewDetect(in []Detected) Detect {
	doc := Detect{Header: header("detect"), Hosts: []DetectedHost{}}
	var claims []claim
	for _, one := range in {
		h := newDetectedHost(one)
		doc.Hosts = append(doc.Hosts, h)
		doc.Totals.add(h)
		if one.Err == nil && h.Platform == "" {
			claims = append(claims, claim{ExitNeedsPerson, h.Host})
		}
		if one.Err != nil {
			claims = append(claims, claim{ExitOf(one.Err).Code, h.Host})
		} else if h.Manager.Name != "" && !h.Pending.Known { // there is a package manager, and it gave no answer
			claims = append(claims, claim{ExitNeedsPerson, h.Host})
		}
	}
	doc.Exit = ending(gather(claims, "not wholly detected"), count(doc.Totals.Detected, "host")+" detected")
	return doc
}

func newDetectedHost(in Detected) DetectedHost {
	f := in.Facts
	h := DetectedHost{
		Host: clean(in.Host.String()), Platform: clean(string(f.Platform)), Class: clean(string(f.Class)),
		Vendor: clean(f.Vendor), Model: clean(f.Model), Version: clean(orElse(f.Version, f.OS.VersionID)),
		Serial: clean(f.Serial), Hostname: clean(f.Hostname), Arch: clean(f.Arch), Container: clean(f.Container), Device: newGear(f.Device),
		Kernel: Kernel{clean(f.Kernel.Running), clean(f.Kernel.Newest)}, BootID: clean(f.BootID),
		Seen: f.Seen.UTC(), Refreshed: f.Refreshed.UTC(), Pending: pendingOf(in),
		Updates: []PlanUpdate{}, Left: []PlanLeft{}, Holds: cleanAll(f.Holds),
		Reboot:   Need{f.Reboot.Needed.String(), cleanAll(f.Reboot.Reasons)},
		Manager:  Keeper{clean(f.Manager.Name), orElse(string(f.Manager.State), "unknown"), clean(f.Manager.Detail)},
		Problems: []Lack{}, Error: newTrouble(in.Err),
	}
	s := tidy(share{f.Updates, f.KeptBack})
	for _, u := range s.install {
		h.Updates = append(h.Updates, newPlanUpdate(u))
	}
	for _, l := range s.left {
		h.Left = append(h.Left, PlanLeft{newPlanUpdate(l.Update), clean(string(l.Reason)), clean(l.Detail)})
	}
	for _, p := range f.Problems {
		h.Problems = append(h.Problems, Lack{clean(p.What), clean(p.Detail)})
	}
	return h
}

// pendingOf never calls a list that could not be read an empty one.
func pendingOf(in Detected) Pending {
	p := Pending{Known: in.Err == nil && in.Facts.Manager.Name != ""}
	for _, l := range in.Facts.Problems {
		if l.What == "updates" {
			p.Known = false
		}
	}
	for _, u := range in.Facts.Updates {
		p.Total++
		switch u.Security {
		case patch.Yes:
			p.Security++
		case patch.No:
		default:
			p.Maybe++
		}
	}
	return p
}

// newTrouble is an error for a document; nil stays nil.
func newTrouble(err error) *Trouble {
	if err == nil {
		return nil
	}
	t := &Trouble{Code: string(fault.CodeOf(err)), What: clean(err.Error()), Hint: clean(fault.HintOf(err))}
	if e, ok := errors.AsType[*fault.Error](err); ok { // the host stands beside it already
		bare := *e
		bare.Host = ""
		t.What = clean(bare.Error())
	}
	return t
}

func (t *DetectTotals) add(h DetectedHost) {
	t.Hosts++
	if h.Error != nil {
		t.Errors++
		return
	}
	t.Detected++
	t.Pending += h.Pending.Total
	t.Security += h.Pending.Security
	if h.Reboot.Needed == "yes" {
		t.Reboots++
	}
}
