package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// selection is what to test and where to keep the events.
type selection struct {
	log    string
	except string   // a package to leave out, or empty
	args   []string // flags for go test, then packages
}

// expand splits the flags from the packages, and lists the packages by name.
func (s selection) expand(ctx context.Context) (flags, packages []string, err error) {
	first := slices.IndexFunc(s.args, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	if first < 0 {
		return nil, nil, errors.New("name the packages")
	}
	if packages, err = list(ctx, s.args[first:]); err != nil || s.except == "" {
		return s.args[:first], packages, err
	}
	without, err := list(ctx, []string{s.except})
	out := func(pkg string) bool { return slices.Contains(without, pkg) }
	return s.args[:first], slices.DeleteFunc(packages, out), err
}

// list asks the go command which packages the patterns mean.
func list(ctx context.Context, patterns []string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list"}, patterns...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// runTests runs "go test -json", keeps its events in the log, and prints a line for
// each package and the whole output of what failed.
func runTests(ctx context.Context, what selection, out io.Writer) error {
	keep, err := create(what.log)
	if err != nil {
		return err
	}
	defer keep.Close()
	flags, packages, err := what.expand(ctx)
	if err != nil {
		return err
	}
	return goTest(ctx, append(flags, packages...), keep, out)
}

// goTest runs one "go test -json". Its error is that of the tests.
func goTest(ctx context.Context, args []string, keep, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	show := newShow(out)
	read := readEvents(io.TeeReader(events, keep), show.add)
	if err := errors.Join(read, cmd.Wait()); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	return nil
}

// create makes the file, and its folder.
func create(path string) (*os.File, error) {
	if path == "" {
		return nil, errors.New("-log is missing")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.Create(path)
}

// show prints results as they come in.
type show struct {
	out  io.Writer
	said map[string]*strings.Builder // by package and test
}

func newShow(out io.Writer) *show {
	return &show{out: out, said: map[string]*strings.Builder{}}
}

// add prints an event if it is worth a line.
func (s *show) add(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "output":
		s.hold(key, e.Output)
	case "fail":
		fmt.Fprint(s.out, s.take(key))
		if e.Test == "" {
			fmt.Fprintf(s.out, "FAIL %s %.1fs\n", e.Package, e.Elapsed)
		}
	case "pass":
		s.take(key)
		if e.Test == "" {
			fmt.Fprintf(s.out, "ok   %s %.1fs\n", e.Package, e.Elapsed)
		}
	case "skip":
		s.take(key)
	}
}

func (s *show) hold(key, text string) {
	if s.said[key] == nil {
		s.said[key] = &strings.Builder{}
	}
	s.said[key].WriteString(text)
}

func (s *show) take(key string) string {
	text := s.said[key]
	delete(s.said, key)
	if text == nil {
		return ""
	}
	return text.String()
}

// runTotal reads the events of earlier runs and prints what they come to.
func runTotal(logs []string, out io.Writer) error {
	sum := newTally()
	for _, log := range logs {
		f, err := os.Open(log)
		if err != nil {
			return err
		}
		err = readEvents(f, sum.add)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", log, err)
		}
	}
	sum.print(out)
	return sum.verdict()
}
