//go:build linux

package real_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// leastRights asks for everything that root does: a transaction, a reboot, a check as root,
// and a hook that becomes root by itself.
const leastRights = `version: 1
name: least
patches: [{hosts: "*", packages: {kind: security}}]
rings: [{name: test, hosts: test, window: any, batches: [2], failure_limit: 100%}]
reboot: always
drain:
  - {name: take-note, hosts: test-2, argv: [/usr/bin/sudo, -n, --, /usr/local/bin/note, drain], undrain: [/usr/bin/sudo, -n, --, /usr/local/bin/note, "en:able,x=*"], within: 20s}
checks:
  - {hosts: "*", default_diff: true, within: 20s}
  - {hosts: "*", command: {argv: [/usr/bin/test, -r, /etc/shadow], become: true}, within: 10s}
`

// note is what the hook runs as root: nothing but these two words may reach it.
const note = "#!/bin/sh\nprintf '%s %s %s\\n' \"$(id -u)\" \"$1\" \"$PATCHRING_HOST\" >>/root/notes\n"

// oddRules are of an admin who asks for root's password, and for a terminal.
const oddRules = "Defaults targetpw, requiretty\n"

// TestSmallestSudoers carries a whole rollout, its reboots and its way back under exactly what
// `doctor --sudoers` prints, by the real sudo; and what is missing without a rule is named.
func TestSmallestSudoers(t *testing.T) {
	lab := real.New(t)
	first := lab.Host("test-1", real.NoSudo())
	last := lab.Host("test-2", real.SudoPassword(sudoPassword), real.File("/usr/local/bin/note", 0o755, note), real.File("/etc/sudoers.d/odd", 0o440, oddRules))
	d := newDesk(t, lab, leastRights, settings{"test-2": "credentials: {become: env:LAB_SUDO}"})
	d.env = []string{"LAB_SUDO=" + sudoPassword}
	for _, h := range lab.Hosts() {
		h.Must("sh", "-c", ": >/etc/sudoers.d/lab")
	}
	wantText(t, d.must(5, "doctor", "test-1"), "test-1", "doctor --sudoers")
	rules := map[*real.Host]string{}
	for _, h := range lab.Hosts() {
		rules[h] = d.must(0, "doctor", "--sudoers", "--playbook", "playbook.yaml", h.Name).out
		allow(h, rules[h])
	}
	if got := rules[last]; !strings.Contains(got, "/usr/local/bin/note drain\n") || strings.Contains(rules[first], "note") {
		t.Fatalf("the rules are not those of the hosts:\n%s\n%s", rules[first], got)
	}
	wantDenied(t, last, "/usr/local/bin/note enable", "/usr/local/bin/note drain more", "/usr/bin/id", "/usr/local/bin/note")

	d.must(0, "doctor")
	d.must(0, "detect")
	d.run(0)
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Plain, real.Daemon)
		wantUnlocked(t, h)
		if h.Boots() != 2 {
			t.Errorf("%s booted %d times, want 2", h.Name, h.Boots())
		}
	}
	wantNotes(t, last, "0 drain test-2\n0 en:able,x=* test-2\n")
	d.must(10, "rollback", d.rollout(), "--reason", "TICKET-9", "--yes")
	for _, h := range lab.Hosts() {
		wantVersion(t, h, real.Plain, "1.0")
	}
	t.Run("MissingRule", func(t *testing.T) { missingRule(t, d.of(t), last, rules[last]) })
	t.Run("WithoutRoot", func(t *testing.T) { withoutRoot(t, d.of(t), first) })
}

// allow puts a file there as its user would: checked, and whole.
func allow(h *real.Host, text string) {
	h.Must("sh", "-eu", "-c", `printf %s "$1" >/root/rules; visudo -cf /root/rules; install -m 440 /root/rules /etc/sudoers.d/patchring`, "sh", text)
}

// wantDenied asks sudo itself, as the user.
func wantDenied(t *testing.T, h *real.Host, commands ...string) {
	t.Helper()
	for _, command := range commands {
		if out, err := h.Exec("su", "-s", "/bin/sh", real.User, "-c", "sudo -n -- "+command); err == nil {
			t.Errorf("%s may be run as root: %s", command, out)
		}
	}
	h.Must("su", "-s", "/bin/sh", real.User, "-c", "cd /; sudo -n -l -- /usr/local/bin/note drain")
}

func wantNotes(t *testing.T, h *real.Host, want string) {
	t.Helper()
	if got := h.Must("cat", "/root/notes"); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("the hook noted %q, want %q", got, want)
	}
}

// missingRule takes one rule away after the other.
func missingRule(t *testing.T, d *desk, h *real.Host, rules string) {
	t.Helper()
	before, after, found := strings.Cut(rules, real.User+" ALL=(root) NOPASSWD: /usr/local/bin/note drain\n")
	if !found {
		t.Fatalf("no such rule in\n%s", rules)
	}
	allow(h, before+after)
	d.write("playbook.yaml", strings.NewReplacer("hosts: test,", "hosts: "+h.Name+",", "always", "never").Replace(leastRights))
	wantText(t, d.run(4), h.Name, "take-note failed", "a password is required")
	wantVersion(t, h, real.Plain, "1.0")
	allow(h, strings.Replace(rules, real.User+" ALL=(root) /bin/sh, /usr/bin/sh\n", "", 1))
	wantText(t, d.must(5, "doctor", h.Name, "--json"), h.Name, "sudo", "not allowed", "patchring doctor --sudoers")
}

// withoutRoot looks as a plain user at a host whose admin has closed a list of sources.
func withoutRoot(t *testing.T, d *desk, h *real.Host) {
	t.Helper()
	path := filepath.Join(d.dir, "inventory.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d.write("inventory.yaml", strings.Replace(string(text), "become: sudo", "become: none", 1))
	open := d.must(0, "detect", "--limit", h.Name, "--json")
	wantText(t, open, "looked without root", `"known": true`, "/var/lib/patchring can't be entered")
	h.Must("sh", "-c", "chmod 600 /etc/apt/sources.list.d/* /etc/apt/sources.list; chmod 700 /var/lib/dpkg/updates")
	closed := d.must(7, "detect", "--limit", h.Name, "--json")
	wantText(t, closed, `"known": false`, "updates may be missing here", "whether the package manager is in order is not known")
	h.Must("sh", "-c", "chmod 644 /etc/apt/sources.list.d/* /etc/apt/sources.list; chmod 755 /var/lib/dpkg/updates")
}
