package main

import (
	"github.com/patchring/patchring/pkg/app"
	"github.com/spf13/cobra"
)

func (c *cli) pauseCommand() *cobra.Command {
	return c.control(app.Pause, "pause ROLLOUT", "Start no further host until resume",
		"Hosts at work are finished. A `run` that is going on notices.")
}

func (c *cli) resumeCommand() *cobra.Command {
	return c.control(app.Resume, "resume ROLLOUT", "Take back a pause; the next run carries on",
		"Nothing is started by this command itself: call `patchring run` afterwards.")
}

func (c *cli) abortCommand() *cobra.Command {
	return c.control(app.Abort, "abort ROLLOUT", "End a rollout for good, so that a new one may begin",
		"Hosts at work are finished; what is installed stays installed.")
}

// control builds the three commands in which a person speaks to a rollout.
func (c *cli) control(word app.Word, use, short, long string) *cobra.Command {
	o := app.ControlOptions{Word: word}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ExactArgs(1),
		Example: "  patchring " + string(word) + " 2026-11-21-monthly-7f3a --reason 'TICKET-123'",
	}
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why; it is journaled")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Options, o.Rollout = c.options, args[0]
		return c.ended(c.env.Control(cmd.Context(), o))
	}
	return cmd
}
