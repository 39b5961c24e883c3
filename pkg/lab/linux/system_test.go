package linux_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/posix"
)

func TestSystemWords(t *testing.T) {
	conf := linux.Config{
		Services: []linux.Service{{Name: "app", Listen: []int{8080}, UDP: []int{514}}, {Name: "old", State: "failed"}, {Name: "off", State: "inactive"}},
		Mounts:   []linux.Mount{{Point: "/data", Source: "/dev/vdb", Type: "xfs", Size: 1000, Used: 400}},
	}
	for line, want := range map[string]result{
		"systemctl is-active app off nothing; echo $?":                       {"active\ninactive\ninactive\n3\n", "", 0},
		"systemctl is-system-running; echo $?":                               {"degraded\n1\n", "", 0},
		"systemctl list-units --state=failed --no-legend --no-pager --plain": {"old.service loaded failed failed  old (simulated)\n", "", 0},
		"systemctl show -p ActiveState -p LoadState app nothing":             {"ActiveState=active\nLoadState=loaded\n\nActiveState=inactive\nLoadState=not-found\n", "", 0},
		"systemctl restart nothing":                                          {"", "Failed to restart nothing.service: Unit nothing.service not found.\n", 5},
		"systemctl stop app; systemctl is-active app; ss -Hltn | grep 8080":  {"inactive\n", "", 1},
		"systemctl show -p Unheard app":                                      {"", "lab: systemctl show: property Unheard is not simulated\n", posix.Usage},
		"ss -H -l -t -n":                                                     {"LISTEN 0      511    0.0.0.0:22           0.0.0.0:*           \nLISTEN 0      511    [::]:22              [::]:*              \nLISTEN 0      511    0.0.0.0:8080         0.0.0.0:*           \nLISTEN 0      511    [::]:8080            [::]:*              \n", "", 0},
		"ss -l -t -u -n | grep -c -E '^(Netid|udp|tcp) '":                    {"6\n", "", 0},
		"ss -tan":                     {"", "lab: ss: option -tan is not simulated\nlab: ss is only simulated with -l and -n\n", posix.Usage},
		"df -P -k /data /root":        {"Filesystem 1024-blocks    Used Available Capacity Mounted on\n/dev/vdb          1000     400       600      40% /data\n/dev/vda1     20509264 4103012  16406252      21% /\n", "", 0},
		"grep ' /data ' /proc/mounts": {"/dev/vdb /data xfs rw,relatime 0 0\n", "", 0},
		"ip route show default; ip -6 route show default":                   {"default via 10.0.0.1 dev eth0 proto static \n", "", 0},
		"timedatectl show -p NTPSynchronized --value":                       {"yes\n", "", 0},
		"systemd-detect-virt; systemd-detect-virt -c":                       {"kvm\nnone\n", "", 1},
		"uname -srm; hostname; nproc; cat /proc/loadavg | cut -d' ' -f1":    {"Linux 6.1.0-37-amd64 x86_64\nh\n2\n0.08\n", "", 0},
		"curl -q -g -s -S -i -k --max-time 2 --url http://127.0.0.1:8080/x": {"HTTP/1.1 200 OK\r\nServer: simulated\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n", "", 0},
		"curl -s -S http://127.0.0.1:81/":                                   {"", "curl: (7) Failed to connect to 127.0.0.1 port 81 after 0 ms: Couldn't connect to server\n", 7},
		"nc -z -w 2 localhost 8080; nc -z -w 2 127.0.0.1 81":                {"", "", 1},
		"systemd-inhibit --what=shutdown --who=x --why=y sh -c 'exit 4'":    {"", "", 4},
		"apt-get autopurge":      {"", "lab: apt-get autopurge is not simulated\n", posix.Usage},
		"apt-cache depends bash": {"", "lab: apt-cache depends is not simulated\n", posix.Usage},
		"dnf check-update":       {"", "dnf: not found\n", 127},
		"cat /etc/os-release | grep ^ID=; cat /var/run/nothing || echo absent": {"ID=debian\nabsent\n", "cat: /var/run/nothing: No such file or directory\n", 0},
	} {
		t.Run(line, func(t *testing.T) {
			m, _ := boot(t, conf)
			if got := root(t, m, line); got != want {
				t.Errorf("got  %d %q %q\nwant %d %q %q", got.code, got.out, got.errs, want.code, want.out, want.errs)
			}
		})
	}
}

