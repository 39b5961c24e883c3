package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is what the module system or the VCS knows of this build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = "devel " + s.Value[:min(12, len(s.Value))]
		}
	}
	if v == "" {
		return "devel"
	}
	return v
}

func (c *cli) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Say which build this is",
		Args: cobra.NoArgs,
	}
	cmd.RunE = func(*cobra.Command, []string) error { return c.env.ShowVersion(c.options) }
	return cmd
}
