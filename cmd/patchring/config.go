package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Explain where a host's settings come from",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	explain := &cobra.Command{
		Use: "explain HOST", Short: "Print every setting of a host with the file:line that won",
		Example: "  patchring config explain web-01\n  patchring config explain acme/web-01",
		Args:    cobra.ExactArgs(1),
	}
	explain.RunE = func(_ *cobra.Command, args []string) error {
		return c.ended(c.env.ExplainHost(cmd.Context(), app.InventoryOptions{Options: c.options, Hosts: args[0]}))
	}
	cmd.AddCommand(explain)
	return cmd
}
