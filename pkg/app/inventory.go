package app

import (
	"context"

	"github.com/patchring/patchring/pkg/report"
)

// InventoryOptions are those of `inventory` and `config explain`.
type InventoryOptions struct {
	Options
	Hosts string // pattern, or for explain one host's name
}

// InventoryList lists the hosts that match.
func (e Env) InventoryList(o InventoryOptions) (Ending, error) {
	inv, err := o.loadInventory()
	if err != nil {
		return Ending{}, err
	}
	hosts, err := o.selected(inv, o.Hosts)
	if err != nil {
		return Ending{}, err
	}
	return Ending{}, e.print(o.Options, report.NewInventory(inv.Path, hosts))
}

// InventoryGraph draws sites, groups and hosts.
func (e Env) InventoryGraph(o InventoryOptions) (Ending, error) {
	inv, err := o.loadInventory()
	if err != nil {
		return Ending{}, err
	}
	return Ending{}, e.print(o.Options, report.NewGraph(inv.Path, inv.Graph()))
}

// ExplainHost prints every setting of one host with the file:line that won.
// With it comes what a connection would use, ssh_config included; nothing is dialled.
func (e Env) ExplainHost(ctx context.Context, o InventoryOptions) (Ending, error) {
	inv, err := o.loadInventory()
	if err != nil {
		return Ending{}, err
	}
	host, err := inv.Find(o.Hosts)
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // carries a hint
	}
	f, err := e.fleet(o.Options, inv)
	if err != nil {
		return Ending{}, err
	}
	defer f.Close()
	doc := report.NewExplain(host.ID, inv.Explain(host))
	lines, err := f.ssh.Explain(ctx, host, inv.Sites[host.ID.Site])
	if err != nil {
		e.say("note: how it would be reached can't be told: %v", err)
	}
	for _, l := range lines {
		doc = doc.Connect(l.Name, l.Value, l.From)
	}
	return Ending{}, e.print(o.Options, doc)
}
