package linux_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/posix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// switches notes what a host asks of its surroundings.
type switches struct {
	mu     sync.Mutex
	orders []string
}

func (s *switches) Reboot(off bool) { s.Event(map[bool]string{true: "off", false: "reboot"}[off]) }

func (s *switches) Event(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, what)
}

// boot makes a host and switches it on.
func boot(t *testing.T, conf linux.Config) (*linux.Machine, *switches) {
	t.Helper()
	conf.Name = "h"
	if conf.OS == "" {
		conf.OS = "debian-12"
	}
	power := &switches{}
	m, err := linux.New(conf, power)
	if err != nil {
		t.Fatal(err)
	}
	m.Boot(t.Context())
	t.Cleanup(m.Halt)
	return m, power
}

type result struct {
	out, errs string
	code      int
}

// at runs a line as root, or as the user.
func at(t *testing.T, m *linux.Machine, root bool, line string) result {
	t.Helper()
	p := m.Login()
	if root {
		p = m.Console()
	}
	return in(t, m, p, line, "")
}

func in(t *testing.T, m *linux.Machine, p *posix.Proc, line, stdin string) result {
	t.Helper()
	var out, errs bytes.Buffer
	p.In, p.Out, p.Err = bytes.NewBufferString(stdin), &out, &errs
	code := m.Run(t.Context(), p, []string{"/bin/sh", "-c", line})
	return result{out.String(), errs.String(), code}
}

func root(t *testing.T, m *linux.Machine, line string) result {
	t.Helper()
	return at(t, m, true, line)
}

func updates() []linux.Package {
	return []linux.Package{
		{Name: "openssl", Version: "3.0.17-1~deb12u2", Suite: "security", Depends: []string{"libssl3=3.0.17-1~deb12u2"}, Size: 1430128},
		{Name: "libssl3", Version: "3.0.17-1~deb12u2", Suite: "security", Size: 2022948},
		{Name: "tzdata", Version: "2025b-0+deb12u2", Suite: "updates", Size: 296500},
		{Name: "linux-image-amd64", Version: "6.1.147-1", Suite: "security", Depends: []string{"linux-image-6.1.0-38-amd64"}, Size: 1484},
		{Name: "linux-image-6.1.0-38-amd64", Version: "6.1.147-1", Suite: "security", Kernel: "6.1.0-38-amd64", Size: 69210812},
	}
}

func TestRebootKeepsAndLoses(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates()})
	before, kernel := m.BootID(), m.Kernel()
	r := root(t, m, "apt-get -q -y install linux-image-amd64 && touch /run/x /tmp/y /root/z && ls /run/reboot-required && uname -r")
	if r.code != 0 || m.Kernel() != kernel {
		t.Fatalf("%+v, kernel %s", r, m.Kernel())
	}
	m.Halt()
	if r := root(t, m, "echo still running"); r.code != 137 {
		t.Errorf("a host that is off ran it: %+v", r)
	}
	m.Boot(t.Context())
	if m.BootID() == before || m.Kernel() != "6.1.0-38-amd64" {
		t.Errorf("boot id %s, kernel %s", m.BootID(), m.Kernel())
	}
	r = root(t, m, "ls /run/x; ls /tmp/y; ls /run/reboot-required; ls /root/z; cat /proc/sys/kernel/random/boot_id; uname -r; cut -d. -f1 /proc/uptime")
	if want := "/root/z\n" + m.BootID() + "\n6.1.0-38-amd64\n0\n"; r.out != want {
		t.Errorf("after the boot: %q, want %q", r.out, want)
	}
	if e := m.Effects(); e.Reboots != 1 || e.Times("linux-image-amd64") != 1 {
		t.Errorf("effects %+v", e)
	}
}

// TestDetached: what was started with systemd-run, setsid or & outlives who did it,
// and ends with the host.
func TestDetached(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]string{
		"systemd-run": "systemd-run --quiet --unit=job -p KillMode=process sh -c 'sleep 0.05; echo done >/root/rc'",
		"setsid":      "setsid sh -c 'sleep 0.05; echo done >/root/rc' </dev/null >/dev/null 2>&1 &",
		"background":  "sh -c 'sleep 0.05; echo done >/root/rc' </dev/null >/dev/null 2>&1 &",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := boot(t, linux.Config{})
			if r := root(t, m, start); r.code != 0 {
				t.Fatalf("%+v", r)
			}
			if r := root(t, m, "while [ ! -f /root/rc ]; do sleep 0.01; done; cat /root/rc"); r.out != "done\n" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestSystemdRun(t *testing.T) {
	m, _ := boot(t, linux.Config{})
	r := root(t, m, `systemd-run --unit=job sh -c 'sleep 30'
systemctl is-active job.service
systemd-run --unit=job true; echo $?
systemctl show -p ActiveState,SubState --value job
systemd-run --on-active=60 --timer-property=AccuracySec=100ms --unit=later true
systemctl is-active later.timer
systemctl is-active --quiet nothing; echo $?
systemd-run nosuch; echo $?`)
	want := "active\n1\nactive\nrunning\nactive\n3\n1\n"
	if r.out != want {
		t.Errorf("%q, want %q; %s", r.out, want, r.errs)
	}
	if e := m.Effects(); e.Jobs != 2 {
		t.Errorf("%d jobs", e.Jobs)
	}
}

func TestHaltEndsEverything(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates(), Pace: time.Hour})
	if r := root(t, m, "systemd-run --quiet --unit=job apt-get -y install tzdata; setsid sleep 3600 & sleep 3600 &"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	m.Halt() // hangs if it doesn't
	if got := m.Version("tzdata"); got != "2025b-0+deb12u1" {
		t.Errorf("tzdata is %s", got)
	}
}

