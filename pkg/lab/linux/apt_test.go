package linux_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/linux"
)

// The texts are those of apt 2.6.1 and dpkg 1.21.22 on Debian 12, recorded without a
// terminal, with the names replaced.
func TestAptWords(t *testing.T) {
	for name, c := range map[string]struct {
		conf linux.Config
		line string
		want result
	}{
		"simulated": {
			linux.Config{Repository: updates(), Held: []string{"tzdata"}},
			"apt-get -s -y -V install openssl=3.0.17-1~deb12u2",
			result{`Reading package lists...
Building dependency tree...
Reading state information...
The following additional packages will be installed:
   libssl3 (3.0.16-1~deb12u1 => 3.0.17-1~deb12u2)
The following packages will be upgraded:
   libssl3 (3.0.16-1~deb12u1 => 3.0.17-1~deb12u2)
   openssl (3.0.16-1~deb12u1 => 3.0.17-1~deb12u2)
2 upgraded, 0 newly installed, 0 to remove and 2 not upgraded.
Inst libssl3 [3.0.16-1~deb12u1] (3.0.17-1~deb12u2 Debian-Security:12/stable-security [amd64])
Inst openssl [3.0.16-1~deb12u1] (3.0.17-1~deb12u2 Debian-Security:12/stable-security [amd64])
Conf libssl3 (3.0.17-1~deb12u2 Debian-Security:12/stable-security [amd64])
Conf openssl (3.0.17-1~deb12u2 Debian-Security:12/stable-security [amd64])
`, "", 0},
		},
		"upgrade keeps back": {
			linux.Config{Repository: updates()[2:], Held: []string{"tzdata"}},
			"apt-get -s upgrade",
			result{`Reading package lists...
Building dependency tree...
Reading state information...
Calculating upgrade...
The following packages have been kept back:
  linux-image-amd64 tzdata
0 upgraded, 0 newly installed, 0 to remove and 2 not upgraded.
`, "", 0},
		},
		"upgrade with new": {
			linux.Config{Repository: updates()[3:]},
			"apt-get -s --with-new-pkgs upgrade | grep -E '^(Inst|[0-9]|  )'",
			result{`  linux-image-6.1.0-38-amd64
  linux-image-amd64
1 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
Inst linux-image-6.1.0-38-amd64 (6.1.147-1 Debian-Security:12/stable-security [amd64])
Inst linux-image-amd64 [6.1.140-1] (6.1.147-1 Debian-Security:12/stable-security [amd64])
`, "", 0},
		},
		"no such version": {
			linux.Config{}, "apt-get -qq -s install openssl=9",
			result{"", "E: Version '9' for 'openssl' was not found\n", 100},
		},
		"no such package": {
			linux.Config{}, "apt-get -qq -s install nosuch",
			result{"", "E: Unable to locate package nosuch\n", 100},
		},
		"held": {
			linux.Config{Repository: updates()[2:3], Held: []string{"tzdata"}}, "apt-get -y install tzdata=2025b-0+deb12u2 | tail -n 5",
			result{`The following held packages will be changed:
  tzdata
The following packages will be upgraded:
  tzdata
1 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.
`, "E: Held packages were changed and -y was used without --allow-change-held-packages.\n", 0},
		},
		"downgrade": {
			linux.Config{Repository: []linux.Package{{Name: "tzdata", Version: "2024a-0+deb12u1"}}}, "apt-get -s -y install tzdata=2024a-0+deb12u1 | tail -n 3",
			result{`The following packages will be DOWNGRADED:
  tzdata
0 upgraded, 0 newly installed, 1 downgraded, 0 to remove and 0 not upgraded.
`, "E: Packages were downgraded and -y was used without --allow-downgrades.\n", 0},
		},
		"nobody answers": {
			linux.Config{Repository: updates()[2:3]}, "apt-get install tzdata | tail -n 1",
			result{"Do you want to continue? [Y/n] Abort.\n", "", 0},
		},
		"unmet": {
			linux.Config{Repository: []linux.Package{{Name: "tzdata", Version: "2026a", Depends: []string{"gone"}}}}, "apt-get -s install tzdata=2026a | tail -n 3",
			result{"\nThe following packages have unmet dependencies:\n tzdata : Depends: gone but it is not installable\n", "E: Unable to correct problems, you have held broken packages.\n", 0},
		},
		"interrupted": {
			linux.Config{Faults: linux.Faults{Interrupted: true}}, "apt-get -qq -y install tzdata; ls /var/lib/dpkg/updates",
			result{"0001\n", "E: dpkg was interrupted, you must manually run 'sudo dpkg --configure -a' to correct the problem. \n", 0},
		},
		"full": {
			linux.Config{Repository: updates()[2:3], Faults: linux.Faults{FullDisk: "/"}}, "apt-get -qq -y install tzdata",
			result{"", "E: You don't have enough free space in /var/cache/apt/archives/.\n", 100},
		},
		"versions": {
			linux.Config{Held: []string{"bash"}}, `dpkg-query -W -f '${Package}\t${Architecture}\t${Version}\t${db:Status-Abbrev}|${db:Status-Status}\n' -- bash 'libssl*' nosuch`,
			result{"bash\tamd64\t5.2.15-2+b8\thi |installed\nlibssl3\tamd64\t3.0.16-1~deb12u1\tii |installed\n", "dpkg-query: no packages found matching nosuch\n", 1},
		},
		"holds": {
			linux.Config{Held: []string{"bash"}}, "apt-mark showhold; apt-mark hold tzdata; apt-mark unhold bash; apt-mark showhold",
			result{"bash\ntzdata set on hold.\nCanceled hold on bash.\ntzdata\n", "", 0},
		},
		"compare": {
			linux.Config{}, "dpkg --compare-versions 1.0~rc1 lt 1.0 && dpkg --compare-versions 1:0.1 gt 2.0 && dpkg --compare-versions 1.2-10 ge 1.2-9 && echo yes; dpkg --print-architecture",
			result{"yes\namd64\n", "", 0},
		},
		"locked": {
			linux.Config{Repository: updates()[2:3], Faults: linux.Faults{Locked: -1}}, "apt-get -qq -y install tzdata",
			result{"", "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 271 (unattended-upgr)\n" +
				"N: Be aware that removing the lock file is not a solution and may break your system.\n" +
				"E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n", 100},
		},
		"sizes": {
			linux.Config{Repository: updates()[2:3]}, "apt-get -qq --print-uris upgrade",
			result{"'http://deb.debian.example/debian/pool/main/t/tzdata/tzdata_2025b-0%2bdeb12u2_amd64.deb' tzdata_2025b-0+deb12u2_amd64.deb 296500 MD5Sum:89a438631ddf066b2ba144b13ca39a6e\n", "", 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := boot(t, c.conf)
			if got := root(t, m, c.line); got != c.want {
				t.Errorf("got  %d %s%s\nwant %d %s%s", got.code, got.out, got.errs, c.want.code, c.want.out, c.want.errs)
			}
		})
	}
}

