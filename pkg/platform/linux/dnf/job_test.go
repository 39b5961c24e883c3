package dnf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/posix"
	"github.com/patchring/patchring/pkg/platform/linux"
)

// shells are what the scripts must run under, as far as they are here.
func shells(t *testing.T, each func(t *testing.T, shell []string)) {
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

// TestDnfJob runs the job's script against a dnf that answers as the real one does.
func TestDnfJob(t *testing.T) {
	summary := func(heading, line string) string {
		return heading + ":\n pr-plain\nTransaction Summary\n" + line + "\nOperation aborted."
	}
	tests := map[string]struct {
		back, answer, status string // what --assumeno prints, and with which status it ends
		ends, code           int
		installs             bool
	}{
		"fine":                {"", summary("Upgrading", "Upgrade  1 Package"), "1", 0, 0, true},
		"dnf 5":               {"", summary("Upgrading", " Upgrading:         1 package\n Replacing:         1 package"), "1", 0, 0, true},
		"fails":               {"", summary("Upgrading", "Upgrade  1 Package"), "1", 4, 4, true},
		"goes down":           {"", summary("Downgrading", "Downgrade  1 Package"), "1", 0, 79, false},
		"goes down, on way":   {"yes", summary("Downgrading", "Downgrade  1 Package"), "1", 0, 0, true},
		"one more":            {"", summary("Upgrading", "Install  1 Package\nUpgrade  1 Package"), "1", 0, 78, false},
		"one goes, on way":    {"yes", summary("Downgrading", "Downgrade  1 Package\nRemove  1 Package"), "1", 0, 78, false},
		"not understood":      {"", "Traceback (most recent call last):", "1", 0, 78, false},
		"nothing to do":       {"", "Nothing to do.\nComplete!", "0", 0, 0, true},
		"locked a bit":        {"", "metadata already locked by 7", "200", 4, 4, true},
		"locked a bit, dnf 5": {"", "Failed to obtain the transaction lock (logged in as: root).", "1", 0, 0, true},
	}
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		for name, tt := range tests {
			code, did := runDnfJob(t, shell, tt.back, tt.answer, tt.status, tt.ends)
			if code != tt.code || strings.Contains(did, " -y install pr-plain-2.0-1.el9.noarch") != tt.installs {
				t.Errorf("%s: ended with %d, and did %q", name, code, did)
			}
			if strings.Count(did, "exit_on_lock=True") != strings.Count(did, "\n") {
				t.Errorf("%s: it may wait for a lock: %q", name, did)
			}
		}
	})
}

// runDnfJob: the first simulation answers as told, later ones that all is well; an
// installation ends with ends.
func runDnfJob(t *testing.T, shell []string, back, answer, status string, ends int) (code int, did string) {
	t.Helper()
	bin := t.TempDir()
	dnf := "#!/bin/sh\necho \"$*\" >>" + bin + "/did\ncase $* in *assumeno*) ;; *) exit $ENDS ;; esac\n" +
		"[ -e " + bin + "/again ] && { echo 'Operation aborted.'; exit 1; }\n: >" + bin + "/again\nprintf '%s\\n' \"$ANSWER\"\nexit " + status + "\n"
	if err := os.WriteFile(filepath.Join(bin, "dnf"), []byte(dnf), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "set -u\nsleep() { :; }\nback=$1 remove='' new=''\nshift\n" + dnfWords + rpmScript + Manager().Script + dnfJobs + "\ndnf_install \"$@\"\n"
	cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], "-c", text, "patchring-dnf", back, "pr-plain-2.0-1.el9.noarch")...)
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "LC_ALL=C", "ANSWER=" + answer, "ENDS=" + strconv.Itoa(ends)}
	_ = cmd.Run() // its status is what is asked for
	lines, err := os.ReadFile(filepath.Join(bin, "did"))
	if err != nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(lines)
}

// TestScripts: those of yum too stay inside what the shells of hosts understand, simulated
// ones included.
func TestScripts(t *testing.T) {
	texts := linux.Managers{Manager(), Yum()}.Texts()
	for name, text := range texts {
		for _, what := range posix.Check(name, []byte(text)) {
			t.Errorf("%s: %s", name, what)
		}
	}
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		for name, text := range texts {
			cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], "-n")...)
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	})
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("needs shellcheck: it checks the scripts")
	}
	for _, name := range []string{"preflight dnf", "preflight yum", "jobs dnf", "jobs yum"} {
		cmd := exec.CommandContext(t.Context(), "shellcheck", "-s", "sh", "-")
		cmd.Stdin = strings.NewReader(texts[name])
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}
