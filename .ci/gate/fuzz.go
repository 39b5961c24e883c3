package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// fuzzing is how to fuzz: which packages, how long.
type fuzzing struct {
	selection
	each, total time.Duration
}

// target is one fuzz function.
type target struct{ pkg, name string }

// runFuzz runs every fuzz target of the packages one after the other, each for an
// equal share of the total, and fails if one of them found something.
func runFuzz(ctx context.Context, how fuzzing, out io.Writer) error {
	keep, err := create(how.log)
	if err != nil {
		return err
	}
	defer keep.Close()
	_, packages, err := how.expand(ctx)
	if err != nil {
		return err
	}
	targets, err := fuzzTargets(ctx, packages)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return errors.New("there is no fuzz target in " + strings.Join(packages, " "))
	}
	share := how.share(len(targets))
	fmt.Fprintf(out, "fuzz: %d targets, %s each\n", len(targets), share)
	var failed error
	for _, t := range targets {
		failed = errors.Join(failed, fuzzOne(ctx, t, share, keep, out))
	}
	return failed
}

// share is the time for one of n targets: at least a second, at most each.
func (how fuzzing) share(n int) time.Duration {
	return min(how.each, max(time.Second, (how.total/time.Duration(n)).Truncate(time.Second)))
}

// fuzzTargets asks the test binaries which fuzz functions they have.
func fuzzTargets(ctx context.Context, packages []string) ([]target, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json", "-list", "^Fuzz"}, packages...)...)
	out, failed := cmd.Output()
	var targets []target
	var broken strings.Builder
	err := readEvents(bytes.NewReader(out), func(e event) {
		name := strings.TrimSpace(e.Output)
		switch {
		case e.Action == "build-output":
			broken.WriteString(e.Output)
		case e.Action == "output" && strings.HasPrefix(name, "Fuzz"):
			targets = append(targets, target{e.Package, name})
		}
	})
	if failed != nil {
		err = fmt.Errorf("go test -list: %w\n%s", failed, broken.String())
	}
	return targets, err
}

// fuzzOne fuzzes one target and keeps its result as an event. "go test -json" would
// report it too, but with a line of output for every few thousand inputs. Shrinking
// an interesting input is bounded by tries: by time (a minute is the default) it eats
// the whole share of a target with large inputs.
func fuzzOne(ctx context.Context, t target, share time.Duration, keep, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+share.String(),
		"-fuzzminimizetime=100x", "-timeout=5m", t.pkg)
	start := time.Now()
	said, err := cmd.CombinedOutput()
	result := event{Action: "pass", Package: t.pkg, Test: t.name + "/fuzzed", Elapsed: time.Since(start).Seconds()}
	if err != nil && !endedByClock(string(said)) {
		result.Action = "fail"
		fmt.Fprintf(out, "FAIL %s %s\n%s%s", t.pkg, t.name, said, t.finding(ctx, string(said)))
		err = fmt.Errorf("%s %s: %w", t.pkg, t.name, err)
	} else {
		fmt.Fprintf(out, "ok   %s %s %s\n", t.pkg, t.name, progress(said))
		err = nil
	}
	return errors.Join(err, json.NewEncoder(keep).Encode(result))
}

var findingPath = regexp.MustCompile(`testdata/fuzz/Fuzz\w+/[0-9a-f]+`)

// finding is the input that failed: on a machine of CI its file is gone tomorrow.
func (t target) finding(ctx context.Context, said string) string {
	path := findingPath.FindString(said)
	if path == "" {
		return ""
	}
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", t.pkg).Output()
	if err != nil {
		return err.Error() + "\n"
	}
	input, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), path))
	if err != nil {
		return err.Error() + "\n"
	}
	const most = 4000
	return fmt.Sprintf("%s holds\n%.*s\n", path, most, input)
}

var clockOnly = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\S+ \(\S+\)\n    context deadline exceeded\nFAIL$`)

// endedByClock tells the one failure that is none: before Go 1.27 a fuzzer whose time
// is up on a busy machine may report its own time limit (golang/go#75804). A finding
// always names the input that it wrote.
func endedByClock(said string) bool {
	return clockOnly.MatchString(said) && !strings.Contains(said, "Failing input")
}

// progress is the last line in which the fuzzer says how far it came.
func progress(said []byte) string {
	last := ""
	for line := range strings.Lines(string(said)) {
		if strings.Contains(line, "execs:") {
			_, last, _ = strings.Cut(strings.TrimSpace(line), "execs: ")
		}
	}
	return last
}