func TestInstallOnce(t *testing.T) {
	m, power := boot(t, linux.Config{Repository: updates()})
	r := root(t, m, "apt-get -q -y install openssl=3.0.17-1~deb12u2")
	if r.code != 0 || !strings.Contains(r.out, "Unpacking openssl (3.0.17-1~deb12u2) over (3.0.16-1~deb12u1) ...\nSetting up openssl (3.0.17-1~deb12u2) ...\n") {
		t.Errorf("%+v", r)
	}
	r = root(t, m, "apt-get -q -y install openssl=3.0.17-1~deb12u2")
	if r.code != 0 || !strings.Contains(r.out, "openssl is already the newest version (3.0.17-1~deb12u2).") {
		t.Errorf("again: %+v", r)
	}
	e := m.Effects()
	if e.Times("openssl") != 1 || e.Times("libssl3") != 1 || len(e.Transactions) != 2 || len(power.orders) != 1 {
		t.Errorf("effects %+v, events %v", e, power.orders)
	}
}

func TestDownloadFirst(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates()[2:3], Faults: linux.Faults{Vanished: "tzdata"}})
	if r := root(t, m, "apt-get -qq -y -d install tzdata; ls /var/cache/apt/archives/*.deb"); r.out != "/var/cache/apt/archives/tzdata_2025b-0+deb12u2_amd64.deb\n" {
		t.Fatalf("%+v", r)
	}
	if len(m.Effects().Transactions) > 0 {
		t.Error("a download installed something")
	}
	root(t, m, "apt-get -qq -s install tzdata") // the version leaves the repository
	if r := root(t, m, "apt-get -qq -y install tzdata"); r.code != 0 {
		t.Errorf("what is in the cache was not used: %+v", r)
	}
}

func TestVanished(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates()[2:3], Faults: linux.Faults{Vanished: "tzdata"}})
	if r := root(t, m, "apt-get -qq -s install tzdata=2025b-0+deb12u2"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if r := root(t, m, "apt-get -qq -y install tzdata=2025b-0+deb12u2"); r.code != 100 || !strings.Contains(r.errs, "404  Not Found") {
		t.Errorf("%+v", r)
	}
	if r := root(t, m, "apt-get -qq update; apt-get -qq -y install tzdata=2025b-0+deb12u2"); r.code != 100 || !strings.Contains(r.errs, "was not found") {
		t.Errorf("%+v", r)
	}
	if m.Version("tzdata") != "2025b-0+deb12u1" {
		t.Error("something was installed")
	}
}

func TestPublish(t *testing.T) {
	m, _ := boot(t, linux.Config{})
	m.Publish(linux.Package{Name: "bash", Version: "5.3"})
	if r := root(t, m, "apt-get -qq -s upgrade; apt-get -qq update; apt-get -qq -s upgrade"); r.out != "Inst bash [5.2.15-2+b8] (5.3 Debian:12.11/stable [amd64])\nConf bash (5.3 Debian:12.11/stable [amd64])\n" {
		t.Errorf("%+v", r)
	}
}

