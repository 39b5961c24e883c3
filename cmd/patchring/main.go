// Command patchring installs patches on a test ring of hosts and carries exactly
// what was proven there to production, over SSH, with nothing installed on the hosts.
//
// One file per command; they turn flags into options and call package app.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"

	"github.com/patchring/patchring/pkg/app"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/view"
	"golang.org/x/term"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop, done := interruptible(context.Background(), os.Stderr)
	defer done()
	c := &cli{env: environment(stop), letGo: func() { signal.Reset(os.Interrupt, syscall.SIGTERM) }}
	defer release(c.env.Out, c.env.Err)
	return c.execute(ctx, os.Args[1:])
}

// release lets out what the filters of secrets hold back at the end.
func release(outputs ...io.Writer) {
	for _, out := range outputs {
		if w, ok := out.(*secret.Writer); ok {
			_ = w.Flush() // there is nowhere left to say it
		}
	}
}

// interruptible gives three ways to stop: the first Ctrl-C (or SIGTERM) closes stop:
// what runs is finished and nothing is started; the second cancels the context; from
// then on a signal kills the process, should leaving hang somewhere.
func interruptible(parent context.Context, say io.Writer) (context.Context, <-chan struct{}, func()) {
	ctx, cancel := context.WithCancel(parent)
	stop := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if !within(ctx, signals) {
			return
		}
		close(stop)
		// Not from here: a terminal that was stopped with Ctrl-S takes nothing, and the
		// next signal must be heard nevertheless.
		go func() {
			_, _ = fmt.Fprintln(say, "\nstopping: hosts at work are finished, no other is started; Ctrl-C again leaves at once")
		}()
		if !within(ctx, signals) {
			return
		}
		signal.Stop(signals)
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		cancel()
	}()
	return ctx, stop, func() { signal.Stop(signals); cancel() }
}

// within waits for a signal, and tells whether one came while the context lasted.
func within(ctx context.Context, signals <-chan os.Signal) bool {
	select {
	case <-ctx.Done():
		return false
	case <-signals:
		return true
	}
}

func environment(stop <-chan struct{}) app.Env {
	home, _ := os.UserHomeDir() // "" where there is none: then there is no ~/.ssh to read
	filter := secret.NewFilter()
	env := app.Env{
		In: os.Stdin, Out: filter.Writer(os.Stdout), Err: filter.Writer(os.Stderr), Secrets: app.Secrets{Filter: filter},
		Home: home, Actor: actor(), Agent: os.Getenv("SSH_AUTH_SOCK"),
		Now: time.Now, Random: rand.Reader, Stop: stop, Version: version(),
	}
	out, errs := view.ScreenOf(os.Stdout, os.Getenv), view.ScreenOf(os.Stderr, os.Getenv)
	env.OutTTY, env.ErrTTY, env.Color, env.Size = out.Terminal, errs.Terminal, out.Colour, out.Size
	env.Width, env.Height = out.Size()
	env.Plain = os.Getenv("CI") != ""
	env.Terminal = term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())) && !env.Plain
	if env.Terminal {
		env.Secrets.Ask = known(filter, newPerson(console{os.Stdin}, os.Stderr).ask)
		env.Ask = func(ctx context.Context, label string) (secret.Secret, error) {
			return env.Secrets.Ask(ctx, label, false)
		}
	}
	return env
}

// actor names the person for the journal and for the host's lock.
func actor() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return name + "@" + host
}
