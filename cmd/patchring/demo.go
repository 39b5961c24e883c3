package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) demoCommand() *cobra.Command {
	var o app.DemoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch a whole rollout on a simulated fleet; needs nothing but this binary",
		Long: `Brings up a fleet of simulated hosts behind real SSH on loopback and carries a
whole rollout through it: detect, plan, test ring, checks, gate, production in
batches. One host turns unhealthy after its patch: the rollout must stop there.
Exits with 0 when it ended just so.`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "`DIR` for inventory, journal and report (default: a new folder below the temporary one)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.Options = c.options
		return c.ended(c.env.Demo(cmd.Context(), o))
	}
	return cmd
}
