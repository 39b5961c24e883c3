package report

import (
	"cmp"

	"github.com/patchring/patchring/pkg/plan"
)

// PlanImage is the file that replaces a device's whole software, and what that costs.
type PlanImage struct {
	File   string `json:"file"`
	Digest string `json:"digest"`
	SHA512 string `json:"sha512"`
	Bytes  int64  `json:"bytes"`
	Outage string `json:"outage"` // none | switchover | whole, or empty: nobody knows, and it counts as whole
	Net    string `json:"net"`    // the device's own safety net, in words; empty: it has none
	Serve  string `json:"serve"`  // the address from which the device pulls it; empty: it is sent
}

// newPlanImage is null for a host that gets packages.
func newPlanImage(h plan.Host) *PlanImage {
	if h.Image == nil {
		return nil
	}
	return &PlanImage{
		File: clean(h.Image.Name), Digest: string(h.Image.Digest), SHA512: clean(h.Image.SHA512), Bytes: h.Image.Size,
		Outage: string(h.Outage), Net: clean(h.Net), Serve: clean(h.Image.Serve),
	}
}

// imageSheet shows what upgrading each device costs, and what puts it right by itself.
func (d Plan) imageSheet() sheet {
	s := sheet{title: "Devices", columns: []column{{head: "HOST", whole: true}, {head: "IMAGE", least: 16}, {head: "DIGEST", whole: true}, {head: "OUTAGE"}, {head: "SAFETY NET", least: 20, prose: true}}}
	for _, h := range d.Hosts {
		if i := h.Image; i != nil && h.Problem == nil && len(h.Updates) > 0 {
			s.rows = append(s.rows, texts(h.Host, i.File, shortDigest(i.Digest), cmp.Or(i.Outage, "not known"), cmp.Or(i.Net, "none: only patchring's own way back")))
		}
	}
	return s
}
