package linux_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/linux"
)

// TestReplacedLibraries: a service runs on the old library until it is restarted.
func TestReplacedLibraries(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates(), Services: []linux.Service{{Name: "app", Uses: []string{"libssl3"}}}})
	const deleted = "ls -1 /proc | grep -E '^[0-9]+$' | sed 's|^|/proc/|' | sed 's|$|/maps|' | xargs -r grep -l -s -E 'r-xp .* /usr/lib/libssl3.*deleted'"
	if r := root(t, m, deleted); r.out != "" {
		t.Errorf("before: %q", r.out)
	}
	if r := root(t, m, "apt-get -qq update; apt-get -qq -y install openssl libssl3"); r.code != 0 {
		t.Fatal(r)
	}
	r := root(t, m, deleted)
	if !strings.HasPrefix(r.out, "/proc/") || strings.Count(r.out, "\n") != 1 {
		t.Fatalf("after: %+v", r)
	}
	if c := root(t, m, "cat "+strings.TrimSuffix(strings.TrimSpace(r.out), "maps")+"cgroup"); c.out != "0::/system.slice/app.service\n" {
		t.Errorf("%+v", c)
	}
	root(t, m, "systemctl restart app")
	if r := root(t, m, deleted); r.out != "" || !slices.Equal(m.Effects().Restarts, []string{"app.service"}) {
		t.Errorf("restarted: %q %q", r.out, m.Effects().Restarts)
	}
}

func TestGrubStartsOnce(t *testing.T) {
	m, _ := boot(t, linux.Config{Grub: true, Repository: []linux.Package{{Name: "linux-image-6.1.0-38-amd64", Version: "6.1.147-1", Kernel: "6.1.0-38-amd64"}}})
	again := func() string {
		m.Halt()
		m.Boot(t.Context())
		return m.Kernel()
	}
	old := m.Kernel()
	root(t, m, "apt-get -qq update; apt-get -qq -y install linux-image-6.1.0-38-amd64")
	id := func(release string) string {
		r := root(t, m, "grep -o -E 'gnulinux-"+release+"-advanced-[0-9a-f-]+' /boot/grub/grub.cfg | head -n 1")
		return "gnulinux-advanced-x>" + strings.TrimSpace(r.out)
	}
	root(t, m, "grub-set-default '"+id(old)+"'; grub-reboot '"+id("6.1.0-38-amd64")+"'")
	if r := root(t, m, "grub-editenv list"); strings.Count(r.out, "_entry=gnulinux") != 2 {
		t.Errorf("%+v", r)
	}
	if got := again(); got != "6.1.0-38-amd64" {
		t.Errorf("%s runs", got)
	}
	if got := again(); got != old {
		t.Errorf("%s runs: once was enough", got)
	}
	root(t, m, "grub-editenv - unset saved_entry")
	if got := again(); got != "6.1.0-38-amd64" {
		t.Errorf("%s runs: the newest is the default", got)
	}
}

func TestRestartFaults(t *testing.T) {
	m, power := boot(t, linux.Config{Faults: linux.Faults{NeverGoesDown: true, BadSSHConfig: true, FailsRestart: "cron", DegradedAfterBoot: true}})
	for line, want := range map[string]int{"sshd -t": 255, "systemctl restart cron": 1, "systemctl reboot": 0, "systemd-inhibit --list --no-legend --no-pager | grep -q backup-agent": 0} {
		if r := root(t, m, line); r.code != want {
			t.Errorf("%s: %+v", line, r)
		}
	}
	if r := root(t, m, "systemctl is-active cron"); r.out != "failed\n" {
		t.Errorf("%+v", r)
	}
	if len(power.orders) > 0 {
		t.Errorf("it went down: %q", power.orders)
	}
	m.Halt()
	m.Boot(t.Context())
	if r := root(t, m, "systemctl is-system-running"); r.out != "degraded\n" {
		t.Errorf("%+v", r)
	}
}
