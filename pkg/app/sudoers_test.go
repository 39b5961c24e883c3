package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/report"
)

const rightsInventory = `version: 1
defaults: {user: patch, become: sudo}
sites:
  hq:
    hosts:
      t1: {groups: [test]}
      p1: {groups: [prod]}
      lb1: {groups: [lb]}
      lb2: {groups: [lb], become: none}
      idle: {groups: [rest]}
      sw1: {groups: [rest], platform: cisco_iosxe}
      bsd: {groups: [rest], become: doas}
      asks: {groups: [rest], credentials: {become: prompt}}
      su1: {groups: [rest], become: su}
      no1: {groups: [rest], become: none}
      root1: {groups: [rest], user: root}
  acme:
    hosts:
      lb2: {address: 10.0.0.9, become: none}
      t9: {address: 10.0.0.8, groups: [far]}
`

const rightsPlaybook = `version: 1
name: monthly
patches: [{hosts: "*", packages: {kind: security}}]
rings:
  - {name: test, hosts: "hq/t1"}
  - {name: production, hosts: "hq/p1"}
hooks:
  - {when: before, hosts: "hq/p1", run_on: controller, argv: [/usr/bin/sudo, -n, /opt/here]}
drain:
  - {hosts: "hq/p1", run_on: lb1, become: true, argv: [/opt/lb, drain], undrain: [/opt/lb, "a b"], within: 10s}
  - {name: other, hosts: "hq/p1", run_on: lb2, argv: [/usr/bin/sudo, -n, --, /opt/lb, drain], undrain: [/usr/bin/doas, -n, /opt/lb, undrain], within: 10s}
checks:
  - {hosts: "*", default_diff: true, within: 1s}
  - {hosts: "hq/t1", command: {argv: [/usr/bin/sudo, -n, /opt/smoke, "{{ .name }}"]}, within: 1s}
  - {hosts: "hq/t1", command: {argv: [/opt/deep], become: true}, within: 1s}
`

// rightsOf asks for the rights of hosts, with or without the playbook.
func rightsOf(t *testing.T, inventory, playbook, hosts string) report.Rights {
	t.Helper()
	return rightsWith(t, Options{SSHConfig: "none"}, inventory, playbook, hosts)
}