func TestSudo(t *testing.T) {
	for name, c := range map[string]struct {
		rule, line, stdin string
		want              result
	}{
		"no password":       {"nopasswd", "sudo -n id -u", "", result{"0\n", "", 0}},
		"password missing":  {"password", "sudo -n id -u", "", result{"", "sudo: a password is required\n", 1}},
		"password right":    {"password", "sudo -S -p NONCE -- sh -c 'id -u; cat'", "pw\nrest\n", result{"0\nrest\n", "NONCE", 0}},
		"password wrong":    {"password", "sudo -S -p '' id", "bad\n", result{"", "Sorry, try again.\n\nsudo: no password was provided\nsudo: 1 incorrect password attempt\n", 1}},
		"nothing given":     {"password", "sudo -S -p '' id", "", result{"", "\nsudo: no password was provided\nsudo: a password is required\n", 1}},
		"three wrong":       {"password", "sudo -S -p '' id", "a\nb\nc\n", result{"", "Sorry, try again.\nSorry, try again.\nsudo: 3 incorrect password attempts\n", 1}},
		"not in sudoers":    {"none", "sudo -S -p '' id", "pw\n", result{"", "patch is not in the sudoers file.\n", 1}},
		"no rule, no input": {"none", "sudo -n id", "", result{"", "sudo: a password is required\n", 1}},
		"absent command":    {"nopasswd", "sudo -n nosuch", "", result{"", "sudo: nosuch: command not found\n", 1}},
		"su":                {"none", `su -s /bin/sh -c 'id -u; read -r x; echo "$x"' root`, "pw\nmore\n", result{"0\nmore\n", "Password: ", 0}},
		"su wrong":          {"none", "su -c id root", "bad\n", result{"", "Password: su: Authentication failure\n", 1}},
		"doas":              {"nopasswd", "doas -n -- id -u", "", result{"0\n", "", 0}},
		"environment":       {"nopasswd", "export LC_ALL=C SECRET=x; sudo -n env | grep -E '^(LC_ALL|SECRET|HOME)='", "", result{"HOME=/root\nLC_ALL=C\n", "", 0}},
		"sbin only as root": {"nopasswd", "command -v reboot || echo hidden; sudo -n sh -c 'command -v reboot'", "", result{"hidden\n/usr/sbin/reboot\n", "", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := boot(t, linux.Config{Sudo: c.rule, Password: "pw"})
			if got := in(t, m, m.Login(), c.line, c.stdin); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestOnlyRoot(t *testing.T) {
	m, power := boot(t, linux.Config{Repository: updates()})
	for _, line := range []string{
		"apt-get update", "apt-get -y install openssl", "apt-get clean", "apt-mark hold openssl", "dpkg --configure -a", "systemctl restart ssh",
		"/usr/sbin/reboot", "/usr/sbin/shutdown -r now", "systemd-run true", "mkdir /var/lib/patchring", "echo x >/etc/x", "systemctl reboot",
	} {
		if r := at(t, m, false, line); r.code == 0 || r.errs == "" {
			t.Errorf("%s as user: %+v", line, r)
		}
	}
	if len(power.orders) > 0 || len(m.Effects().Transactions) > 0 {
		t.Errorf("a user did %v, %v", power.orders, m.Effects().Transactions)
	}
}

func TestPower(t *testing.T) {
	for line, want := range map[string]string{
		"reboot": "reboot", "systemctl reboot": "reboot", "shutdown -r now": "reboot", "shutdown -h now": "off", "poweroff": "off", "systemctl poweroff": "off",
		"reboot -f": "reboot",
	} {
		m, power := boot(t, linux.Config{})
		r := root(t, m, line)
		if r.code != 0 || len(power.orders) != 1 || power.orders[0] != want {
			t.Errorf("%s: %+v, %v", line, r, power.orders)
		}
	}
}
