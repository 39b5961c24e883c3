package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor [HOSTS]",
		Short: "Check that the hosts can be worked on, and say what to do where not",
		Long: `Asks each host that matches the pattern (all where none is given): is it
reachable, is its key known, do we get in and become root, is its clock right,
is there space, is its package manager well. Changes nothing.`,
		Example: "  patchring doctor\n  patchring doctor web-01",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.ended(c.env.Doctor(cmd.Context(), app.DoctorOptions{Options: c.options, Hosts: first(args)}))
	}
	return cmd
}
