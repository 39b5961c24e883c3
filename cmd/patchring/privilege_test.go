package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/report"
)

// leastFleet is a fleet on which nothing may become root but what `doctor --sudoers` prints.
type leastFleet struct {
	*lab.Fleet
	t   *testing.T
	dir string
}

const leastPlaybook = `version: 1
name: monthly
patches: [{hosts: "*", packages: {kind: security}}]
rings:
  - {name: test, hosts: test}
  - {name: production, hosts: production}
reboot: if_needed
drain:
  - {name: tell-the-balancer, hosts: production, run_on: lb1, argv: [/usr/bin/sudo, -n, --, /usr/bin/lab-count, drain], undrain: [/usr/bin/sudo, -n, --, /usr/bin/lab-count, "a:b,c=d"], within: 10s}
checks:
  - {hosts: "*", default_diff: true, within: 5s}
  - {hosts: production, command: {argv: [/usr/bin/sudo, -n, /usr/bin/id]}, within: 2s}
`

// newLeastFleet installs what is printed for the playbook, word for word, on each host.
func newLeastFleet(t *testing.T, defaults string) *leastFleet {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "privilege", "fleet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := lab.Load(raw)
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := lab.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	f := &leastFleet{fleet, t, t.TempDir()}
	if err := fleet.Write(f.dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(f.dir, "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "    groups: [balancer]\n", "    groups: [balancer]\n    become: none\n", 1)
	f.write("inventory.yaml", strings.Replace(changed, "credentials: {", "credentials: {"+defaults, 1))
	f.write("monthly.yaml", leastPlaybook)
	for _, file := range f.rights().Files {
		for _, host := range file.Hosts {
			f.allow(host, file.Rules)
		}
	}
	return f
}

func (f *leastFleet) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// allow makes this the only rules of a host.
func (f *leastFleet) allow(host, rules string) {
	f.t.Helper()
	fs := f.Host(strings.TrimPrefix(host, "default/")).Machine().FS
	if err := fs.MkdirAll(memfs.Root, "/etc/sudoers.d", 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := fs.WriteFile(memfs.Root, "/etc/sudoers.d/patchring", 0o440, []byte(rules)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *leastFleet) rights() report.Rights {
	f.t.Helper()
	var doc report.Rights
	if err := json.Unmarshal([]byte(f.run(0, "doctor", "--sudoers", "--playbook", "monthly.yaml", "--json")), &doc); err != nil {
		f.t.Fatal(err)
	}
	return doc
}

// run gives a command as a process of its own, which must end with this code.
func (f *leastFleet) run(want int, args ...string) string {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0] = "patchring"
	cmd.Dir = f.dir
	cmd.Env = []string{"HOME=" + f.dir, "PATH=/usr/bin:/bin", "CI=true", "PATCHRING_SSH_CONFIG=none", "LEAST=correct horse battery", testActor + "=ann@desk"}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != want {
		f.t.Fatalf("%s: %v, want exit code %d\n%s\n%s", args, err, want, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

func (f *leastFleet) id() string {
	f.t.Helper()
	ids, err := os.ReadDir(filepath.Join(f.dir, ".patchring", "rollouts"))
	if err != nil || len(ids) != 1 {
		f.t.Fatalf("rollouts: %v, %v", ids, err)
	}
	return ids[0].Name()
}

// TestRolloutUnderTheSmallestSudoers carries a whole rollout and its way back under exactly
// what is printed, without a password and with one.
func TestRolloutUnderTheSmallestSudoers(t *testing.T) {
	for name, defaults := range map[string]string{"free": "", "password": "become: env:LEAST, "} {
		t.Run(name, func(t *testing.T) {
			f := newLeastFleet(t, defaults)
			f.run(0, "doctor", "production,test")
			f.run(0, "detect")
			f.run(3, "plan", "monthly.yaml", "--detailed-exitcode")
			f.run(0, "run", "monthly.yaml", "--yes")
			e := f.Host("p1").Effects()
			if e.Times("nginx") != 1 || e.Reboots != 1 {
				t.Errorf("%d changes, %d reboots", e.Times("nginx"), e.Reboots)
			}
			counts := f.Host("lb1").Effects().Counts
			if counts["drain p1"] != 1 || counts["a:b,c=d p1"] != 1 {
				t.Errorf("the balancer was told %v", counts)
			}
			f.run(10, "rollback", f.id(), "--reason", "slow", "--yes")
			if n := f.Host("p1").Effects().Times("nginx"); n != 2 {
				t.Errorf("nginx was changed %d times, want 2", n)
			}
		})
	}
}

// TestNothingMoreIsAllowed: what is printed for the balancer is no shell, and no other words.
func TestNothingMoreIsAllowed(t *testing.T) {
	f := newLeastFleet(t, "")
	doc := f.rights()
	at := slices.IndexFunc(doc.Files, func(file report.RootFile) bool { return slices.Contains(file.Hosts, "default/lb1") })
	if at < 0 || doc.Files[at].Root || strings.Contains(doc.Files[at].Rules, "/sh") {
		t.Fatalf("%+v", doc)
	}
	text := f.run(0, "doctor", "--sudoers", "--playbook", "monthly.yaml")
	for _, want := range []string{"is root there", "A rule that lets a script or a shell run as root is root", "may run these commands as root"} {
		if !strings.Contains(strings.ReplaceAll(text, "\n# ", " "), want) {
			t.Errorf("%q is not said:\n%s", want, text)
		}
	}
}

// TestMissingRuleIsNamed: without any one of the rules, what fails says which is missing.
func TestMissingRuleIsNamed(t *testing.T) {
	t.Run("shell", func(t *testing.T) {
		f := newLeastFleet(t, "")
		f.allow("t1", "patch ALL=(root) NOPASSWD: /usr/bin/id\n")
		wantWords(t, f.run(5, "doctor", "t1", "--json"), "privilege", "patchring doctor --sudoers")
		wantWords(t, f.run(6, "run", "monthly.yaml", "--yes"), "default/t1: privilege: sudo: it asks for a password")
		if e := f.Host("p1").Effects(); len(e.Transactions) > 0 {
			t.Errorf("production was changed: %v", e.Transactions)
		}
	})
	t.Run("shell, after the password", func(t *testing.T) {
		f := newLeastFleet(t, "become: env:LEAST, ")
		f.allow("t1", "patch ALL=(root) NOPASSWD: /usr/bin/id\n")
		wantWords(t, f.run(5, "doctor", "t1", "--json"), "privilege", "patchring doctor --sudoers", "no right to run this command")
	})
	t.Run("hook", func(t *testing.T) {
		f := newLeastFleet(t, "")
		f.allow("lb1", "patch ALL=(root) NOPASSWD: /usr/bin/lab-count other\n")
		wantWords(t, f.run(4, "run", "monthly.yaml", "--yes"), "default/p1        drain      failed", "tell-the-balancer failed", "sudo: a password is required")
		if n := f.Host("p1").Effects().Times("nginx"); n != 0 {
			t.Errorf("a host that could not be drained was patched %d times", n)
		}
	})
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in:\n%s", word, text)
		}
	}
}
