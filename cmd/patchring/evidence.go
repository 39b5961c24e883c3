package main

import (
	"github.com/spf13/cobra"

	"github.com/patchring/patchring/pkg/app"
)

func (c *cli) evidenceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "evidence",
		Short: "Export what a rollout did as a signed bundle, and verify one",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.evidenceExport(), c.evidenceVerify())
	return cmd
}

func (c *cli) evidenceExport() *cobra.Command {
	var o app.EvidenceOptions
	cmd := &cobra.Command{
		Use:   "export ROLLOUT",
		Short: "Write one archive with all that a rollout did, signed",
		Long: `Writes a zip with the journal, the plan, the patch sets, approvals and checkpoints
with their signatures, versions of every host before and after, restarts, checks,
gate measurements, exceptions, and what patchring itself is built from. A manifest
names the digest of each file, and is signed with --sign-key.

The same rollout gives the same bytes. (Signatures of ECDSA keys and of security
keys differ each time; all else does not.) No secret is in it: nothing but what
stands in the journal, the plan, and the facts and samples that the journal names.

Where the inventory is at hand, a key that its allowed_signers do not let sign
evidence is refused, and a checkpoint that is still due is signed first.`,
		Example: "  patchring evidence export 2026-11-21-monthly-7f3a --sign-key ~/.ssh/id_ed25519\n" +
			"  patchring evidence export 2026-11-21-monthly-7f3a --out november.zip --force",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVarP(&o.Out, "out", "o", "", "write it to this `FILE` (default ROLLOUT-evidence.zip)")
	cmd.Flags().BoolVar(&o.Force, "force", false, "replace a file that is there")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Rollout = c.options, args[0]
		return c.ended(c.env.ExportEvidence(cmd.Context(), o))
	}
	return cmd
}

func (c *cli) evidenceVerify() *cobra.Command {
	var o app.EvidenceOptions
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Tell what a bundle proves, and what it can't; works offline",
		Long: `Verifies every part of a bundle: the archive to its last byte, the signature of
the manifest, the chain of the journal, checkpoints and approvals with their
signatures, the plan, the patch sets, and that all the rest follows from them.
Needs no inventory, no state folder and no network.

Take --allowed-signers from somebody you trust, not from whoever gave you the
bundle. It is OpenSSH's format (ssh-keygen(1), ALLOWED SIGNERS); the namespaces
are patchring-approval, -checkpoint, -plan and -evidence. With --published a
bundle that is older than what has happened is found too. With --demand you say
what must be signed and proven, whatever the rollout says that its site demanded.

Exit codes: 0 all that is demanded is proven, 1 something is broken or forged,
7 it could not be told (not signed, or nobody said whose keys these are).`,
		Example: "  patchring evidence verify november.zip --allowed-signers allowed_signers\n" +
			"  patchring evidence verify november.zip --allowed-signers allowed_signers --published checkpoints.jsonl\n" +
			"  patchring evidence verify november.zip --allowed-signers allowed_signers --demand approvals,plans,checkpoints,four_eyes",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.AllowedSigners, "allowed-signers", "", "`FILE` that says whose signatures count")
	cmd.Flags().StringVar(&o.Published, "published", "", "`FILE` of checkpoints as they were published: JSON, one after the other")
	cmd.Flags().StringSliceVar(&o.Demand, "demand", nil, "what must be proven, whatever the rollout demanded: `RULES` of approvals, plans, checkpoints, four_eyes")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.File = c.options, args[0]
		return c.ended(c.env.VerifyEvidence(cmd.Context(), o))
	}
	return cmd
}
