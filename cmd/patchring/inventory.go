package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) inventoryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "inventory", Short: "List the hosts, or draw sites and groups",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use: "list [HOSTS]", Short: "List the hosts that match a pattern",
		Example: "  patchring inventory list 'web:&production'",
		Args:    cobra.MaximumNArgs(1),
	}
	list.RunE = func(_ *cobra.Command, args []string) error {
		return c.ended(c.env.InventoryList(app.InventoryOptions{Options: c.options, Hosts: first(args)}))
	}
	graph := &cobra.Command{Use: "graph", Short: "Draw sites, groups and hosts as a tree", Args: cobra.NoArgs}
	graph.RunE = func(*cobra.Command, []string) error {
		return c.ended(c.env.InventoryGraph(app.InventoryOptions{Options: c.options}))
	}
	cmd.AddCommand(list, graph)
	return cmd
}
