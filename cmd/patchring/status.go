package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) statusCommand() *cobra.Command {
	var o app.StatusOptions
	cmd := &cobra.Command{
		Use:   "status [ROLLOUT]",
		Short: "Show where a rollout stands and what it waits for",
		Long: `Without a rollout it lists those of the state folder; with one it shows each ring
and host. It reads the journal only and connects to nothing. The exit code is 0
whatever the rollout's state is; --exit-code gives the rollout's own.`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&o.ExitCode, "exit-code", false, "exit with the code that patchring run would exit with")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Rollout = c.options, first(args)
		return c.ended(c.env.Status(cmd.Context(), o))
	}
	return cmd
}
