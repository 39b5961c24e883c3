package linux_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
)

func TestSudoersLines(t *testing.T) {
	for name, c := range map[string]struct {
		grant linux.Grant
		want  string
	}{
		"shell": {linux.Grant{User: "patch", Shell: true}, "Defaults:patch !requiretty\npatch ALL=(root) NOPASSWD: /bin/sh, /usr/bin/sh\n"},
		"password": {
			linux.Grant{User: "patch", Shell: true, Password: true},
			"Defaults:patch !requiretty, !rootpw, !runaspw, !targetpw, timestamp_timeout=0, passwd_tries=1\npatch ALL=(root) /bin/sh, /usr/bin/sh\n",
		},
		"commands, each once, sorted": {
			linux.Grant{User: `CORP\Patch.er`, Only: []linux.Rule{
				{Argv: []string{"/usr/local/bin/lbctl", "drain", "a:b", "*"}, Keep: []string{"PATCHRING_HOST"}},
				{Argv: []string{"/opt/smoke"}},
				{Argv: []string{"/usr/local/bin/lbctl", "drain", "a:b", "*"}, Keep: []string{"PATCHRING_HOST"}},
			}},
			`Defaults:"CORP\Patch.er" !requiretty
"CORP\Patch.er" ALL=(root) NOPASSWD: /opt/smoke ""
"CORP\Patch.er" ALL=(root) NOPASSWD: /usr/local/bin/lbctl drain a\:b \*
Defaults!/usr/local/bin/lbctl env_keep += "PATCHRING_HOST"
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.grant.Sudoers()
			if err != nil || got != c.want {
				t.Errorf("%v\ngot\n%swant\n%s", err, got, c.want)
			}
		})
	}
}

// TestRuleThatCannotBeSaid: nothing is printed that would allow more than it shows.
func TestRuleThatCannotBeSaid(t *testing.T) {
	for _, g := range []linux.Grant{
		{User: "", Shell: true},
		{User: "%wheel", Shell: true},
		{User: "+net", Shell: true},
		{User: "a b", Shell: true},
		{User: "a\nroot ALL=(ALL) ALL", Shell: true},
		{User: `a\`, Shell: true},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"lbctl"}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/"}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/x", "a b"}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/x", ""}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/x", `\*`}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/x", "a\npatch ALL=(root) ALL"}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/x", "^.*$"}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/x*"}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/x[a]"}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/opt/!x?"}}}},
		{User: "patch", Only: []linux.Rule{{Argv: []string{"/usr/bin/sudoedit", "/etc/hosts"}}}},
		{User: "patch", Only: []linux.Rule{{}}},
	} {
		if text, err := g.Sudoers(); !errors.Is(err, linux.ErrNoRule) {
			t.Errorf("sudoers: %+v: %v %q", g, err, text)
		}
		if text, err := g.Doas(); !errors.Is(err, linux.ErrNoRule) {
			t.Errorf("doas: %+v: %v %q", g, err, text)
		}
	}
}

func TestDoasLines(t *testing.T) {
	g := linux.Grant{User: "patch", Shell: true, Only: []linux.Rule{{Argv: []string{"/opt/smoke"}}, {Argv: []string{"/opt/lb", "nopass", "a:b"}, Keep: []string{"A", "B"}}}}
	want := `permit nopass patch as root cmd sh
permit nopass setenv { A B } patch as root cmd /opt/lb args "nopass" "a:b"
permit nopass patch as root cmd /opt/smoke args
`
	if got, err := g.Doas(); err != nil || got != want {
		t.Errorf("%v\ngot\n%swant\n%s", err, got, want)
	}
	if _, err := (linux.Grant{User: "patch", Shell: true, Password: true}).Doas(); !errors.Is(err, linux.ErrNoRule) {
		t.Error("doas can't be given a password")
	}
}

// parsed is what cvtsudoers makes of a file.
type parsed struct {
	Specs []struct {
		Users []struct {
			Name string `json:"username"`
		} `json:"User_List"`
		Commands []struct {
			As []struct {
				Name string `json:"username"`
			} `json:"runasusers"`
			Commands []struct {
				Command string `json:"command"`
			} `json:"Commands"`
		} `json:"Cmnd_Specs"`
	} `json:"User_Specs"`
}

// TestSudoersAgainstSudo has sudo's own parser read what is printed, for hundreds of users and
// commands: it must see the one user, root, and exactly the words that were meant.
func TestSudoersAgainstSudo(t *testing.T) {
	for _, tool := range []string{"visudo", "cvtsudoers"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool + " (Debian package sudo)")
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	word := func(letters string, most int) string {
		var b strings.Builder
		for range 1 + random.IntN(most) {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	const names, words = `abcXYZ019_.@\$+-`, `abcXYZ019_./@%+-,:=*?[]!`
	tried := 0
	for range 500 {
		g := linux.Grant{User: word("abcXYZ_0", 1) + word(names, 9), Shell: random.IntN(2) == 0, Password: random.IntN(2) == 0}
		for range random.IntN(3) {
			rule := linux.Rule{Argv: []string{"/opt/" + word("abcXYZ_.@%+-,:=", 4)}}
			for range random.IntN(4) {
				rule.Argv = append(rule.Argv, word(words, 8))
			}
			g.Only = append(g.Only, rule)
		}
		if text, err := g.Sudoers(); err == nil {
			tried++
			readBySudo(t, g, text)
		}
	}
	for _, name := range []string{"ALL", "ADMINS", "root", "UPPER_1"} {
		g := linux.Grant{User: name, Shell: true}
		if text, err := g.Sudoers(); err == nil {
			readBySudo(t, g, text)
		}
	}
	if tried < 300 {
		t.Errorf("only %d of 500 could be said", tried)
	}
}

func readBySudo(t *testing.T, g linux.Grant, text string) {
	t.Helper()
	check := exec.CommandContext(t.Context(), "visudo", "-cf", "-")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("visudo: %s\n%s", out, text)
	}
	convert := exec.CommandContext(t.Context(), "cvtsudoers", "-f", "json", "-")
	convert.Stdin = strings.NewReader(text)
	out, err := convert.Output()
	if err != nil {
		t.Fatal(err)
	}
	var file parsed
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, spec := range file.Specs {
		if len(spec.Users) != 1 || spec.Users[0].Name != g.User {
			t.Fatalf("sudo reads %+v, not user %q\n%s", spec.Users, g.User, text)
		}
		for _, c := range spec.Commands {
			if len(c.As) != 1 || c.As[0].Name != "root" {
				t.Fatalf("it may become %+v\n%s", c.As, text)
			}
			for _, one := range c.Commands {
				got = append(got, unescaped(one.Command))
			}
		}
	}
	if g.Shell {
		want = append(want, "/bin/sh", "/usr/bin/sh")
	}
	for _, rule := range g.Only {
		if len(rule.Argv) == 1 {
			rule.Argv = append(slices.Clone(rule.Argv), `""`)
		}
		want = append(want, strings.Join(rule.Argv, " "))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, slices.Compact(want)) {
		t.Fatalf("sudo reads %q, meant was %q\n%s", got, want, text)
	}
}

// unescaped is the one text that the pattern stands for, as fnmatch(3) has it.
func unescaped(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

// TestOnlyTheShellIsRoot: whatever a driver does or looks at as root, it is the one program
// that the rules name.
func TestOnlyTheShellIsRoot(t *testing.T) {
	commands := managers().Probe(platform.Query{Packages: []string{"x"}, Offers: true, Refresh: true})
	for _, c := range []struct {
		driver platform.Driver
		facts  fact.Facts
		work   patch.Work
	}{{driverOf(apt.Debian), debian(), aptWork()}, {driverOf(dnf.RHEL), rocky(), dnfWork()}} {
		steps, err := c.driver.Steps(c.facts, c.work)
		if err != nil {
			t.Fatal(err)
		}
		locker, marker := c.driver.(platform.Locker), c.driver.(platform.Marker)
		owner := linux.OwnerOf("r1")
		steps = append(steps, locker.Lock(linux.Web, owner), locker.Unlock(linux.Web, owner), marker.Mark(linux.Web, owner))
		commands = append(commands, marker.Unmark(owner))
		for _, s := range steps {
			for _, op := range slices.Concat(s.Do, s.Look.Do) {
				if op.Command != nil {
					commands = append(commands, *op.Command)
				}
			}
		}
	}
	place, err := job.Root().Start(job.Spec{ID: "j", Argv: []string{"/bin/true"}})
	if err != nil {
		t.Fatal(err)
	}
	commands = append(commands, place, job.Root().Look("j", 0), health.Round{Nonce: "n", Become: true}.Command())
	asRoot := 0
	for _, c := range commands {
		if !c.Become {
			continue
		}
		asRoot++
		if c.Argv[0] != linux.RootShell {
			t.Errorf("as root it runs %q", c.Argv)
		}
	}
	if asRoot < 20 {
		t.Errorf("only %d commands as root were found", asRoot)
	}
}
