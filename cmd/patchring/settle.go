package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/patchring/patchring/pkg/app"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settle fills in what the command line left open: PATCHRING_* variables, then
// patchring.yaml, then the defaults. A flag always wins. Host settings never come
// this way: a stray variable must not hit every client.
func (c *cli) settle(cmd *cobra.Command) error {
	c.options.Today = c.env.Now()
	settings, err := app.LoadSettings(c.config)
	if err != nil {
		return err //nolint:wrapcheck // carries file, line and hint
	}
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if failed != nil || f.Changed || !settleable(f.Name) {
			return
		}
		name := "PATCHRING_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := os.LookupEnv(name); ok {
			failed = set(cmd, f.Name, value, name)
		} else if value, ok := settings[f.Name]; ok {
			failed = set(cmd, f.Name, value, "patchring.yaml")
		}
	})
	return failed
}

// settleable tells whether a variable or patchring.yaml may set an option. What says yes to a
// question or narrows a run has to be said on the command line.
func settleable(flag string) bool {
	switch flag {
	case "inventory", "state", "site", "known-hosts", "platforms", "ssh-config", "sign-key", "age-identity", "vault-password", "concurrency", "connect-timeout", "json":
		return true
	}
	return false
}

func set(cmd *cobra.Command, flag, value, from string) error {
	if err := cmd.Flags().Set(flag, value); err != nil {
		return fault.Usagef(fmt.Sprintf("it stands for --%s", flag), "%s: %v", from, err)
	}
	return nil
}
