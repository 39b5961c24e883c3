package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) planCommand() *cobra.Command {
	var o app.PlanOptions
	cmd := &cobra.Command{
		Use:   "plan PLAYBOOK",
		Short: "Show exactly what would change, per ring and host, and save it",
		Long: `Looks at every host of the playbook's rings, picks the updates that the playbook
asks for, lets each host's own package manager say what installing them would
really change, and saves the result as a plan. Installs nothing; the package lists
of the hosts are refreshed first unless --no-refresh is given.`,
		Example: "  patchring plan playbooks/monthly.yaml\n  patchring plan playbooks/monthly.yaml --json --detailed-exitcode",
		Args:    cobra.ExactArgs(1),
	}
	planFlags(cmd, &o)
	cmd.Flags().BoolVar(&o.Detailed, "detailed-exitcode", false, "exit with 3 when the plan has changes")
	cmd.Flags().StringVar(&o.Out, "out", "", "save the plan as `FILE` instead of in the state folder")
	cmd.Flags().BoolVar(&o.Sign, "sign", false, "sign the saved plan with the key of --sign-key; the signature lies beside it (.sig)")
	cmd.Flags().BoolVar(&o.Forecast, "forecast", false, "show when each ring and batch would run, instead of what")
	cmd.Flags().StringVar(&o.Format, "format", "text", "of the forecast: text, json or svg")
	cmd.Flags().BoolVar(&o.Summary, "summary", false, "a line for each host instead of each update")
	cmd.Flags().BoolVar(&c.options.AllSites, "all-sites", false, "one plan for each site")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Playbook = c.options, args[0]
		return c.ended(c.env.Plan(cmd.Context(), o))
	}
	return cmd
}

func planFlags(cmd *cobra.Command, o *app.PlanOptions) {
	cmd.Flags().StringSliceVar(&o.Packages, "package", nil, "only packages that match this `GLOB` (may be repeated)")
	cmd.Flags().BoolVar(&o.Urgent, "urgent", false, "the playbook's urgent lane: its soak, window and approval")
	cmd.Flags().StringSliceVar(&o.CVEs, "cve", nil, "only updates that fix this `CVE` (may be repeated)")
	cmd.Flags().StringVar(&o.PatchSet, "patch-set", "", "nothing but this patch set, in the first ring too: an exported `FILE`, or the digest of an imported one")
	cmd.Flags().StringVar(&o.AsIs, "as-is", "", "hosts (`PATTERN`) that failed in an earlier rollout and are right as they are now")
	cmd.Flags().BoolVar(&o.Unproven, "accept-unproven", false, "upgrade devices, too, whose way of being upgraded nobody has seen work")
	cmd.Flags().BoolVar(&o.NoLock, "accept-no-lock", false, "work on devices, too, that can keep no lock against a second operator elsewhere")
	cmd.Flags().BoolVar(&o.NoFetch, "no-refresh", false, "use the package lists that the hosts have")
}