func TestOtherHosts(t *testing.T) {
	for name, c := range map[string]struct {
		conf linux.Config
		line string
		want string
	}{
		"container":  {linux.Config{Container: "lxc"}, "systemd-detect-virt -c; cat /run/systemd/container", "lxc\nlxc\n"},
		"no systemd": {linux.Config{NoSystemd: true}, "command -v systemctl || echo none; [ -d /run/systemd/system ] || echo off; cat /proc/1/comm", "none\noff\ninit\n"},
		"unsynced":   {linux.Config{Unsynced: true}, "timedatectl show -p NTPSynchronized --value", "no\n"},
		"loaded":     {linux.Config{Load: "9.5 9.0 8.0 3/120 99"}, "cat /proc/loadavg", "9.5 9.0 8.0 3/120 99\n"},
		"full /boot": {linux.Config{Faults: linux.Faults{FullDisk: "/boot"}}, "df -P -k /boot | grep -c ' 0     100%'; echo x >/boot/x; echo y >/root/y && echo rest", "1\nrest\n"},
		"full disk":  {linux.Config{Faults: linux.Faults{FullDisk: "/"}}, "mkdir /var/lib/patchring || echo refused; echo x >/run/x && echo run", "refused\nrun\n"},
		"arm":        {linux.Config{Arch: "arm64"}, "uname -m; dpkg --print-architecture; uname -r", "aarch64\narm64\n6.1.0-37-arm64\n"},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := boot(t, c.conf)
			if got := root(t, m, c.line); got.out != c.want {
				t.Errorf("got %+v, want %q", got, c.want)
			}
		})
	}
}

func TestHostile(t *testing.T) {
	m, _ := boot(t, linux.Config{Faults: linux.Faults{Hostile: true}})
	r := root(t, m, "uname -r")
	if len(r.out) < 1<<20 || !strings.Contains(r.out, "\x1b[2J") || !strings.Contains(r.out, "6.1.0-37") {
		t.Errorf("%d bytes", len(r.out))
	}
}

func TestRefusedConfig(t *testing.T) {
	for _, conf := range []linux.Config{{OS: "windows-95"}, {OS: "debian-12", Sudo: "maybe"}} {
		if _, err := linux.New(conf, &switches{}); err == nil {
			t.Errorf("%+v was taken", conf)
		}
	}
}

// TestToolsExist: each tool that is promised is a program on the host, and knows
// what it does with an option that nobody has.
func TestToolsExist(t *testing.T) {
	for _, os := range linux.OSNames() {
		m, _ := boot(t, linux.Config{OS: os})
		for _, tool := range linux.Tools(os) {
			if r := root(t, m, "command -v "+tool); r.code != 0 {
				t.Errorf("%s: no %s", os, tool)
			}
		}
	}
}

func FuzzCompare(f *testing.F) {
	for _, pair := range [][2]string{{"1.0~rc1", "1.0"}, {"1:0.1", "2"}, {"3.0.17-1~deb12u2", "3.0.17-1~deb12u10"}, {"", "0"}, {"5.14.0-503.el9", "5.14.0-70.el9"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := linux.Compare(a, b), linux.Compare(b, a)
		if cmp.Compare(x, 0) != -cmp.Compare(y, 0) {
			t.Errorf("%q and %q: %d one way, %d the other", a, b, x, y)
		}
		if linux.Compare(a, a) != 0 {
			t.Errorf("%q differs from itself", a)
		}
	})
}
