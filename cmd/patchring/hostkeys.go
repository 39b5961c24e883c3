package main

import (
	"context"

	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) hostKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hostkeys",
		Short: "Check, pin and rotate the keys by which hosts are known",
		Long: `patchring connects to no host whose key it does not know, and never to one whose key
has changed. Keys are known by site, in the state folder's known_hosts/SITE, or
pinned with host_keys in the inventory.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.hostKeysCheck(), c.hostKeysPin(), c.hostKeysRotate())
	return cmd
}

func (c *cli) hostKeysCheck() *cobra.Command {
	return c.onHostKeys(&cobra.Command{
		Use:   "check [HOSTS]",
		Short: "Hold the keys that hosts show against those that are known; logs in nowhere",
		Long: `Looks at every kind of key of the hosts that match the pattern (all where none is
given), one handshake a kind, and says of each whether it is known, of another
kind than what is known, unknown, changed or revoked. Records nothing.`,
		Example: "  patchring hostkeys check\n  patchring hostkeys check web --json",
	}, &app.HostKeysOptions{}, app.Env.CheckHostKeys)
}

func (c *cli) hostKeysPin() *cobra.Command {
	o := &app.HostKeysOptions{}
	cmd := c.onHostKeys(&cobra.Command{
		Use:   "pin [HOSTS]",
		Short: "Record the keys of hosts, once you or a file say that they are right",
		Long: `Shows the fingerprints of every kind of key of the hosts, asks whether they are those
of the hosts' consoles, and records them by site. With --from the keys are compared
with a file that came by another way (what ssh-keyscan printed on the bastion, a
known_hosts from your provisioning): only what stands in it is recorded, and nobody
is asked. A key that differs from a known one is never recorded.`,
		Example: "  patchring hostkeys pin\n  patchring hostkeys pin web --from keys.txt\n  patchring hostkeys pin core --print-inventory",
	}, o, app.Env.PinHostKeys)
	cmd.Flags().StringVar(&o.From, "from", "", "`FILE` with keys that came by another way: compare instead of asking")
	cmd.Flags().BoolVar(&o.PrintInventory, "print-inventory", false, "print host_keys: lines for the inventory, record nothing")
	cmd.Flags().BoolVarP(&c.options.Yes, "yes", "y", false, "do not ask: believe what the hosts show now")
	return cmd
}

func (c *cli) hostKeysRotate() *cobra.Command {
	cmd := c.onHostKeys(&cobra.Command{
		Use:   "rotate [HOSTS]",
		Short: "Record the new keys that hosts prove to hold, and forget those that are gone",
		Long: `Logs in to the hosts by a key that is known and asks which keys they have. OpenSSH
tells, and signs this very session with each new one; only keys with such a proof are
recorded. Keys that are no longer the host's are removed from the site's own
known_hosts, which is kept as it was beside it; lines of your other files are only named.`,
		Example: "  patchring hostkeys rotate\n  patchring hostkeys rotate web-01 --yes",
	}, &app.HostKeysOptions{}, app.Env.RotateHostKeys)
	cmd.Flags().BoolVarP(&c.options.Yes, "yes", "y", false, "do not ask before keys are recorded and removed")
	return cmd
}

// onHostKeys makes a command of a use case.
func (c *cli) onHostKeys(cmd *cobra.Command, o *app.HostKeysOptions, do func(app.Env, context.Context, app.HostKeysOptions) (app.Ending, error)) *cobra.Command {
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Hosts = c.options, first(args)
		return c.ended(do(c.env, cmd.Context(), *o))
	}
	return cmd
}
