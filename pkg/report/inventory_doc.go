package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/inventory"
)

// Inventory is the document of the hosts that an inventory file defines.
type Inventory struct {
	Header
	Path  string          `json:"path"`
	Hosts []InventoryHost `json:"hosts"`
}

// InventoryHost is one host with the settings that hold for it. Empty or 0 means
// that no file says anything, and ssh_config or the default decides. No credential
// is in it, not even its reference.
type InventoryHost struct {
	Host        string            `json:"host"`
	Address     string            `json:"address"`
	Port        int               `json:"port"`
	User        string            `json:"user"`
	Become      string            `json:"become"`
	Jump        []string          `json:"jump"`
	Groups      []string          `json:"groups"`
	Labels      map[string]string `json:"labels"`
	Platform    string            `json:"platform"`
	Class       string            `json:"class"`
	Criticality string            `json:"criticality"`
	Exposure    string            `json:"exposure"`
}

// NewInventory builds the document of the given hosts, in their order.
func NewInventory(path string, hosts []inventory.Host) Inventory {
	doc := Inventory{Header: header("inventory"), Path: clean(path), Hosts: []InventoryHost{}}
	for _, h := range hosts {
		labels := map[string]string{}
		for k, v := range h.Labels {
			labels[clean(k)] = clean(v)
		}
		doc.Hosts = append(doc.Hosts, InventoryHost{
			Host: clean(h.ID.String()), Address: clean(orElse(h.Address, h.ID.Name)), Port: h.Port, User: clean(h.User),
			Become: clean(string(h.Become)), Jump: cleanAll(h.Jump), Groups: cleanAll(h.Groups), Labels: labels,
			Platform: clean(string(h.Platform)), Class: clean(string(h.Class)),
			Criticality: clean(h.Criticality), Exposure: clean(h.Exposure),
		})
	}
	return doc
}

func (d Inventory) face(bool) face {
	s := sheet{columns: []column{{head: "HOST", whole: true}, {head: "ADDRESS", least: 12}, {head: "USER", least: 5}, {head: "PLATFORM"}, {head: "GROUPS", least: 12}}}
	for _, h := range d.Hosts {
		s.rows = append(s.rows, texts(h.Host, h.endpoint(), h.User, h.Platform, strings.Join(h.Groups, ", ")))
	}
	return face{title: count(len(d.Hosts), "host") + " in " + d.Path, sheets: []sheet{s}}
}

func (h InventoryHost) endpoint() string {
	if h.Port == 0 {
		return h.Address
	}
	return fmt.Sprintf("%s port %d", h.Address, h.Port)
}

func (d Inventory) records() records {
	r := records{head: []string{"host", "address", "port", "user", "become", "jump", "groups", "platform", "class", "criticality", "exposure"}}
	for _, h := range d.Hosts {
		r.rows = append(r.rows, []string{h.Host, h.Address, fmt.Sprint(h.Port), h.User, h.Become, strings.Join(h.Jump, ","),
			strings.Join(h.Groups, ","), h.Platform, h.Class, h.Criticality, h.Exposure})
	}
	return r
}
