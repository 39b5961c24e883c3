package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) labCommand() *cobra.Command {
	var o app.LabOptions
	cmd := &cobra.Command{
		Use:   "lab [FLEET]",
		Short: "Keep a simulated fleet running, to rehearse your own playbooks on",
		Long: `Brings up the demo's fleet, or the one that the YAML file FLEET describes, writes an
inventory for it, and keeps it running until Ctrl-C.`,
		Example: "  patchring lab --dir /tmp/rehearsal\n  patchring lab my-fleet.yaml",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "`DIR` for inventory.yaml, known_hosts and key (default: patchring-lab)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Fleet = first(args)
		return c.ended(c.env.Lab(cmd.Context(), o))
	}
	return cmd
}
