package drivers

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// The scripts of every manager, as they are sent, must run under the shells that hosts have.

func TestScriptsParse(t *testing.T) {
	eachShell(t, func(t *testing.T, shell []string) {
		t.Helper()
		for name, text := range Managers().Texts() {
			cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], "-n")...)
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	})
}

func TestScriptsCheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("needs shellcheck: it checks the scripts")
	}
	for name, text := range Managers().Texts() {
		cmd := exec.CommandContext(t.Context(), "shellcheck", "-s", "sh", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// TestLabSubset: every script stays inside what simulated hosts understand.
func TestLabSubset(t *testing.T) {
	for name, text := range Managers().Texts() {
		for _, what := range posix.Check(name, []byte(text)) {
			t.Errorf("%s: %s", name, what)
		}
	}
}

func eachShell(t *testing.T, each func(t *testing.T, shell []string)) {
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
