// Command corpus scores the identification of devices over recordings of real ones, which
// lie outside of the project. It fails where anything that is told is wrong: not to know
// is better. It is for the Makefile, not for users.
//
//	corpus [-v] [FOLDER]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/patchring/patchring/pkg/platform/device"
)

// errWrong means that something that was told is wrong.
var errWrong = errors.New("something that was told is wrong")

// when the sessions were recorded does not matter.
var when = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("corpus", flag.ContinueOnError)
	verbose := flags.Bool("v", false, "tell of what is unknown as well")
	platforms := flags.String("platforms", "", "a folder with definitions of your own")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	folder := filepath.Join(root(flags.Arg(0)), "ntc")
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(out, "skipped: no recordings; PATCHRING_CORPORA names their folder")
		return nil
	}
	library, err := device.Embedded()
	if err == nil && *platforms != "" {
		library, err = library.With(os.DirFS(*platforms))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus: going on without what is wrong:", err)
	}
	all, err := recordings(folder)
	if err != nil {
		return err
	}
	others, err := recordings(filepath.Join(root(flags.Arg(0)), "state"))
	if err != nil {
		return err
	}
	total := score(library, all)
	total.strangers(library, others)
	total.print(out, *verbose)
	played, err := sessions(filepath.Join(root(flags.Arg(0)), "sessions"))
	if err != nil {
		return err
	}
	if right := live(library, played, out); total.wrong() || !right {
		return errWrong
	}
	return nil
}

func root(named string) string {
	if named != "" {
		return named
	}
	if env := os.Getenv("PATCHRING_CORPORA"); env != "" {
		return env
	}
	return filepath.Join("..", "shared", "corpora")
}
