package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
)

// clients are two sites of one inventory and one state folder, with hosts of the same names.
type clients struct {
	*lab.Fleet
	dir  string
	ids  map[string]string // of their rollouts
	pins string            // the lab's own inventory, with a fingerprint for each host
}

// pin is the fingerprint of a host's key.
func (c *clients) pin(name string) string {
	_, rest, _ := strings.Cut(c.pins, "  "+name+":\n")
	_, rest, _ = strings.Cut(rest, "host_keys: [\"")
	fingerprint, _, _ := strings.Cut(rest, "\"")
	return fingerprint
}

const clientsFleet = `
version: 1
install: 5ms
reboot: 100ms
repositories:
  debian-12: [{name: nginx, version: 1.22.1-9+deb12u2, suite: security, service: nginx, listen: [80]}]
hosts:
`

const clientsBook = `
version: 1
name: monthly
patches: [{hosts: "*", packages: {kind: security}}]
rings: [{name: test, hosts: test}, {name: production, hosts: production, gate: {approval: {approvers: board}}}]
checks: [{hosts: "*", default_diff: true, within: 1s}]
`

func newClients(t *testing.T) *clients {
	t.Helper()
	var file strings.Builder
	file.WriteString(clientsFleet)
	for _, name := range []string{"hq-t", "hq-p", "acme-t", "acme-p"} {
		fmt.Fprintf(&file, "  - {name: %s, os: debian-12, installed: [{name: nginx, version: 1.22.1-9+deb12u1, service: nginx, listen: [80]}]}\n", name)
	}
	spec, err := lab.Load([]byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := lab.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	c := &clients{Fleet: fleet, dir: t.TempDir(), ids: map[string]string{}, pins: string(fleet.Inventory())}
	if err := fleet.Write(c.dir); err != nil {
		t.Fatal(err)
	}
	c.put(t, "inventory.yaml", c.inventory())
	c.put(t, "monthly.yaml", clientsBook)
	return c
}

func (c *clients) inventory() string {
	var out strings.Builder
	out.WriteString("version: 1\ndefaults: {user: patch, become: sudo, credentials: {key: id_ed25519}}\nsites:\n")
	for _, site := range []string{"hq", "acme"} {
		fmt.Fprintf(&out, "  %s:\n    approvers: {board: [jane@hq.example]}\n    hosts:\n", site)
		for name, group := range map[string]string{"t": "test", "p": "production"} {
			h := c.Host(site + "-" + name)
			fmt.Fprintf(&out, "      %s: {address: 127.0.0.1, port: %d, groups: [%s], host_keys: [%q]}\n", name, h.Port(), group, c.pin(site+"-"+name))
		}
	}
	return out.String()
}

func (c *clients) put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run gives a command, and its exit code and all that it said.
func (c *clients) run(t *testing.T, actor string, args ...string) (int, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0], cmd.Dir = "patchring", c.dir
	cmd.Env = []string{"HOME=" + c.dir, "PATH=/usr/bin:/bin", "CI=true", "PATCHRING_SSH_CONFIG=none", testActor + "=" + actor}
	out, _ := cmd.CombinedOutput() // its exit code is looked at
	return cmd.ProcessState.ExitCode(), string(out)
}

