package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/spf13/cobra"
)

func (c *cli) doctorCommand() *cobra.Command {
	var sudoers bool
	var playbook string
	cmd := &cobra.Command{
		Use:   "doctor [HOSTS]",
		Short: "Check that the hosts can be worked on, and say what to do where not",
		Long: `Asks each host that matches the pattern (all where none is given): is it
reachable, is its key known, do we get in and become root, is its clock right,
is there space, is its package manager well. Changes nothing.

With --sudoers it connects to nothing, and prints the smallest sudoers file
(doas.conf where the inventory says become: doas) that the hosts need, with
--playbook for that playbook alone. Comments say what each rule is for, and
what it amounts to.`,
		Example: "  patchring doctor\n  patchring doctor web-01\n  patchring doctor --sudoers --playbook playbooks/monthly.yaml web-01",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&sudoers, "sudoers", false, "print the smallest sudoers file instead")
	cmd.Flags().StringVar(&playbook, "playbook", "", "with --sudoers: the `PLAYBOOK` that it is for; left out: any")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case sudoers:
			return c.ended(c.env.Sudoers(cmd.Context(), app.SudoersOptions{Options: c.options, Hosts: first(args), Playbook: playbook}))
		case playbook != "":
			return fault.Usagef("patchring doctor --sudoers --playbook "+playbook, "--playbook belongs to --sudoers") //nolint:wrapcheck // the user's mistake
		}
		return c.ended(c.env.Doctor(cmd.Context(), app.DoctorOptions{Options: c.options, Hosts: first(args)}))
	}
	return cmd
}
