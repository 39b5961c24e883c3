package linux_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/memfs"
)

// TestSudoRules: once a file is there, only what it says is allowed.
func TestSudoRules(t *testing.T) {
	const file = `# a comment
Defaults:patch !requiretty, passwd_tries=1
patch ALL=(root) NOPASSWD: /bin/sh, /usr/bin/sh
patch ALL=(root) NOPASSWD: /usr/bin/env A\:b \*
patch ALL=(root) NOPASSWD: /usr/bin/id ""
patch ALL=(root) /usr/bin/uname
"other" ALL=(root) NOPASSWD: ALL
Defaults!/bin/sh env_keep += "KEPT TOO"
`
	const needs, denied = "sudo: a password is required\n", "Sorry, user patch is not allowed to execute '/usr/bin/id -u' as root on h.\n"
	for name, c := range map[string]struct {
		line, stdin string
		want        result
	}{
		"shell":            {"sudo -n -- sh -c 'id -u'", "", result{"0\n", "", 0}},
		"kept":             {"export KEPT=1 GONE=2; sudo -n /bin/sh -c 'echo \"$KEPT.${GONE-}\"'", "", result{"1.\n", "", 0}},
		"no words":         {"sudo -n id", "", result{"uid=0(root) gid=0(root) groups=0(root)\n", "", 0}},
		"words":            {"sudo -n id -u", "", result{"", needs, 1}},
		"denied":           {"sudo -S -p '' id -u", "pw\n", result{"", denied, 1}},
		"password":         {"sudo -n uname", "", result{"", needs, 1}},
		"password given":   {"sudo -S -p '' uname", "pw\n", result{"Linux\n", "", 0}},
		"one try":          {"sudo -S -p '' uname", "bad\npw\n", result{"", "sudo: 1 incorrect password attempt\n", 1}},
		"other words":      {"sudo -n env A:b x", "", result{"", needs, 1}},
		"another's rule":   {"sudo -n ls", "", result{"", needs, 1}},
		"a shell of mine":  {"sudo -n /home/patch/sh -c id", "", result{"", needs, 1}},
		"not what it says": {"sudo -n bash -c id", "", result{"", needs, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := boot(t, linux.Config{Password: "pw"})
			rules(t, m, file)
			if got := in(t, m, m.Login(), c.line, c.stdin); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// TestBrokenSudoers: a file that can't be understood takes all rights away.
func TestBrokenSudoers(t *testing.T) {
	for _, text := range []string{"patch ALL=(root)\n", "patch (root) ALL\n", "patch ALL=(root) NOPASSWD: sh\n", "\"patch ALL=(root) /bin/sh\n", "patch ALL=(root) /bin/ls *\n", "Defaults!/bin/sh env_keep = x\n"} {
		m, _ := boot(t, linux.Config{})
		rules(t, m, "patch ALL=(root) NOPASSWD: ALL\n"+text)
		if got := in(t, m, m.Login(), "sudo -n id", ""); got.code != 1 || !strings.Contains(got.errs, "patchring:2: syntax error") {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func rules(t *testing.T, m *linux.Machine, text string) {
	t.Helper()
	if err := m.FS.MkdirAll(memfs.Root, "/etc/sudoers.d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.FS.WriteFile(memfs.Root, "/etc/sudoers.d/patchring", 0o440, []byte(text)); err != nil {
		t.Fatal(err)
	}
}
