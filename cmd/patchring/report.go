package main

import (
	"strings"

	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) reportCommand() *cobra.Command {
	var o app.ReportOptions
	cmd := &cobra.Command{
		Use:   "report [ROLLOUT]",
		Short: "Tell what a rollout did: table, json, markdown, csv or junit",
		Long: `Without a rollout, the newest one of the state folder. It reads the journal only
and connects to nothing.`,
		Example: "  patchring report --format junit --out junit.xml\n  patchring report 2026-11-21-monthly-7f3a --format markdown",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVarP(&o.Format, "format", "f", "table", strings.Join(app.ReportFormats(), ", "))
	cmd.Flags().StringVarP(&o.Out, "out", "o", "", "write to `FILE` instead of the screen")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Rollout = c.options, first(args)
		return c.ended(c.env.Report(cmd.Context(), o))
	}
	return cmd
}
