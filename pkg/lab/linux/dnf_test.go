package linux_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/linux"
)

func rocky(more linux.Config) linux.Config {
	more.OS = "rocky-9"
	more.Repository = []linux.Package{
		{Name: "openssl", Version: "1:3.2.2-6.el9_5.1", Suite: "security", Severity: "Important", Advisory: "RLSA-2026:1330", CVEs: []string{"CVE-2026-1"}, Depends: []string{"openssl-libs=1:3.2.2-6.el9_5.1"}, Size: 6434},
		{Name: "openssl-libs", Version: "1:3.2.2-6.el9_5.1", Suite: "security", Severity: "Important", Advisory: "RLSA-2026:1330", Size: 2412300},
		{Name: "tzdata", Version: "2025c-1.el9", Size: 859120},
		{Name: "kernel-core", Version: "5.14.0-503.21.1.el9_5", Suite: "security", Severity: "Moderate", Advisory: "RLSA-2026:1740", Kernel: "5.14.0-503.21.1.el9_5.x86_64", Size: 18420112},
	}
	return more
}

// The texts are in the form of dnf 4.14 and rpm 4.18, as recorded.
func TestDnfWords(t *testing.T) {
	const bar = "================================================================================\n"
	for name, c := range map[string]struct {
		conf linux.Config
		line string
		want result
	}{
		"check-update": {rocky(linux.Config{Held: []string{"tzdata"}}), "dnf -q -C --setopt=exit_on_lock=True check-update", result{`
kernel-core.x86_64  5.14.0-503.21.1.el9_5 baseos
openssl.x86_64      1:3.2.2-6.el9_5.1     baseos
openssl-libs.x86_64 1:3.2.2-6.el9_5.1     baseos
`, "", 100}},
		"nothing to update": {linux.Config{OS: "rocky-9"}, "dnf -q check-update; echo $?", result{"0\n", "", 0}},
		"advisories": {rocky(linux.Config{}), "dnf -q -C updateinfo list --updates", result{`RLSA-2026:1740 Moderate/Sec.  kernel-core-5.14.0-503.21.1.el9_5.x86_64
RLSA-2026:1330 Important/Sec. openssl-1:3.2.2-6.el9_5.1.x86_64
RLSA-2026:1330 Important/Sec. openssl-libs-1:3.2.2-6.el9_5.1.x86_64
`, "", 0}},
		"cves":  {rocky(linux.Config{}), "dnf -q -C updateinfo list --updates --with-cve", result{"CVE-2026-1 Important/Sec. openssl-1:3.2.2-6.el9_5.1.x86_64\n", "", 0}},
		"sizes": {rocky(linux.Config{}), `dnf -q -C repoquery --upgrades --qf '%{name}\t%{epoch}:%{version}-%{release}\t%{arch}\t%{downloadsize}\n' | grep tzdata`, result{"tzdata\t0:2025c-1.el9\tx86_64\t859120\n", "", 0}},
		"plan": {rocky(linux.Config{}), "dnf -C --assumeno install openssl-1:3.2.2-6.el9_5.1.x86_64 | grep -v expiration", result{`Dependencies resolved.
` + bar + ` Package       Architecture  Version            Repository    Size
` + bar + `Upgrading:
 openssl-libs  x86_64        1:3.2.2-6.el9_5.1  baseos       2.3 M
 openssl       x86_64        1:3.2.2-6.el9_5.1  baseos       6.3 k

Transaction Summary
` + bar + `Upgrade   2 Packages

Total download size: 2.3 M
`, "Operation aborted.\n", 0}},
		"vanished": {rocky(linux.Config{}), "dnf -q -y install openssl-9-1.x86_64", result{"", "Error: Unable to find a match: openssl-9-1.x86_64\n", 1}},
		"present":  {rocky(linux.Config{}), "dnf -y install bash | tail -n 4", result{"Package bash-5.1.8-9.el9.x86_64 is already installed.\nDependencies resolved.\nNothing to do.\nComplete!\n", "", 0}},
		"versions": {rocky(linux.Config{}), `rpm -q --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\tinstalled\n' openssl bash nope`, result{"openssl\tx86_64\t1:3.2.2-6.el9_5\tinstalled\nbash\tx86_64\t5.1.8-9.el9\tinstalled\npackage nope is not installed\n", "", 1}},
		"arch":     {rocky(linux.Config{Arch: "arm64"}), "rpm --eval '%{_arch}'; uname -m; rpm -q bash", result{"aarch64\naarch64\nbash-5.1.8-9.el9.aarch64\n", "", 0}},
		"repos":    {rocky(linux.Config{}), "dnf -q repolist --enabled; ls -1 /var/cache/dnf | head -n 2", result{"repo id     repo name\nappstream   Rocky Linux 9 - AppStream\nbaseos      Rocky Linux 9 - BaseOS\nappstream-0a1b2c3d4e5f6071\nappstream-filenames.solvx\n", "", 0}},
		"locks":    {rocky(linux.Config{Held: []string{"openssl"}}), "cat /etc/dnf/plugins/versionlock.list", result{"openssl-1:3.2.2-6.el9_5.*\n", "", 0}},
		"locked":   {rocky(linux.Config{Faults: linux.Faults{Locked: -1}}), "dnf -q -y --setopt=exit_on_lock=True install tzdata", result{"", "Error: Failed to obtain the transaction lock (logged in as: root).\n", 1}},
		"as user":  {rocky(linux.Config{}), "sudo -n true; dnf -q -y install tzdata", result{"", "Error: This command has to be run with superuser privileges (under the root user on most systems).\n", 1}},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := boot(t, c.conf)
			if got := at(t, m, name != "as user", c.line); got != c.want {
				t.Errorf("got  %d %s%s\nwant %d %s%s", got.code, got.out, got.errs, c.want.code, c.want.out, c.want.errs)
			}
		})
	}
}

