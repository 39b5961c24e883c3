package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
)

// Explain is the document of one host's settings and where they come from.
type Explain struct {
	Header
	Host     string           `json:"host"`
	Settings []ExplainSetting `json:"settings"`
	// Connection is what a connection would use, by the inventory and ssh_config below it.
	Connection []ExplainLine `json:"connection"`
}

// ExplainLine is one thing that a connection would use.
type ExplainLine struct {
	Name  string `json:"name"`
	Value string `json:"value"` // "": nothing is said
	From  string `json:"from"`  // inventory, default, or file:line of ssh_config
}

// Connect adds what a connection would use.
func (d Explain) Connect(name, value, from string) Explain {
	d.Connection = append(d.Connection, ExplainLine{clean(name), clean(value), clean(from)})
	return d
}

// ExplainSetting is one setting with the place that won and those that lost.
type ExplainSetting struct {
	Name  string   `json:"name"`
	Value string   `json:"value"` // a reference where the setting is a secret
	Where string   `json:"where"` // file:line, or "default"
	Lost  []string `json:"lost"`
}

// NewExplain builds the document of `config explain`, in the order of its input.
func NewExplain(host fact.HostID, settings []inventory.Setting) Explain {
	doc := Explain{Header: header("explain"), Host: clean(host.String()), Settings: []ExplainSetting{}, Connection: []ExplainLine{}}
	for _, s := range settings {
		doc.Settings = append(doc.Settings, ExplainSetting{clean(s.Name), clean(s.Value), clean(s.Where), cleanAll(s.Lost)})
	}
	return doc
}

func (d Explain) face(bool) face {
	s := sheet{columns: []column{{head: "SETTING", least: 10}, {head: "VALUE", least: 12}, {head: "FROM", least: 14}, {head: "INSTEAD OF", least: 10}}}
	for _, x := range d.Settings {
		s.rows = append(s.rows, texts(x.Name, orElse(x.Value, "-"), x.Where, strings.Join(x.Lost, ", ")))
	}
	f := face{title: "Settings of " + d.Host, sheets: []sheet{s}}
	if len(d.Connection) > 0 {
		c := sheet{title: "How it would be reached", columns: []column{{head: "WHAT", least: 10}, {head: "VALUE", least: 12}, {head: "FROM", least: 14}}}
		for _, l := range d.Connection {
			c.rows = append(c.rows, texts(l.Name, orElse(l.Value, "-"), l.From))
		}
		f.sheets = append(f.sheets, c)
	}
	return f
}

func (d Explain) records() records {
	r := records{head: []string{"host", "setting", "value", "where", "lost"}}
	for _, x := range d.Settings {
		r.rows = append(r.rows, []string{d.Host, x.Name, x.Value, x.Where, strings.Join(x.Lost, "; ")})
	}
	return r
}

// Lint is the document of a lint that found no mistake; mistakes are errors.
type Lint struct {
	Header
	Exit      Ending   `json:"exit"`
	Inventory string   `json:"inventory"`
	Hosts     int      `json:"hosts"`
	Playbooks []string `json:"playbooks"`
}

// NewLint builds the document of `lint`.
func NewLint(inventoryPath string, hosts int, playbooks []string) Lint {
	return Lint{Header: header("lint"), Exit: ending(nil, "no mistake was found"), Inventory: clean(inventoryPath), Hosts: hosts, Playbooks: cleanAll(playbooks)}
}

func (d Lint) face(bool) face {
	f := face{title: fmt.Sprintf("%s: ok, %s", d.Inventory, count(d.Hosts, "host"))}
	for _, p := range d.Playbooks {
		f.foot = append(f.foot, p+": ok")
	}
	return f
}
