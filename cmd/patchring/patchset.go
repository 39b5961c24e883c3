package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) patchsetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "patchset",
		Short: "Look at what a ring has proven, and carry it elsewhere",
		Long: `A patch set is the lockfile of a rollout: the exact versions and digests that healthy
hosts of the rings before have proven, by distribution, release and architecture. A
gate freezes it when it opens, and its ring installs nothing else.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.patchsetShow(), c.patchsetDiff(), c.patchsetExport(), c.patchsetImport())
	return cmd
}

func (c *cli) patchsetShow() *cobra.Command {
	var o app.PatchSetOptions
	cmd := &cobra.Command{
		Use:   "show ROLLOUT[/RING]|FILE|DIGEST",
		Short: "Show versions, digests and what those rest on",
		Long: `Shows the set that a ring is bound to, or would be if its gate opened now. Without a
ring it is the last one that was frozen. "signed index" means that patchring itself
has verified the repository's signature over the digest (see keyrings in the
inventory); "host's word" that the host's package manager has.`,
		Example: "  patchring patchset show 2026-11-21-monthly-7f3a --ring production\n  patchring patchset show november.json --json",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.Ring, "ring", "", "the ring that is bound to it")
	cmd.Flags().BoolVar(&o.Brief, "summary", false, "only the counts")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Target = c.options, args[0]
		return c.ended(c.env.ShowPatchSet(cmd.Context(), o))
	}
	return cmd
}

func (c *cli) patchsetDiff() *cobra.Command {
	var o app.PatchSetOptions
	cmd := &cobra.Command{
		Use:     "diff A B",
		Short:   "Compare two: rollouts, rings of rollouts (ROLLOUT/RING), files or digests",
		Example: "  patchring patchset diff october.json 2026-11-21-monthly-7f3a/production",
		Args:    cobra.ExactArgs(2),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Target, o.Other = c.options, args[0], args[1]
		return c.ended(c.env.DiffPatchSets(cmd.Context(), o))
	}
	return cmd
}

func (c *cli) patchsetExport() *cobra.Command {
	var o app.PatchSetOptions
	cmd := &cobra.Command{
		Use:   "export ROLLOUT[/RING] FILE",
		Short: "Write a patch set into a file, and its packages into a folder",
		Example: "  patchring patchset export 2026-11-21-monthly-7f3a november.json\n" +
			"  patchring patchset export 2026-11-21-monthly-7f3a november.json --packages november/",
		Args: cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&o.Ring, "ring", "", "the ring that is bound to it")
	cmd.Flags().StringVar(&o.Packages, "packages", "", "also write the packages that are in the store into this `FOLDER`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Target, o.File = c.options, args[0], args[1]
		return c.ended(c.env.ExportPatchSet(cmd.Context(), o))
	}
	return cmd
}

func (c *cli) patchsetImport() *cobra.Command {
	var o app.PatchSetOptions
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in a patch set that was proven elsewhere",
		Long: `Checks form and digest, and keeps the set in the state folder, where show, diff and
run --patch-set find it by its digest. Nothing tells yet who made the file: take it
from hands that you trust. With --packages its files come into the store, each held
to its digest, so that hosts without internet can be given them.`,
		Example: "  patchring patchset import november.json --packages november/",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&o.Packages, "packages", "", "also take in the packages of this `FOLDER`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.File = c.options, args[0]
		return c.ended(c.env.ImportPatchSet(cmd.Context(), o))
	}
	return cmd
}
