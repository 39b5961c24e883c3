package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) platformsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "platforms [NAME]",
		Short: "What each system's driver can do, and what that rests on",
		Long: `For each capability of a package manager's driver: whether it was tried with the real
tool, read from what one printed, tried on the simulated fleet, written from
documentation, or is not there; and the test that backs it. For each platform of
network gear, load balancers, storage arrays and appliances: whether and how it is
upgraded, what that costs, and what the knowledge of it rests on.`,
		Example: "  patchring platforms\n  patchring platforms dnf\n  patchring platforms show cisco_iosxe",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		return c.ended(c.env.Platforms(app.PlatformsOptions{Options: c.options, Name: first(args)}))
	}
	cmd.AddCommand(c.platformsShowCommand(), c.identifyCommand(), c.platformsTestCommand())
	return cmd
}

func (c *cli) platformsShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show NAME",
		Short:   "All that is typed on a platform, in its order, with the answers",
		Example: "  patchring platforms show junos",
		Args:    cobra.ExactArgs(1),
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		return c.ended(c.env.ShowPlatform(app.PlatformsOptions{Options: c.options, Name: args[0]}))
	}
	return cmd
}

func (c *cli) identifyCommand() *cobra.Command {
	var o app.IdentifyOptions
	cmd := &cobra.Command{
		Use:   "identify FILE...",
		Short: "Tell from recorded output which device it is of, as JSON",
		Long: `Reads what one device has printed (one file for each command, or one for all) and
prints what it tells of it: platform, vendor, model, version, serial, hostname and
confidence. What can't be told for certain is left empty. With --platform only that
platform's patterns are used.`,
		Example: "  patchring platforms identify show-version.txt show-inventory.txt",
		Args:    cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&o.Platform, "platform", "", "the platform's `NAME`, where you know it")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		o.Options, o.Files = c.options, args
		return c.ended(c.env.Identify(o))
	}
	return cmd
}

func (c *cli) platformsTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test DIR",
		Short: "Read the samples beside definitions of your own",
		Long: `Loads the definitions NAME.yaml of a folder, and reads each sample beside them:
DIR/NAME/SAMPLE/expect.yaml says what must come out, the files beside it hold what
each command has printed.`,
		Example: "  patchring platforms test ./platforms",
		Args:    cobra.ExactArgs(1),
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		return c.ended(c.env.TestPlatforms(c.options, args[0]))
	}
	return cmd
}
