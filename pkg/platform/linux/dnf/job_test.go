package dnf

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// table is what dnf and yum print of rows below their headings.
func table(rows string) string {
	return " Package   Arch   Version   Repository   Size\n=====\n" + rows + "\nTransaction Summary\n=====\nUpgrade  1 Package\nOperation aborted.\nExiting on user command"
}

const (
	plain  = "Upgrading:\n pr-plain noarch 2.0-1.el9 new 5 k\n"
	kernel = "Installing:\n pr-kernel x86_64 2-1 new 5 k\n"
	down   = "Downgrading:\n pr-plain noarch 2.0-1.el9 new 5 k\n"
)

// TestDnfJob runs the job's script against a dnf that answers as the real one does.
func TestDnfJob(t *testing.T) {
	tests := map[string]struct {
		back, answer, status string // what --assumeno prints, and with which status it ends
		ends, code           int
		installs             bool
	}{
		"fine":                {"", table(plain), "1", 0, 0, true},
		"dnf 5":               {"", table("Upgrading:\n pr-plain noarch 0:2.0-1.el9 new 5 KiB\n   replacing pr-plain noarch 0:1.0-1.el9 new 5 KiB\n"), "1", 0, 0, true},
		"wrapped":             {"", table("Upgrading:\n pr-plain\n      noarch 2.0-1.el9 new 5 k\n"), "1", 0, 0, true},
		"fails":               {"", table(plain), "1", 4, 4, true},
		"goes down":           {"", table(down), "1", 0, 79, false},
		"goes down, on way":   {"yes", table(down), "1", 0, 0, true},
		"one more":            {"", table(plain + "Installing dependencies:\n pr-dep noarch 2.0-1 new 5 k\n"), "1", 0, 78, false},
		"another":             {"", table("Upgrading:\n other noarch 9-9 new 5 k\n"), "1", 0, 78, false},
		"another version":     {"", table("Upgrading:\n pr-plain noarch 2.0-2.el9 new 5 k\n"), "1", 0, 78, false},
		"another arch":        {"", table("Upgrading:\n pr-plain i686 2.0-1.el9 new 5 k\n"), "1", 0, 78, false},
		"one goes":            {"", table(plain + "Removing:\n sshd noarch 1-1 @new 5 k\n"), "1", 0, 78, false},
		"one is replaced":     {"", table(plain + "     replacing  pr-old.noarch 1-1\n"), "1", 0, 78, false},
		"replaced, dnf 5":     {"", table(plain + "   replacing pr-old noarch 0:1-1 @System 1 KiB\n"), "1", 0, 78, false},
		"a split":             {"", table(plain + "     replacing  pr-plain.noarch 1-1\n"), "1", 0, 0, true},
		"one goes, on way":    {"yes", table(down + "Removing:\n sshd noarch 1-1 @new 5 k\n"), "1", 0, 78, false},
		"dependents, on way":  {"yes", table(down + "Removing dependent packages:\n sshd noarch 1-1 @new 5 k\n"), "1", 0, 78, false},
		"a module stream":     {"", table(plain + "Enabling module streams:\n nodejs 18\n"), "1", 0, 78, false},
		"a heading unknown":   {"", table(plain + "Exploding:\n sshd noarch 1-1 @new 5 k\n"), "1", 0, 78, false},
		"no table":            {"", "Upgrade  1 Package\nOperation aborted.", "1", 0, 78, false},
		"not understood":      {"", "Traceback (most recent call last):", "1", 0, 78, false},
		"nothing, wrongly":    {"", "Nothing to do.\nComplete!", "0", 0, 78, false},
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
			if strings.Count(did, "exit_on_lock=True") != strings.Count(did, "\n") || strings.Count("\n"+did, "\n-C ") != strings.Count(did, "\n") {
				t.Errorf("%s: it may wait for a lock, or fetch: %q", name, did)
			}
		}
	})
}

