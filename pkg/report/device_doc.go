package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/platform/device"
)

// Device is a platform with a command line of its own, in the document of `platforms`.
type Device struct {
	Platform string  `json:"platform"`
	Title    string  `json:"title"`
	Vendor   string  `json:"vendor"`
	Class    string  `json:"class"`
	Proof    string  `json:"proof"`   // real | recorded | simulated | vendor_document | unproven | unchecked
	Detects  []Rests `json:"detects"` // platform, version, model, serial; what is not read is left out
	Upgrades bool    `json:"upgrades"`
	Why      string  `json:"why"` // why it does not
	Ways     []Way   `json:"ways"`
	State    []Rests `json:"state"` // the tables that are compared before and after
}

// Rests is what a part of a platform rests on.
type Rests struct {
	What string `json:"what"`
	On   string `json:"on"`
}

// Way is one way to upgrade, and when it is taken. Its outage, net and fallback may rest on
// something else than itself.
type Way struct {
	When          string `json:"when"`
	Workflow      string `json:"workflow"`
	Outage        string `json:"outage"`
	Net           string `json:"net"`
	Fallback      string `json:"fallback"`
	Proof         string `json:"proof"`
	OutageProof   string `json:"outage_proof"`
	NetProof      string `json:"net_proof"`
	FallbackProof string `json:"fallback_proof"`
}

// NewDevices are the rows of definitions, in their order.
func NewDevices(all []*device.Platform) []Device {
	out := []Device{}
	for _, p := range all {
		d := &p.Definition
		one := Device{
			Platform: clean(d.Name), Title: clean(d.Title), Vendor: clean(d.Vendor), Class: clean(d.Class), Proof: clean(d.Proof),
			Detects: []Rests{}, Upgrades: len(d.Upgrade) > 0, Why: clean(d.Why), Ways: []Way{}, State: []Rests{},
		}
		for _, part := range device.Parts() {
			if on := d.RestsOn(part); on != "" {
				one.Detects = append(one.Detects, Rests{part, clean(on)})
			}
		}
		for i := range d.Upgrade {
			one.Ways = append(one.Ways, wayOf(d, &d.Upgrade[i]))
		}
		for _, e := range d.State.Entries {
			one.State = append(one.State, Rests{clean(e.Key), clean(d.TableRestsOn(e.Key))})
		}
		out = append(out, one)
	}
	return out
}

func wayOf(d *device.Definition, u *device.Upgrade) Way {
	way, parts := d.WayRestsOn(u)
	return Way{
		When: conditions(*u), Workflow: clean(u.Workflow), Outage: clean(u.Outage), Net: clean(u.Net.Kind), Fallback: clean(cmp.Or(u.Fallback, "none")),
		Proof: clean(way), OutageProof: clean(parts.Outage), NetProof: clean(parts.Net), FallbackProof: clean(parts.Fallback),
	}
}

func conditions(u device.Upgrade) string {
	var all []string
	for _, e := range u.When.Entries {
		all = append(all, clean(e.Key)+" "+clean(e.Value))
	}
	return cmp.Or(strings.Join(all, ", "), "always")
}

// by names the way, and when it is taken.
func (w Way) by() string {
	if w.When == "always" {
		return w.Workflow
	}
	return w.Workflow + " where " + w.When
}

// restsWords puts together what rests on the same: "platform, version: recorded; model: unproven".
// Where all does, that alone is said.
func restsWords(all []Rests, named bool) string {
	var order []string
	by := map[string][]string{}
	for _, r := range all {
		if !slices.Contains(order, r.On) {
			order = append(order, r.On)
		}
		by[r.On] = append(by[r.On], r.What)
	}
	if len(order) == 1 && !named {
		return order[0]
	}
	words := make([]string, 0, len(order))
	for _, on := range order {
		words = append(words, strings.Join(by[on], ", ")+": "+on)
	}
	return strings.Join(words, "; ")
}

// deviceSheet shows a line for each way, or one for what is not upgraded.
func deviceSheet(all []Device) sheet {
	s := sheet{title: count(len(all), "device platform"), group: true, columns: []column{
		{head: "PLATFORM", whole: true}, {head: "DETECTED", least: 10}, {head: "UPGRADED BY", least: 12}, {head: "OUTAGE"}, {head: "NET"}, {head: "WAY BACK"}, {head: "RESTS ON", least: 10},
	}}
	for _, d := range all {
		detected := restsWords(d.Detects, false)
		if !d.Upgrades {
			s.rows = append(s.rows, []cell{text(d.Platform), text(detected), {text: "- no: " + d.Why, tone: faint}, text(""), text(""), text(""), text("")})
		}
		for _, w := range d.Ways {
			s.rows = append(s.rows, texts(d.Platform, detected, w.by(), w.Outage, w.Net, w.Fallback, w.Proof))
			detected = ""
		}
	}
	return s
}
