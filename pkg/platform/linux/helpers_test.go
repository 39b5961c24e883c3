package linux

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// What is exported here is for the tests of package linux_test, which know all managers.

// Opening is the first word of a report.
const Opening = opening

// Web is the host of all tests.
var Web = fact.HostID{Site: "hq", Name: "web-01"}

// OwnerOf is the owner of a rollout's lock.
func OwnerOf(rollout string) platform.Owner {
	return platform.Owner{Rollout: rollout, By: "jane@laptop", Since: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}
}

// sample drives a host whose package manager is made up.
func sample() Driver {
	m := Manager{
		Name: "sample", Is: func(fact.OS) fact.Platform { return "sample" }, Drives: []fact.Platform{"sample"},
		Order: version.Dpkg, Ending: ".pkg",
		Spec: func(u patch.Update, _ string) string { return u.Name + "=" + u.To },
		Key:  func(name, _, _ string) string { return name },
		Read: func(*Reader) {}, Simulated: func(fact.Facts, patch.Work, Section) Transaction { return Transaction{} },
		Due: sampleDue,
	}
	return Driver{Manager: m, Platform: "sample", all: Managers{m}}
}

func sampleDue(rep Report) Due {
	s := rep.Get("sign")
	switch {
	case !rep.Has("sign"), s.OK() && len(s.Lines()) == 0:
		return Due{}
	case s.OK():
		return Due{Reasons: []string{"it says " + s.Lines()[0]}}
	}
	return Due{Unclear: s.Why()}
}

// HiddenScript is the text that finds what a user may not read.
func HiddenScript() string { return hiddenScript }

// Shells are what the scripts must run under, as far as they are here.
func Shells(t *testing.T, each func(t *testing.T, shell []string)) {
	t.Helper()
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "ash"}} {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skip("needs " + shell[0] + ": one of the shells that hosts have")
			}
			each(t, shell)
		})
	}
}

// RunIn runs a command of this package with a shell of this machine in place of the host's.
func RunIn(t *testing.T, shell []string, c remote.Command) remote.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := append(append([]string{}, shell[1:]...), c.Argv[1:]...)
	cmd := exec.CommandContext(ctx, shell[0], args...)
	cmd.Env = append(os.Environ(), "APT_CONFIG="+emptyLists(t))
	cmd.Stdin = bytes.NewReader(c.Stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil || (err != nil && cmd.ProcessState == nil) {
		t.Fatal(err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

// emptyLists is a configuration under which apt knows this machine's packages and
// no repository: quick, and the same everywhere.
func emptyLists(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "apt.conf")
	text := "Dir::State::lists \"" + dir + "/lists\";\nDir::Cache \"" + dir + "/cache\";\n"
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return conf
}

func Standing(t *testing.T, got platform.Standing, state platform.State, say string) {
	t.Helper()
	text := strings.Join(got.Reasons, "\n") + got.Progress + strings.Join(got.Notes, "\n")
	if got.State != state || !strings.Contains(text, say) {
		t.Errorf("%v, %q; want %v with %q", got.State, text, state, say)
	}
	if (got.State == platform.Failed || got.State == platform.Unknown) && len(got.Reasons) == 0 {
		t.Errorf("%v, and no reason", got.State)
	}
	CleanText(t, strings.Join(got.Reasons, " ")+got.Progress+strings.Join(got.Notes, " "))
}

func CleanText(t *testing.T, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }); i >= 0 {
		t.Errorf("a control character at %d of %q", i, text)
	}
}

func HasProblem(f fact.Facts, what, detail string) bool {
	return slices.ContainsFunc(f.Problems, func(p fact.Problem) bool {
		return p.What == what && strings.Contains(p.Detail, detail)
	})
}
