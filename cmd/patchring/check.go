package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check PLAYBOOK",
		Short: "Run the playbook's health checks, and nothing else",
		Long: `Asks every host of the playbook's rings the checks that hold for it. Patches
nothing. default_diff needs a state before the work to compare with, so it is left
out here.`,
		Example: "  patchring check playbooks/monthly.yaml --limit web",
		Args:    cobra.ExactArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.ended(c.env.Check(cmd.Context(), app.CheckOptions{Options: c.options, Playbook: args[0]}))
	}
	return cmd
}
