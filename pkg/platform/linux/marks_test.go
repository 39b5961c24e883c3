package linux_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/posix"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// TestMarks: of what the probe says, only known files count, and only where it says it.
func TestMarks(t *testing.T) {
	report := func(identity, rest string) []remote.Result {
		return []remote.Result{{Out: []byte("patchring-report 1 n\n\n@n begin identity\n" + identity + "\n@n status 0\n\n@n end identity\n" + rest)}}
	}
	for name, c := range map[string]struct {
		results []remote.Result
		want    []string
	}{
		"none":          {results: report("uid=0\n", "")},
		"one":           {results: report("uid=0\nmarks= /usr/bin/tmsh\n", ""), want: []string{"/usr/bin/tmsh"}},
		"unknown files": {results: report("marks= /usr/bin/tmsh /etc/passwd $(reboot)\n", ""), want: []string{"/usr/bin/tmsh"}},
		"elsewhere":     {results: report("uid=0\n", "@n begin os_release\nmarks= /usr/bin/tmsh\n@n status 0\n")},
		"no report":     {results: []remote.Result{{Out: []byte("marks= /usr/bin/tmsh\n")}}},
		"nothing":       {},
	} {
		var got []string
		for _, m := range linux.Marks(c.results) {
			got = append(got, m.Path)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestMarksAreAskedFor: the probe tests every file that has a meaning, and says nothing on
// a host that has none.
func TestMarksAreAskedFor(t *testing.T) {
	script := string(managers().Probe(platform.Query{Nonce: "n"})[0].Stdin)
	for _, path := range []string{"/usr/bin/pveversion", "/usr/bin/tmsh", "/etc.defaults/VERSION", "/bootbank"} {
		if !strings.Contains(script, path) {
			t.Errorf("%s is not looked for", path)
		}
	}
	for _, name := range []string{"probe-debian", "probe-rocky"} {
		if got := linux.Marks([]remote.Result{recorded(t, name)}); len(got) > 0 {
			t.Errorf("%s has %v", name, got)
		}
	}
}

// TestAsk runs lines of definitions in real shells, hostile ones among them.
func TestAsk(t *testing.T) {
	lines := []string{"echo 'it''s'", "false", "echo \"patchring-report 1 x\"; echo '@n whole'", "cat", "head -c 100000 /dev/zero | tr '\\0' '\\n'", "no-such-command"}
	c := linux.Ask("n", lines, false)
	if c.Become || c.Effect != remote.Reads {
		t.Errorf("%+v", c)
	}
	if found := posix.Check("ask", c.Stdin); len(found) > 0 {
		t.Errorf("a simulated host can't run it: %q", found)
	}
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "ash"}} {
		path, err := exec.LookPath(shell[0])
		if err != nil {
			t.Logf("skipped: %s is not installed", shell[0])
			continue
		}
		cmd := exec.CommandContext(t.Context(), path, append(shell[1:], c.Argv[1:]...)...)
		cmd.Stdin = strings.NewReader(string(c.Stdin))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		got := linux.Answers(lines, remote.Result{Ending: remote.Exited, Out: out})
		if strings.TrimSpace(string(got[lines[0]])) != "its" || len(got) != 3 || strings.TrimSpace(string(got["cat"])) != "" {
			t.Errorf("%s: %q", shell[0], got)
		}
	}
}

func FuzzMarks(f *testing.F) {
	f.Add([]byte("patchring-report 1 n\n@n begin identity\nmarks= /usr/bin/tmsh\n@n status 0\n"))
	f.Add([]byte("patchring-report 1 \n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		for _, m := range linux.Marks([]remote.Result{{Out: out}}) {
			if m.Path == "" || m.Of == "" {
				t.Errorf("%+v", m)
			}
		}
		for line, text := range linux.Answers([]string{"a", "b"}, remote.Result{Out: out}) {
			if line == "" || len(text) > len(out)+1 {
				t.Errorf("%q of %q", text, out)
			}
		}
	})
}
