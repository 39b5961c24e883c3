// Command gate runs the project's tests and says what their results are worth: it
// prints failures whole, runs every fuzz target for a bounded time, and ends with
// what was skipped, why and how often. It is for the Makefile, not for users.
//
//	gate test  -log FILE [-except PACKAGE] -- GO-TEST-FLAGS... PACKAGES...
//	gate fuzz  -log FILE [-except PACKAGE] -each 5s -total 3m PACKAGES...
//	gate total FILE...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gate:", err)
		os.Exit(1)
	}
}

// run performs one command and writes what people read to out.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("say test, fuzz or total")
	}
	flags := flag.NewFlagSet("gate "+args[0], flag.ContinueOnError)
	log := flags.String("log", "", "file that keeps the events of this run")
	each := flags.Duration("each", 5*time.Second, "the most time for one fuzz target")
	except := flags.String("except", "", "package to leave out")
	total := flags.Duration("total", 3*time.Minute, "the most time for all fuzz targets")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "test":
		return runTests(ctx, selection{*log, *except, flags.Args()}, out)
	case "fuzz":
		return runFuzz(ctx, fuzzing{selection{*log, *except, flags.Args()}, *each, *total}, out)
	case "total":
		return runTotal(flags.Args(), out)
	default:
		return fmt.Errorf("there is no %q: say test, fuzz or total", args[0])
	}
}
