package zypper_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/platform/linux/zypper"
)

// grouped is a summary of zypper's; each group is "to-install a.noarch=1-1 …".
func grouped(total string, groups ...string) string {
	var b strings.Builder
	b.WriteString("<stream>\n<install-summary download-size=\"0\" packages-to-change=\"" + total + "\">\n")
	for _, group := range groups {
		words := strings.Fields(group)
		b.WriteString("<" + words[0] + ">\n")
		for _, word := range words[1:] {
			name, edition, _ := strings.Cut(word, "=")
			dot := strings.LastIndexByte(name, '.')
			b.WriteString(`<solvable type="package" name="` + name[:dot] + `" edition="` + edition + `" arch="` + name[dot+1:] + `" summary="x">` + "\n<description>x</description></solvable>\n")
		}
		b.WriteString("</" + words[0] + ">\n")
	}
	return b.String() + "</install-summary>\n</stream>\n"
}

// TestExactly: right before the act, zypper must say that it would do just what is planned.
func TestExactly(t *testing.T) {
	const plain, lib = "a.x86_64=1:2-1", "lib.noarch=1-1"
	for name, tt := range map[string]struct {
		back, remove, installed, plan string
		words                         []string
		code                          int
	}{
		"fine":             {plan: grouped("2", "to-upgrade "+plain, "to-install "+lib), words: []string{plain, lib}},
		"epoch of 0":       {plan: grouped("1", "to-upgrade lib.noarch=0:1-1"), words: []string{lib}},
		"one more comes":   {plan: grouped("2", "to-upgrade "+plain, "to-install "+lib), words: []string{plain}, code: 78},
		"one more goes up": {plan: grouped("2", "to-upgrade "+plain+" "+lib), words: []string{plain}, code: 78},
		"another version":  {plan: grouped("1", "to-upgrade a.x86_64=1:3-1"), words: []string{plain}, code: 78},
		"another arch":     {plan: grouped("1", "to-upgrade a.i586=1:2-1"), words: []string{plain}, code: 78},
		"one goes":         {plan: grouped("2", "to-upgrade "+plain, "to-remove "+lib), words: []string{plain}, code: 78},
		"one goes down":    {plan: grouped("1", "to-downgrade "+plain), words: []string{plain}, code: 78},
		"another vendor":   {plan: grouped("1", "to-upgrade "+plain, "to-change-vendor "+plain), words: []string{plain}, code: 78},
		"another group":    {plan: grouped("2", "to-upgrade "+plain, "to-reinstall "+lib), words: []string{plain}, code: 78},
		"more than named":  {plan: grouped("3", "to-upgrade "+plain), words: []string{plain}, code: 78},
		"less":             {plan: grouped("1", "to-upgrade "+plain), words: []string{plain, lib}, code: 78},
		"there already":    {installed: lib, plan: grouped("1", "to-upgrade "+plain), words: []string{plain, lib}},
		"no summary":       {plan: "<stream></stream>", words: []string{plain}, code: 78},
		"not understood":   {plan: strings.ReplaceAll(grouped("1", "to-upgrade "+plain), `type="package"`, `type="pattern"`), words: []string{plain}, code: 78},
		"back":             {back: "yes", remove: "lib.noarch", installed: lib, plan: grouped("2", "to-downgrade "+plain, "to-change-vendor "+plain, "to-remove "+lib), words: []string{plain}},
		"back, one more":   {back: "yes", remove: "lib.noarch", installed: lib, plan: grouped("3", "to-downgrade "+plain, "to-remove "+lib+" sshd.noarch=1-1"), words: []string{plain}, code: 78},
		"back, another":    {back: "yes", plan: grouped("2", "to-downgrade "+plain+" "+lib), words: []string{plain}, code: 78},
		"back, it stays":   {back: "yes", remove: "lib.noarch", installed: lib, plan: grouped("1", "to-downgrade "+plain), words: []string{plain}, code: 78},
		"back, gone":       {back: "yes", remove: "lib.noarch", plan: grouped("1", "to-downgrade "+plain), words: []string{plain}},
	} {
		if code, out := exactly(t, []string{tt.back, tt.remove, tt.installed, tt.plan}, tt.words); code != tt.code {
			t.Errorf("%s: %d, want %d\n%s", name, code, tt.code, out)
		}
	}
}

// exactly runs the last look where zypper and rpm answer as told.
func exactly(t *testing.T, told, words []string) (code int, out string) {
	t.Helper()
	looks, acts := zypper.Scripts()
	file := filepath.Join(t.TempDir(), "job")
	text := "set -u -f\ntext() { printf '%s\\n' \"$1\"; }\nback=$1 remove=$2 installed=$3 answer=$4\nshift 4\n" + looks + acts +
		"\nzypper() { text \"$answer\"; }\nrpm() { text \"$installed\"; }\nzypper_exactly \"$@\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", append(append([]string{file}, told...), words...)...)
	said, _ := cmd.CombinedOutput() // its status is what is asked for
	return cmd.ProcessState.ExitCode(), string(said)
}
