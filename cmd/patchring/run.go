package main

import (
	"strings"

	"github.com/patchring/patchring/pkg/app"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/spf13/cobra"
)

func (c *cli) runCommand() *cobra.Command {
	var o app.RunOptions
	cmd := &cobra.Command{
		Use:   "run PLAYBOOK|PLAN",
		Short: "Do everything that is allowed now; safe to repeat, carries on where it stands",
		Long: `Carries a rollout as far as its gates allow: makes a plan (or takes the given
one), patches the test ring, checks it, and goes on ring by ring while all is well.
If a rollout of this playbook is open in this site, it carries that one on: after a
night, a crash, a closed lid. Called again when all is done, it does nothing.

Ctrl-C once: the hosts at work are finished, no other is started. Twice: leaves at
once, and says what still runs where; the next run looks at it.`,
		Example: "  patchring run playbooks/monthly.yaml\n  patchring run playbooks/monthly.yaml --yes --json > run.ndjson",
		Args:    cobra.ExactArgs(1),
	}
	planFlags(cmd, &o.PlanOptions)
	cmd.Flags().BoolVar(&o.Detailed, "detailed-exitcode", false, "exit with 8 when the rollout waits")
	cmd.Flags().BoolVarP(&c.options.Yes, "yes", "y", false, "do not ask before a new rollout is started")
	cmd.Flags().BoolVar(&c.options.AllSites, "all-sites", false, "one rollout for each site")
	cmd.Flags().DurationVar(&o.Wait, "wait", 0, "stay so long when only a time is waited for (a window, a soak), and go on then")
	cmd.Flags().StringVar(&o.OverrideWindow, "override-window", "", "start hosts outside their window, for this `REASON`; a freeze still holds")
	cmd.Flags().BoolVar(&o.Supersede, "supersede", false, "end the open rollout of this playbook and begin a new one")
	cmd.Flags().StringVar(&o.ForceUnlock, "force-unlock", "", "replace locks and markers that this `ROLLOUT`, which is gone for good, left on hosts")
	cmd.Flags().StringVar(&o.JUnit, "junit", "", "also write a JUnit `FILE` for a CI server")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("override-window") && strings.TrimSpace(o.OverrideWindow) == "" {
			return fault.Usagef("--override-window 'TICKET-123'", "a window is overridden for a reason, or not at all")
		}
		o.Options, o.Playbook = c.options, args[0]
		return c.ended(c.env.Run(cmd.Context(), o))
	}
	return cmd
}