func rightsWith(t *testing.T, options Options, inventory, playbook, hosts string) report.Rights {
	t.Helper()
	dir := t.TempDir()
	o := SudoersOptions{Options: Options{SSHConfig: options.SSHConfig, Inventory: filepath.Join(dir, "inventory.yaml"), JSON: true, Today: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}, Hosts: hosts}
	files := map[string]string{o.Inventory: inventory}
	if playbook != "" {
		o.Playbook = filepath.Join(dir, "monthly.yaml")
		files[o.Playbook] = playbook
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if _, err := (Env{Out: &out, Err: &out, Now: time.Now}).Sudoers(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var doc report.Rights
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return doc
}

// shape is what a document says, in short: "host means root rules".
func shape(doc report.Rights) []string {
	var all []string
	for _, f := range doc.Files {
		var commands []string
		for line := range strings.Lines(f.Rules) {
			if _, command, ok := strings.Cut(line, "NOPASSWD: "); ok {
				commands = append(commands, strings.TrimSpace(command))
			} else if _, command, ok := strings.Cut(line, " cmd "); ok {
				commands = append(commands, strings.TrimSpace(command))
			} else if _, command, ok := strings.Cut(line, "ALL=(root) "); ok {
				commands = append(commands, "password "+strings.TrimSpace(command))
			}
		}
		all = append(all, fmt.Sprintf("%s %s %t %s", strings.Join(f.Hosts, ","), f.Means, f.Root, strings.Join(commands, "; ")))
	}
	for _, n := range doc.None {
		all = append(all, fmt.Sprintf("%s none %t", n.Host, n.Stop))
	}
	slices.Sort(all)
	return all
}

func TestSudoersOfAPlaybook(t *testing.T) {
	doc := rightsOf(t, rightsInventory, rightsPlaybook, "")
	want := []string{
		"hq/lb1 sudo true /bin/sh, /usr/bin/sh",
		"hq/lb2 doas false /opt/lb args undrain",
		"hq/lb2 sudo false /opt/lb drain",
		"hq/p1 sudo true /bin/sh, /usr/bin/sh",
		"hq/sw1 none false",
		"hq/t1 sudo true /bin/sh, /usr/bin/sh; /opt/smoke t1",
	}
	if got := shape(doc); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	at := slices.IndexFunc(doc.Files, func(f report.RootFile) bool { return f.Hosts[0] == "hq/lb1" })
	if narrower := strings.Join(doc.Files[at].Narrower, "\n"); !strings.Contains(narrower, "-n, --, /opt/lb, drain]") || strings.Contains(narrower, "a b") {
		t.Errorf("what would need less: %q", narrower)
	}
	if n := strings.Count(strings.Join(doc.Files[at].Needs, "\n"), "become: true"); n != 2 {
		t.Errorf("needs: %q", doc.Files[at].Needs)
	}
}

func TestSudoersOfAnyPlaybook(t *testing.T) {
	want := []string{
		"hq/asks sudo true password /bin/sh, /usr/bin/sh",
		"hq/bsd doas true sh",
		"hq/idle sudo true /bin/sh, /usr/bin/sh",
		"hq/no1 none true",
		"hq/root1 none false",
		"hq/su1 none true",
		"hq/sw1 none false",
	}
	if got := shape(rightsOf(t, rightsInventory, "", "rest")); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if doc := rightsOf(t, "version: 1\ndefaults: {become: sudo}\nhosts: {a: {}}\n", "", ""); len(doc.Files) > 0 || !doc.None[0].Stop {
		t.Errorf("nobody says who logs in: %+v", doc)
	}
}

// TestSudoersOfDevices: what is an enable password elsewhere is no reason to stop.
func TestSudoersOfDevices(t *testing.T) {
	doc := rightsOf(t, "version: 1\nhosts: {sw: {become: enable}, sw2: {become: enable, platform: cisco_iosxe, user: x}}\n", "", "")
	if len(doc.None) != 2 || doc.None[0].Stop || doc.None[1].Stop || doc.Exit.Code != 0 || !strings.Contains(doc.None[0].Why, "device") {
		t.Errorf("%+v", doc)
	}
}

// TestSudoersOfSSHConfig: who logs in may stand there alone.
func TestSudoersOfSSHConfig(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("Host a\n User deploy\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	doc := rightsWith(t, Options{SSHConfig: config}, "version: 1\ndefaults: {become: sudo}\nhosts: {a: {}, b: {}}\n", "", "")
	if len(doc.Files) != 1 || doc.Files[0].User != "deploy" || !strings.Contains(doc.Files[0].Rules, "deploy ") {
		t.Errorf("%+v", doc.Files)
	}
	if len(doc.None) != 1 || !doc.None[0].Stop || !strings.Contains(doc.None[0].Why, "ssh_config") {
		t.Errorf("%+v", doc.None)
	}
}

// TestSudoersThatCannotBeSaid: what has no exact rule gets none, and is told.
func TestSudoersThatCannotBeSaid(t *testing.T) {
	for _, argv := range []string{
		`[/usr/bin/sudo, -n, /opt/lb, "a b"]`, `[/usr/bin/sudo, -u, other, /opt/lb]`, `[/usr/bin/sudo, -n, lb]`, `[/usr/bin/sudo, -n]`, `[/usr/bin/sudo, A=1, /opt/lb]`,
	} {
		book := strings.Replace(rightsPlaybook, "[/usr/bin/sudo, -n, --, /opt/lb, drain]", argv, 1)
		doc := rightsOf(t, rightsInventory, book, "hq/lb2")
		if len(doc.Files) > 0 || len(doc.None) != 1 || !doc.None[0].Stop || doc.Exit.Code != report.ExitNeedsPerson {
			t.Errorf("%s: %+v", argv, doc)
		}
	}
	if doc := rightsOf(t, rightsInventory, rightsPlaybook, "hq/idle"); len(doc.Files) > 0 || doc.None[0].Stop || !strings.Contains(doc.None[0].Why, "become: none") {
		t.Errorf("nothing is run as root there: %+v", doc)
	}
}

// TestSudoersPleaseVisudo: what is printed for one host is a file as it stands.
func TestSudoersPleaseVisudo(t *testing.T) {
	if _, err := exec.LookPath("visudo"); err != nil {
		t.Skip("needs visudo (Debian package sudo)")
	}
	for _, host := range []string{"hq/t1", "hq/p1", "hq/lb1", "hq/asks"} {
		playbook := rightsPlaybook
		if host == "hq/asks" {
			playbook = ""
		}
		check := exec.CommandContext(t.Context(), "visudo", "-cf", "-")
		check.Stdin = strings.NewReader(rightsOf(t, rightsInventory, playbook, host).Text())
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %s", host, out)
		}
	}
}