// open begins a rollout in each site; both wait for an approval.
func (c *clients) open(t *testing.T) {
	t.Helper()
	for _, site := range []string{"hq", "acme"} {
		if code, out := c.run(t, "ann@desk", "run", "monthly.yaml", "--yes", "--site", site); code != 7 {
			t.Fatalf("exit code %d\n%s", code, out)
		}
		entries, err := os.ReadDir(filepath.Join(c.dir, ".patchring", "rollouts"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != c.ids["hq"] {
				c.ids[site] = e.Name()
			}
		}
	}
}

// production tells how often the production hosts of a site were patched.
func (c *clients) production(site string) int { return c.Host(site + "-p").Effects().Times("nginx") }

// TestTenants: one client's rollout is not read, changed or reached by whoever works on
// another.
func TestTenants(t *testing.T) {
	c := newClients(t)
	c.open(t)
	hq := c.ids["hq"]
	for _, args := range [][]string{
		{"status", hq}, {"report", hq}, {"approve", hq, "--ring", "production"}, {"pause", hq, "--reason", "x"}, {"resume", hq}, {"abort", hq, "--reason", "x"},
		{"retry", hq, "--reason", "x"}, {"promote", hq, "--ring", "production", "--reason", "x"}, {"rollback", hq, "--yes"}, {"patchset", "show", hq},
	} {
		code, out := c.run(t, "jane@hq.example", append(args, "--site", "acme")...)
		if code != 2 || strings.Contains(out, "hq/t") || strings.Contains(out, "hq/p") {
			t.Errorf("%v of another site: exit code %d\n%s", args, code, out)
		}
	}
	for _, args := range [][]string{{"status"}, {"report"}, {"report", "--format", "csv"}, {"inventory", "list"}, {"detect"}} {
		if _, out := c.run(t, "jane@hq.example", append(args, "--site", "acme")...); strings.Contains(out, "hq/") || strings.Contains(out, hq) {
			t.Errorf("%v shows another site:\n%s", args, out)
		}
	}
	for _, pattern := range []string{"hq/p", "p:hq/p", "hq/*", "../hq/p"} {
		before := c.production("hq")
		code, out := c.run(t, "ann@desk", "run", "monthly.yaml", "--yes", "--site", "acme", "--limit", pattern)
		if c.production("hq") != before || code == 0 {
			t.Errorf("--limit %s: exit code %d\n%s", pattern, code, out)
		}
	}
	if code, out := c.run(t, "jane@hq.example", "approve", c.ids["acme"], "--ring", "production", "--site", "acme"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if code, out := c.run(t, "ann@desk", "run", "monthly.yaml", "--yes", "--site", "acme"); code != 0 || c.production("acme") != 1 || c.production("hq") != 0 {
		t.Errorf("exit code %d, %d and %d\n%s", code, c.production("acme"), c.production("hq"), out)
	}
}

// TestTenantsHooks: a playbook for one client does not run its hooks on hosts of another.
func TestTenantsHooks(t *testing.T) {
	c := newClients(t)
	for name, hook := range map[string]string{
		"a hook": "hooks: [{hosts: \"*\", when: before, run_on: hq/p, argv: [/bin/true]}]\n",
		"drain":  "drain: [{hosts: \"*\", run_on: hq/p, argv: [/bin/true]}]\n",
	} {
		c.put(t, "hooked.yaml", strings.Replace(clientsBook, "name: monthly", "name: hooked", 1)+hook)
		before := c.Host("hq-p").Effects().Logins
		if code, out := c.run(t, "ann@desk", "run", "hooked.yaml", "--yes", "--site", "acme"); code != 2 || c.Host("hq-p").Effects().Logins != before {
			t.Errorf("%s on another site's host: exit code %d\n%s", name, code, out)
		}
	}
}

// TestTenantsKnownHosts: what one client's network showed as the key of an address is
// nothing that another client's host may show.
func TestTenantsKnownHosts(t *testing.T) {
	c := newClients(t)
	unpinned := strings.NewReplacer(", host_keys", ", labels").Replace(c.inventory())
	var lines []string
	for line := range strings.Lines(unpinned) {
		if at := strings.Index(line, ", labels"); at >= 0 {
			line = line[:at] + "}\n"
		}
		lines = append(lines, line)
	}
	c.put(t, "inventory.yaml", strings.Join(lines, ""))
	if code, out := c.run(t, "ann@desk", "detect", "--site", "hq", "--accept-new-host-keys"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if err := os.Rename(filepath.Join(c.dir, ".patchring", "known_hosts", "acme"), filepath.Join(c.dir, "none")); err == nil {
		t.Error("hosts of hq are known in acme")
	}
	if code, out := c.run(t, "ann@desk", "detect", "--site", "acme"); code != 5 || !strings.Contains(out, "host key") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
