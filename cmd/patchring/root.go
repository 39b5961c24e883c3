package main

import (
	"context"

	"github.com/patchring/patchring/pkg/app"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// cli is one call of the program: the world, the shared options, and how it ended.
type cli struct {
	env     app.Env
	options app.Options
	config  string // path of patchring.yaml
	ending  app.Ending
	letGo   func() // gives signals back to their default: they end the process
}

const (
	groupSetUp  = "setup"
	groupWork   = "work"
	groupLook   = "look"
	groupTryOut = "try"
)

// execute runs the command line and gives the exit code. Whatever is not 0 has said
// why, and what to type next.
func (c *cli) execute(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetOut(c.env.Out)
	root.SetErr(c.env.Err)
	if err := root.ExecuteContext(ctx); err != nil {
		return c.env.Explain(err, c.options.JSON)
	}
	c.env.Conclude(c.ending, c.options.JSON)
	return c.ending.Code
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "patchring",
		Short: "Patch a test ring, prove it healthy, and carry exactly that to production",
		Long: `patchring reads an inventory of hosts, connects to them over SSH with nothing
installed on them, installs patches on a test ring, and carries exactly what was
proven there to production, ring by ring, through gates that open only when
health checks pass.

Try it on a simulated fleet:   patchring demo
Begin with your own hosts:     patchring init`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if !patient(cmd.Name()) && c.letGo != nil {
			c.letGo()
		}
		return c.settle(cmd)
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fault.Usagef("see: "+cmd.CommandPath()+" --help", "%v", err)
	})
	root.AddGroup(
		&cobra.Group{ID: groupTryOut, Title: "Try it out:"},
		&cobra.Group{ID: groupSetUp, Title: "Set up:"},
		&cobra.Group{ID: groupWork, Title: "Patch:"},
		&cobra.Group{ID: groupLook, Title: "Look:"},
	)
	c.sharedFlags(root.PersistentFlags())
	c.addCommands(root)
	root.InitDefaultCompletionCmd()
	usageErrors(root)
	return root
}

func (c *cli) addCommands(root *cobra.Command) {
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add(groupTryOut, c.demoCommand(), c.labCommand())
	add(groupSetUp, c.initCommand(), c.lintCommand(), c.doctorCommand(), c.inventoryCommand(), c.configCommand(), c.schemaCommand(), c.stateCommand(), c.hostKeysCommand())
	add(groupWork, c.planCommand(), c.stageCommand(), c.runCommand(), c.approveCommand(), c.promoteCommand(), c.retryCommand(), c.rollbackCommand(),
		c.pauseCommand(), c.resumeCommand(), c.abortCommand(), c.quarantineCommand())
	add(groupLook, c.detectCommand(), c.checkCommand(), c.statusCommand(), c.reportCommand(), c.evidenceCommand(), c.patchsetCommand(), c.platformsCommand())
	root.AddCommand(c.versionCommand())
}

func (c *cli) sharedFlags(f *pflag.FlagSet) {
	o := &c.options
	f.StringVarP(&o.Inventory, "inventory", "i", "", "inventory `FILE` (default inventory.yaml)")
	f.StringVar(&o.State, "state", "", "state `DIR`: journals, plans, known hosts (default .patchring beside the inventory)")
	f.StringVar(&o.Site, "site", "", "work on the hosts of this site only")
	f.StringVarP(&o.Limit, "limit", "l", "", "only hosts that match this `PATTERN`, e.g. web:!web-03")
	f.BoolVar(&o.JSON, "json", false, "print versioned JSON instead of text")
	f.StringVar(&o.KnownHosts, "known-hosts", "", "also read host keys from `FILE`")
	f.BoolVar(&o.AcceptNew, "accept-new-host-keys", false, "record the keys of hosts never seen before; a changed key is always refused")
	f.StringVar(&o.SSHConfig, "ssh-config", "", "ssh_config `FILE`, or none (default ~/.ssh/config)")
	f.IntVar(&o.Concurrency, "concurrency", 0, "hosts looked at at once (default 50)")
	f.DurationVar(&o.ConnectTimeout, "connect-timeout", 0, "time for TCP, SSH handshake and login, per hop (default 15s)")
	f.StringVar(&o.Platforms, "platforms", "", "`DIR` with definitions of devices of your own: NAME.yaml each, see patchring schema platform")
	f.StringVar(&o.SignKey, "sign-key", "", "sign approvals, checkpoints, plans and evidence with the SSH key in `FILE` (a .pub: the agent's)")
	f.StringVar(&o.AgeIdentity, "age-identity", "", "`FILE` with the age or SSH keys that open age: and sops: secrets (default ~/.config/patchring/age.txt)")
	f.StringVar(&o.VaultPassword, "vault-password", "", "`REFERENCE` to the password of ansible-vault: secrets, such as file:PATH or prompt")
	f.StringVar(&c.config, "config", "", "settings `FILE` (default patchring.yaml, if there is one)")
}

// patient are the commands that bring something to its end when they are stopped. All
// others only look, or write one record: a signal may end them as it ends any program.
func patient(command string) bool {
	switch command {
	case "run", "rollback", "stage", "demo", "lab":
		return true
	}
	return false
}

// usageErrors makes every mistake in arguments exit with 2 and a hint.
func usageErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return fault.Usagef("see: "+cmd.CommandPath()+" --help", "%v", err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		usageErrors(sub)
	}
}

// ended keeps how a command ended, for the exit code.
func (c *cli) ended(end app.Ending, err error) error {
	c.ending = end
	return err
}
