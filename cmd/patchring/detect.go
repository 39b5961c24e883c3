package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) detectCommand() *cobra.Command {
	var o app.DetectOptions
	cmd := &cobra.Command{
		Use:   "detect [HOSTS]",
		Short: "Show versions, pending updates and reboot need; changes nothing",
		Long: `Looks at the hosts that match the pattern (all where none is given), one
connection and one command a host, and changes nothing.`,
		Example: "  patchring detect\n  patchring detect 'web:!web-03' --json",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&o.Refresh, "refresh", false, "have the hosts fetch their package lists first")
	cmd.Flags().BoolVar(&o.Updates, "updates", false, "list every pending update, too (always done for a single host)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Hosts = c.options, first(args)
		return c.ended(c.env.Detect(cmd.Context(), o))
	}
	return cmd
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
