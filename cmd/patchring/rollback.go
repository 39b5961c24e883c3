package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) rollbackCommand() *cobra.Command {
	var o app.RollbackOptions
	cmd := &cobra.Command{
		Use:   "rollback ROLLOUT|HOSTS",
		Short: "Take hosts back to the versions they had before a rollout",
		Long: `Takes every host that the rollout has changed, or those that a pattern or --limit
names, back to exactly the versions that it replaced: packages that came new are
removed, the former kernel is booted where there is another. Each host is verified
and checked like any other; drained ones come back into use when they are healthy.

A host is refused, before anything is changed on it, where a former version can be
had nowhere, or where somebody else has changed one of the packages since. A
rollout that is open is halted by this. No window holds for it: the reason is
journaled.`,
		Example: "  patchring rollback 2026-11-21-monthly-7f3a --reason 'shop is slow since then'\n" +
			"  patchring rollback web-03 --reason 'TICKET-123' --yes",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why; it is journaled")
	cmd.Flags().BoolVarP(&c.options.Yes, "yes", "y", false, "do not ask before hosts are rolled back")
	cmd.Flags().StringVar(&o.JUnit, "junit", "", "also write a JUnit `FILE`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Target = c.options, args[0]
		return c.ended(c.env.Rollback(cmd.Context(), o))
	}
	return cmd
}
