package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
)

// Platforms is the document of `platforms`: what each driver can do, and what that rests on.
type Platforms struct {
	Header
	Systems []System `json:"systems"`
	Devices []Device `json:"devices"`
	whole   bool     `json:"-"` // shown cell by cell
}

// System is a package manager, or a device's software.
type System struct {
	Name      string   `json:"system"`
	Platforms []string `json:"platforms"` // as detection names them
	Detects   bool     `json:"detects"`
	Upgrades  bool     `json:"upgrades"`
	Why       string   `json:"why"` // why it does not upgrade
	Cells     []Cell   `json:"capabilities"`
}

// Cell is one capability of a system.
type Cell struct {
	Capability string `json:"capability"`
	Means      string `json:"means"`
	How        string `json:"how"`  // real | recorded | simulated | documented | no
	Test       string `json:"test"` // that backs it
	Note       string `json:"note"`
}

// NewPlatforms builds the document; whole shows every cell in the table.
func NewPlatforms(in []platform.System, devices []*device.Platform, whole bool) Platforms {
	doc := Platforms{Header: header("platforms"), Systems: []System{}, Devices: NewDevices(devices), whole: whole}
	for _, s := range in {
		one := System{Name: s.Name, Platforms: []string{}, Detects: s.Detects, Upgrades: s.Upgrades, Why: s.Why, Cells: []Cell{}}
		for _, p := range s.Platforms {
			one.Platforms = append(one.Platforms, string(p))
		}
		for _, m := range platform.Meanings() {
			cell := s.Cell(m.Capability)
			one.Cells = append(one.Cells, Cell{string(m.Capability), m.Means, cell.How.String(), cell.Test, cell.Note})
		}
		doc.Systems = append(doc.Systems, one)
	}
	return doc
}

func (d Platforms) face(bool) face {
	if d.whole {
		return d.cells()
	}
	s := sheet{columns: []column{{head: "SYSTEM", whole: true}, {head: "PLATFORMS", least: 8}, {head: "PATCHES"}, {head: "WHAT ITS CAPABILITIES REST ON", least: 20}}}
	for _, one := range d.Systems {
		rests := one.counts()
		if !one.Upgrades {
			rests = one.Why
		}
		s.rows = append(s.rows, texts(one.Name, strings.Join(one.Platforms, ", "), yesNo(one.Upgrades), rests))
	}
	return face{title: count(len(d.Systems), "system"), sheets: []sheet{s, deviceSheet(d.Devices)}, foot: []string{
		"Each system: patchring platforms NAME. Each device platform, with all that is typed: patchring platforms show NAME",
	}}
}

// counts is "12 real, 3 simulated, 1 no".
func (s System) counts() string {
	by := map[string]int{}
	for _, c := range s.Cells {
		by[c.How]++
	}
	var out []string
	for _, how := range []platform.How{platform.Real, platform.Recorded, platform.Simulated, platform.Documented, platform.Not} {
		if n := by[how.String()]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, how))
		}
	}
	if by[platform.Not.String()] == len(s.Cells) {
		return "driven as documented; no test backs a capability yet"
	}
	return strings.Join(out, ", ")
}

func (d Platforms) cells() face {
	f := face{title: count(len(d.Systems), "system")}
	for _, one := range d.Systems {
		s := sheet{title: because(one.Name, cleanAll([]string{strings.Join(one.Platforms, ", "), one.Why})), columns: []column{{head: "CAPABILITY", least: 20}, {head: "RESTS ON", whole: true}, {head: "TEST", least: 16}, {head: "NOTE", least: 16, prose: true}}}
		for _, c := range one.Cells {
			s.rows = append(s.rows, []cell{text(c.Means), howWord(c.How), text(c.Test), text(c.Note)})
		}
		f.sheets = append(f.sheets, s)
	}
	return f
}

func howWord(how string) cell {
	switch how {
	case platform.Real.String():
		return cell{"+ " + how, good}
	case platform.Not.String():
		return cell{"- " + how, faint}
	}
	return cell{"~ " + how, warn}
}

func (d Platforms) records() records {
	r := records{head: []string{"system", "platforms", "upgrades", "capability", "how", "test", "note"}}
	for _, s := range d.Systems {
		for _, c := range s.Cells {
			r.rows = append(r.rows, []string{s.Name, strings.Join(s.Platforms, " "), yesNo(s.Upgrades), c.Capability, c.How, c.Test, orElse(c.Note, s.Why)})
		}
	}
	for _, one := range d.Devices {
		if !one.Upgrades {
			r.rows = append(r.rows, []string{one.Platform, one.Platform, "no", "", one.Proof, "", one.Why})
		}
		for _, w := range one.Ways {
			r.rows = append(r.rows, []string{one.Platform, one.Platform, "yes", w.Workflow, w.Proof, "", fmt.Sprintf("%s: outage %s, net %s, way back %s", w.When, w.Outage, w.Net, w.Fallback)})
		}
	}
	return r
}