func TestFailingPostinst(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates(), Faults: linux.Faults{FailingPostinst: "libssl3"}})
	r := root(t, m, "apt-get -q -y install openssl")
	if r.code != 100 || !strings.HasSuffix(r.errs, "Errors were encountered while processing:\n libssl3\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n") {
		t.Errorf("%+v", r)
	}
	r = root(t, m, "dpkg --audit; dpkg-query -W -f '${db:Status-Abbrev}' libssl3; dpkg --configure -a >/dev/null 2>&1; echo $?")
	if !strings.Contains(r.out, "half configured") || !strings.HasSuffix(r.out, "iF 1\n") {
		t.Errorf("%+v", r)
	}
}

func TestConffile(t *testing.T) {
	for options, code := range map[string]int{
		"":                                    100,
		"-o Dpkg::Options::=--force-confdef ": 100,
		"-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold ": 0,
	} {
		m, _ := boot(t, linux.Config{
			Installed:  []linux.Package{{Name: "app", Version: "1", Conffile: "/etc/app.conf"}},
			Repository: []linux.Package{{Name: "app", Version: "2", Conffile: "/etc/app.conf"}},
		})
		r := root(t, m, "DEBIAN_FRONTEND=noninteractive apt-get -q -y "+options+"install app")
		if r.code != code || !strings.Contains(r.out, "Configuration file '/etc/app.conf'") {
			t.Errorf("%q: %+v", options, r)
		}
		if r := root(t, m, "cat /etc/app.conf; ls /etc/app.conf.dpkg-dist"); r.out != "# changed by the admin\n/etc/app.conf.dpkg-dist\n" {
			t.Errorf("%q: %+v", options, r)
		}
	}
}

func TestPowerCutInTransaction(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates(), Pace: 20 * time.Millisecond})
	root(t, m, "systemd-run --quiet --unit=job apt-get -q -y install openssl")
	root(t, m, "while [ ! -f /var/cache/apt/archives/openssl_3.0.17-1~deb12u2_amd64.deb ]; do sleep 0.001; done")
	m.Halt()
	m.Boot(t.Context())
	r := root(t, m, "apt-get -qq -y install tzdata; dpkg --audit | head -n 1; dpkg --configure -a; apt-get -qq -y install openssl >/dev/null; echo $?; dpkg --audit")
	if !strings.Contains(r.errs, "dpkg was interrupted") || !strings.Contains(r.out, "half configured") || !strings.HasSuffix(r.out, "\n0\n") {
		t.Errorf("%+v", r)
	}
}

// TestLocks: who holds the package manager can be seen, and waited for.
func TestLocks(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates(), Pace: 10 * time.Millisecond, Faults: linux.Faults{Locked: 60 * time.Millisecond}})
	holder := `i=$(ls -i /var/lib/dpkg/lock-frontend); grep -F ":${i%% *} " /proc/locks | while read -r _ _ _ _ p _; do cat /proc/$p/comm; ls -l /proc/$p/fd | grep -c lock-frontend; done`
	if r := root(t, m, holder); r.out != "unattended-upgr\n1\n" {
		t.Errorf("%+v", r)
	}
	if r := root(t, m, "apt-get -qq -y -o DPkg::Lock::Timeout=20 install tzdata && cat /proc/locks"); r.code != 0 || strings.Contains(r.out, "POSIX") {
		t.Errorf("%+v", r)
	}
	r := root(t, m, "systemd-run --quiet --unit=job apt-get -y install linux-image-amd64; while ! grep -q POSIX /proc/locks; do sleep 0.001; done; "+holder+"; apt-get -qq -y install openssl; echo $?")
	if !strings.HasPrefix(r.out, "apt-get\n1\n") || !strings.HasSuffix(r.out, "100\n") {
		t.Errorf("%+v", r)
	}
}

func TestUnhealthyAfter(t *testing.T) {
	web := linux.Package{Name: "nginx", Version: "1", Service: "nginx", Listen: []int{80}}
	next := web
	next.Version = "2"
	m, _ := boot(t, linux.Config{Installed: []linux.Package{web}, Repository: []linux.Package{next}, Faults: linux.Faults{UnhealthyAfter: "nginx"}})
	look := "systemctl is-active nginx; systemctl list-units --state=failed --no-legend --plain; ss -Hltn | grep -c ':80 '; curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/"
	if r := root(t, m, look); r.out != "active\n2\n200" {
		t.Errorf("before: %+v", r)
	}
	root(t, m, "apt-get -qq -y install nginx; systemctl restart nginx")
	sick := "failed\nnginx.service loaded failed failed  nginx (simulated)\n0\n000"
	if r := root(t, m, look); r.out != sick {
		t.Errorf("after: %+v", r)
	}
	m.Halt()
	m.Boot(t.Context())
	if r := root(t, m, look); r.out != sick {
		t.Errorf("after a reboot: %+v", r)
	}
}
