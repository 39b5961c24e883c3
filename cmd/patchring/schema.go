package main

import "github.com/spf13/cobra"

func (c *cli) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:       "schema inventory|playbook|platform",
		Short:     "Print the JSON Schema that editors use",
		Example:   "  patchring schema inventory > inventory.schema.json",
		ValidArgs: []string{"inventory", "playbook", "platform"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error { return c.env.Schema(args[0]) }
	return cmd
}
