package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) lintCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint [PLAYBOOK…]",
		Short: "Check the inventory and playbooks; connects to nothing",
		Long: `Reads the inventory and the named playbooks (all of playbooks/*.yaml where none is
named) and shows every mistake with file, line, column and a hint.`,
		Example: "  patchring lint\n  patchring lint playbooks/monthly.yaml",
		Args:    cobra.ArbitraryArgs,
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		return c.ended(c.env.Lint(app.LintOptions{Options: c.options, Playbooks: args}))
	}
	return cmd
}