// TestExactly: old kernels, what is there already, and what is to go, for dnf and yum.
func TestExactly(t *testing.T) {
	const pair = "Removing:\n pr-new x86_64 1-1 @new 5 k\n"
	tests := map[string]struct {
		back, remove, installed, running, table string
		words                                   string
		code                                    int
	}{
		"yum":                 {table: "Updating:\n a noarch 1:2-1 new 5 k\nInstalling for dependencies:\n b noarch 2-1 new 5 k\n", words: "a-1:2-1.noarch b-2-1.noarch"},
		"yum, one more":       {table: "Updating:\n a noarch 1:2-1 new 5 k\nInstalling for dependencies:\n b noarch 2-1 new 5 k\n", words: "a-1:2-1.noarch", code: 78},
		"yum, skips":          {table: "Updating:\n a noarch 2-1 new 5 k\nSkipped (dependency problems):\n b noarch 2-1 new 5 k\n", words: "a-2-1.noarch", code: 78},
		"less":                {table: "Updating:\n a noarch 2-1 new 5 k\n", words: "a-2-1.noarch b-2-1.noarch", code: 78},
		"it is there already": {table: "Updating:\n a noarch 2-1 new 5 k\n", words: "a-2-1.noarch b-2-1.noarch", installed: "b-2-1.noarch"},
		"epoch of 0":          {table: "Updating:\n a noarch 0:2-1 new 5 k\n", words: "a-0:2-1.noarch"},
		"old kernel":          {table: kernel + "Removing:\n pr-kernel x86_64 1-1 @new 5 k\n", words: "pr-kernel-2-1.x86_64", running: "1-2.x86_64"},
		"running kernel":      {table: kernel + "Removing:\n pr-kernel x86_64 1-1 @new 5 k\n", words: "pr-kernel-2-1.x86_64", running: "1-1.x86_64+rt", code: 78},
		"running is unknown":  {table: kernel + "Removing:\n pr-kernel x86_64 1-1 @new 5 k\n", words: "pr-kernel-2-1.x86_64", code: 78},
		"no kernel":           {table: kernel + "Removing:\n sshd x86_64 1-1 @new 5 k\n", words: "pr-kernel-2-1.x86_64", running: "1-2.x86_64", code: 78},
		"way back":            {back: "yes", remove: "pr-new.x86_64", installed: "pr-new-1-1.x86_64", table: pair + down, words: "pr-plain-2.0-1.el9.noarch"},
		"stays":               {back: "yes", remove: "pr-new.x86_64", installed: "pr-new-1-1.x86_64", table: down, words: "pr-plain-2.0-1.el9.noarch", code: 78},
		"several versions":    {back: "yes", remove: "pr-new.x86_64", installed: "pr-new-1-1.x86_64", table: pair + " pr-new x86_64 2-1 @new 5 k\n", code: 78},
		"not forward":         {remove: "pr-new.x86_64", installed: "pr-new-1-1.x86_64", table: pair, code: 78},
	}
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		for name, tt := range tests {
			text := "set -u -f\nback=$1 remove=$2 installed=$3 running=$4 plan=$5\nshift 5\nuname() { echo \"$running\"; }\n" +
				"rpm() { for n in \"$@\"; do :; done; case $installed in \"${n%.*}\"-*) echo \"$installed\" ;; *) return 1 ;; esac; }\n" + dnfWords + exactScript + "dnf_exactly \"$@\"\n"
			args := slices.Concat(shell[1:], []string{"-c", text, "x", tt.back, tt.remove, tt.installed, tt.running, table(tt.table)}, strings.Fields(tt.words))
			cmd := exec.CommandContext(t.Context(), shell[0], args...)
			out, _ := cmd.CombinedOutput() // its status is what is asked for
			if cmd.ProcessState.ExitCode() != tt.code {
				t.Errorf("%s: %d, want %d\n%s", name, cmd.ProcessState.ExitCode(), tt.code, out)
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
		"[ -e " + bin + "/again ] && { printf '%s\\n' \"$FINE\"; exit 1; }\n: >" + bin + "/again\nprintf '%s\\n' \"$ANSWER\"\nexit " + status + "\n"
	if err := os.WriteFile(filepath.Join(bin, "dnf"), []byte(dnf), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "set -u -f\nsleep() { :; }\nback=$1 remove='' new=''\nshift\n" + dnfWords + rpmScript + Manager().Script + Manager().Acts + "\ndnf_install \"$@\"\n"
	cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], "-c", text, "patchring-dnf", back, "pr-plain-2.0-1.el9.noarch")...)
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "LC_ALL=C", "ANSWER=" + answer, "FINE=" + table(plain), "ENDS=" + strconv.Itoa(ends)}
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
