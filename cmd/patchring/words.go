package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) approveCommand() *cobra.Command {
	var o app.ApproveOptions
	cmd := &cobra.Command{
		Use:   "approve ROLLOUT",
		Short: "Give the approval that a ring's gate waits for",
		Long: `Says that a ring may be started, with this plan and with what the rings before it
have proven. It runs out after the time that the playbook says, and holds no longer
when a ring before is patched again. Whoever started the rollout can't give it.

With --sign-key the word is signed, and verified by the site's allowed signers each
time that it is to count. Somebody without access to this state folder signs
elsewhere: --request prints what is to be signed, ssh-keygen -Y sign signs it, and
--signed brings it back. Without a signature nothing proves who typed this: it is
shown as unauthenticated, and a site can refuse it (trust: {signed: [approvals]}).`,
		Example: "  patchring approve 2026-11-21-monthly-7f3a --ring production --as jane@hq.example --sign-key ~/.ssh/id_ed25519\n" +
			"  patchring approve 2026-11-21-monthly-7f3a --as jane@hq.example --request > approval.txt\n" +
			"  patchring approve 2026-11-21-monthly-7f3a --signed approval.txt",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.Ring, "ring", "", "which `RING` (default: the one that waits)")
	cmd.Flags().StringVar(&o.As, "as", "", "whose word it is, as the site's approvers name them (default user@machine)")
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why; it is journaled")
	cmd.Flags().BoolVar(&o.Request, "request", false, "print what the approver is to sign, and do nothing else")
	cmd.Flags().StringVar(&o.Signed, "signed", "", "`FILE` made by --request, with its signature beside it in FILE.sig")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Rollout = c.options, args[0]
		return c.ended(c.env.Approve(cmd.Context(), o))
	}
	return cmd
}

func (c *cli) promoteCommand() *cobra.Command {
	var o app.PromoteOptions
	cmd := &cobra.Command{
		Use:   "promote ROLLOUT",
		Short: "Do without a soak, or without a check that can't be told",
		Long: `Lets a ring's gate open without the soak, or without a check whose last answer
could not be told. What failed can't be waived, nor can an approval or a freeze.
It holds for what the rings before have proven now.`,
		Example: "  patchring promote 2026-11-21-monthly-7f3a --waive soak --reason 'exploited in the wild, TICKET-123'\n" +
			"  patchring promote 2026-11-21-monthly-7f3a --waive check:errors --reason 'prometheus is down'",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.Ring, "ring", "", "which `RING` (default: the one that waits)")
	cmd.Flags().StringVar(&o.Waive, "waive", "", "`WHAT` is waived: soak, or check:NAME")
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why; it is journaled")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Rollout = c.options, args[0]
		return c.ended(c.env.Promote(cmd.Context(), o))
	}
	return cmd
}

func (c *cli) retryCommand() *cobra.Command {
	var o app.RetryOptions
	cmd := &cobra.Command{
		Use:   "retry ROLLOUT",
		Short: "Begin failed and unknown hosts again with the next run",
		Long: `Lets failed and unknown hosts, and those that fell sick in a soak, begin again; each
is looked at first, and compared with its state before it was touched. A halted
rollout is open again then: without such hosts, the questions of its gate are asked
anew. Use --limit to name some of them. Nothing is started by this command itself:
call patchring run afterwards.`,
		Example: "  patchring retry 2026-11-21-monthly-7f3a --limit web-03 --reason 'disk was full'",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why; it is journaled")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Rollout = c.options, args[0]
		return c.ended(c.env.Retry(cmd.Context(), o))
	}
	return cmd
}
