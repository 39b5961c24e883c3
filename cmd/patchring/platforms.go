package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) platformsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "platforms [NAME]",
		Short: "What each system's driver can do, and what that rests on",
		Long: `For each capability of a driver: whether it was tried with the real tool, read from
what one printed, tried on the simulated fleet, written from documentation, or is
not there; and the test that backs it.`,
		Example: "  patchring platforms\n  patchring platforms dnf",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		return c.ended(c.env.Platforms(app.PlatformsOptions{Options: c.options, Name: first(args)}))
	}
	return cmd
}
