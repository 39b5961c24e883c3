package main

import (
	"time"

	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) quarantineCommand() *cobra.Command {
	var o app.QuarantineOptions
	cmd := &cobra.Command{
		Use:   "quarantine [HOST]",
		Short: "Leave a host known to be dead out of plans, until a day; or list those",
		Long: `A host in quarantine is in no new plan and holds no ring up. It is listed in each
plan, with its owner, its reason and its end; after that day it is in again.
Without a host it lists all of the state folder.`,
		Example: "  patchring quarantine db-02 --until 2027-02-01 --reason 'disk ordered, TICKET-123' --owner dba\n  patchring quarantine db-02 --lift",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVar(&o.Until, "until", "", "the last `DAY` of it: 2027-02-01")
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why")
	cmd.Flags().StringVar(&o.Owner, "owner", "", "whose business it is (default user@machine)")
	cmd.Flags().BoolVar(&o.Lift, "lift", false, "take it back")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Host = c.options, first(args)
		return c.ended(c.env.Quarantine(cmd.Context(), o))
	}
	return cmd
}

func (c *cli) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Look after the state folder",
		Long: `The state folder holds the journals, plans and known host keys. To back it up, or to
hand a rollout over to a colleague, copy the whole folder while no run is going on.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.pruneCommand(), c.unlockCommand())
	return cmd
}

func (c *cli) pruneCommand() *cobra.Command {
	const quarter = 90 * 24 * time.Hour
	var o app.PruneOptions
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove rollouts that are over and old",
		Long: `Removes rollouts that have ended long ago, and what is kept for them alone. One that
is open, or is the newest of its playbook and site, always stays.`,
		Example: "  patchring state prune --dry-run\n  patchring state prune --older-than 8760h --keep 12 --yes",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().DurationVar(&o.OlderThan, "older-than", quarter, "since the last record of their journal")
	cmd.Flags().IntVar(&o.Keep, "keep", 12, "how many of each playbook and site stay, however old")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "only list what would go")
	cmd.Flags().BoolVarP(&c.options.Yes, "yes", "y", false, "do it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.Options = c.options
		return c.ended(c.env.Prune(cmd.Context(), o))
	}
	return cmd
}

func (c *cli) unlockCommand() *cobra.Command {
	var o app.UnlockOptions
	cmd := &cobra.Command{
		Use:   "unlock ROLLOUT",
		Short: "Free a rollout whose owner is gone for good",
		Long: `Frees the lock of a rollout in this state folder whose owner ended on another machine
that will not come back. It is refused while the owner lives on this machine. Of a rollout
that is over it also lets go of the hosts that it left drained, once you have put them
back yourself: until then they count as out in every budget. The locks on hosts are
another matter: see run --force-unlock.`,
		Example: "  patchring state unlock 2026-11-21-monthly-7f3a",
		Args:    cobra.ExactArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Rollout = c.options, args[0]
		return c.ended(c.env.Unlock(cmd.Context(), o))
	}
	return cmd
}
