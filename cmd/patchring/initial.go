package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) initCommand() *cobra.Command {
	var o app.InitOptions
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a first inventory and playbook, with comments that teach",
		Long: `Writes inventory.yaml and playbooks/monthly.yaml into the folder (here where none
is given): from answers to a few questions, from ~/.ssh/config, or from a CSV file
with the columns name, address, user, port, groups, site. Never overwrites a file.`,
		Example: "  patchring init\n  patchring init --from ssh-config\n  patchring init --from csv --file hosts.csv",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVar(&o.From, "from", "", "ssh-config or csv; else the hosts are asked for")
	cmd.Flags().StringVar(&o.File, "file", "", "the `FILE` to read (default for ssh-config: ~/.ssh/config)")
	cmd.Flags().StringSliceVar(&o.Test, "test", nil, "a `HOST` of the test ring (may be repeated)")
	cmd.Flags().StringSliceVar(&o.Production, "production", nil, "a `HOST` of the production ring (may be repeated)")
	cmd.Flags().StringVar(&o.User, "user", "", "the user to log in as")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Dir = first(args)
		return c.ended(c.env.Init(cmd.Context(), o))
	}
	return cmd
}
