package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) stageCommand() *cobra.Command {
	var o app.StageOptions
	cmd := &cobra.Command{
		Use:   "stage PLAN|ROLLOUT",
		Short: "Bring packages to hosts ahead of their window; install nothing",
		Long: `Has each host download what it is going to get, or sends it what no repository of its
has any more. Of a rollout those of the ring that comes next (or --ring), exactly as
the patch set says that the ring is bound to, or would be by now. Hosts are locked
meanwhile, and nothing is installed: a rollout that finds the files there only
compares them.`,
		Example: "  patchring stage .patchring/plans/hq-monthly-6f2c7d1e0a4b.json --ring test\n" +
			"  patchring stage 2026-11-21-monthly-7f3a",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.Ring, "ring", "", "only the hosts of this ring")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Target = c.options, args[0]
		return c.ended(c.env.Stage(cmd.Context(), o))
	}
	return cmd
}