func TestDnfKernel(t *testing.T) {
	m, _ := boot(t, rocky(linux.Config{}))
	r := root(t, m, "needs-restarting -r; echo $?; dnf -q -y install kernel-core-5.14.0-503.21.1.el9_5.x86_64; needs-restarting -r; echo $?; rpm -q kernel-core; uname -r")
	if !strings.HasPrefix(r.out, "No core libraries or services have been updated since boot-up.\nReboot should not be necessary.\n0\n") ||
		!strings.HasSuffix(r.out, "1\nkernel-core-5.14.0-503.14.1.el9_5.x86_64\nkernel-core-5.14.0-503.21.1.el9_5.x86_64\n5.14.0-503.14.1.el9_5.x86_64\n") {
		t.Errorf("%+v", r)
	}
	m.Halt()
	m.Boot(t.Context())
	if r := root(t, m, "needs-restarting -r >/dev/null; echo $?; uname -r; ls /boot | grep -c vmlinuz; dnf -q check-update | grep -c kernel"); r.out != "0\n5.14.0-503.21.1.el9_5.x86_64\n2\n0\n" {
		t.Errorf("%+v", r)
	}
	if e := m.Effects(); e.Times("kernel-core") != 1 {
		t.Errorf("%+v", e)
	}
}

// TestScriptletIsNoError: RPM goes on after a failing %post, with status 0.
func TestScriptletIsNoError(t *testing.T) {
	m, _ := boot(t, rocky(linux.Config{Faults: linux.Faults{FailingPostinst: "tzdata"}}))
	r := root(t, m, "dnf -y install tzdata")
	if r.code != 0 || !strings.Contains(r.out, "warning: %post(tzdata-2025c-1.el9.x86_64) scriptlet failed, exit status 1") || m.Version("tzdata") != "2025c-1.el9" {
		t.Errorf("%+v", r)
	}
}

// TestDnfFiles: what is staged stays though the repository loses it, files are installed by
// their paths, and the way back takes a version down and a package away in one transaction.
func TestDnfFiles(t *testing.T) {
	conf := rocky(linux.Config{})
	conf.Installed = []linux.Package{{Name: "pr-plain", Version: "1.0-1"}}
	conf.Repository = []linux.Package{{Name: "pr-plain", Version: "2.0-1", Depends: []string{"pr-dep"}}, {Name: "pr-dep", Version: "1:2.0-1"}}
	m, _ := boot(t, conf)
	for _, step := range []struct{ line, want string }{
		{"dnf -q -C repoquery --showduplicates --qf '%{name}\\t%{arch}\\t%{epoch}:%{version}-%{release}\\t%{repoid}\\n' pr-plain | grep .", "pr-plain\tx86_64\t0:1.0-1\tbaseos\npr-plain\tx86_64\t0:2.0-1\tbaseos\n"},
		{"mkdir /kept; dnf -q download --destdir /kept pr-plain-1.0-1.x86_64; ls -1 /kept", "pr-plain-1.0-1.x86_64.rpm\n"},
		{"dnf -q -y --setopt=keepcache=True --downloadonly install pr-plain-2.0-1.x86_64 pr-dep-1:2.0-1.x86_64; ls -1 /var/cache/dnf/baseos-0a1b2c3d4e5f6071/packages", "pr-dep-2.0-1.x86_64.rpm\npr-plain-2.0-1.x86_64.rpm\n"},
		{"rpm -q -p --nosignature --qf '%{NAME} %{VERSION} %{ARCH}\\n' /kept/pr-plain-1.0-1.x86_64.rpm", "pr-plain 1.0 x86_64\n"},
		{"cp /var/cache/dnf/baseos-0a1b2c3d4e5f6071/packages/pr-dep-2.0-1.x86_64.rpm /dep.rpm; dnf -q -y install /var/cache/dnf/baseos-0a1b2c3d4e5f6071/packages/pr-dep-2.0-1.x86_64.rpm pr-plain-2.0-1.x86_64; rpm -q pr-plain pr-dep", "pr-plain-2.0-1.x86_64\npr-dep-2.0-1.x86_64\n"},
		{"printf 'install /kept/pr-plain-1.0-1.x86_64.rpm\\nremove pr-dep.x86_64\\nrun\\nexit\\n' | dnf -q -y shell /dev/stdin; rpm -q pr-plain pr-dep", "pr-plain-1.0-1.x86_64\npackage pr-dep is not installed\n"},
		{"dnf -q download --destdir /kept pr-nope-1-1.x86_64 || echo failed", "failed\n"},
	} {
		if r := root(t, m, step.line); r.out != step.want {
			t.Fatalf("%s\ngot %q %s\nwant %q", step.line, r.out, r.errs, step.want)
		}
	}
}
