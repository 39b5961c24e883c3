package linux

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/version"
)

func TestAptSecurity(t *testing.T) {
	for origins, want := range map[string]patch.Tri{
		"Debian-Security:12/oldstable-security":                         patch.Yes,
		"Debian:12.15/oldstable, Debian-Security:12/oldstable-security": patch.Yes,
		"Debian:12.15/oldstable":                                        patch.No,
		"Debian Backports:bookworm-backports/stable-backports":          patch.No,
		"Debian:unstable":                                               patch.Unknown,
		"Debian:testing":                                                patch.Unknown,
		"Ubuntu:22.04/jammy-security":                                   patch.Yes,
		"Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security":       patch.Yes,
		"Ubuntu:22.04/jammy-updates":                                    patch.No,
		"UbuntuESMApps:22.04/jammy-apps-security":                       patch.Yes,
		"UbuntuESM:22.04/jammy-infra-updates":                           patch.No,
		"Docker CE:bookworm":                                            patch.Unknown,
		"Docker CE:bookworm, Debian:12.15/oldstable":                    patch.No,
		"Third, Party [x]:stable":                                       patch.Unknown,
		"Evil:1/stable-security":                                        patch.Unknown, // a suite's name proves nothing
		"localhost":                                                     patch.Unknown,
		"":                                                              patch.Unknown,
		"Raspbian:12/stable, Raspberry Pi Foundation:12/oldstable-security": patch.Unknown,
	} {
		if got := aptSecurity(origins); got != want {
			t.Errorf("%q: %v, want %v", origins, got, want)
		}
	}
}

func TestReadAptPlan(t *testing.T) {
	text := strings.Join([]string{
		"The following packages have been kept back:",
		"   linux-image-amd64 (6.1.1-1 => 6.1.2-1)",
		"The following upgrades have been deferred due to phasing:",
		"   tzdata (1 => 2)",
		"The following packages will be upgraded:",
		"   libc6 (2.36-9 => 2.36-10)",
		"Inst libc6 [2.36-9] (2.36-10 Debian:12.15/oldstable [amd64]) [libc6:i386 ]",
		"Inst libc6:i386 [2.36-9] (2.36-10 Debian:12.15/oldstable [i386]) []",
		"Inst local [1] (2 [all])",
		"Inst new (3 Debian:12.15/oldstable [all])",
		"Remv gone [1.0]",
		"Purg purged:i386 [1.0] [x ]",
		"Inst odd;rm [1] (2 X:y [all])",
		"Inst -o [1] (2 X:y [all])",
		"Conf libc6 (2.36-10 Debian:12.15/oldstable [amd64])",
	}, "\n")
	p := readAptPlan(text)
	var got []string
	for _, u := range p.changes {
		got = append(got, u.Key()+" "+u.From+" > "+u.To+" "+u.Origin)
	}
	want := []string{
		"libc6:amd64 2.36-9 > 2.36-10 Debian:12.15/oldstable", "libc6:i386 2.36-9 > 2.36-10 Debian:12.15/oldstable",
		"local:all 1 > 2 ", "new:all  > 3 Debian:12.15/oldstable",
	}
	if !slices.Equal(got, want) {
		t.Errorf("changes\n%q\nwant\n%q", got, want)
	}
	if !p.changes[3].Dependency || p.changes[0].Dependency {
		t.Error("what is new here is a dependency, what is upgraded is not")
	}
	if want := []string{"gone", "purged:i386"}; !slices.Equal(p.removes, want) {
		t.Errorf("removes %q, want %q", p.removes, want)
	}
	if len(p.kept) != 2 || p.kept[0].Update.Name != "linux-image-amd64" || !strings.Contains(p.kept[1].Detail, "phased") {
		t.Errorf("kept %+v", p.kept)
	}
	if len(p.odd) != 2 {
		t.Errorf("odd lines %q, want the two with names that are none", p.odd)
	}
}

func TestPolicy(t *testing.T) {
	indexes := readIndexes("Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n" +
		" 500 http://s x-security/main amd64 Packages\n     release v=12,o=Debian,a=oldstable-security,n=x,l=Debian-Security,c=main,b=amd64\n" +
		" 500 http://m x/main amd64 Packages\n     release v=12.15,o=Debian,a=oldstable,n=x,l=Debian,c=main,b=amd64\n     origin m\nPinned packages:\n")
	if indexes["http://s x-security/main amd64 Packages"] != patch.Yes || indexes["http://m x/main amd64 Packages"] != patch.No {
		t.Errorf("indexes %v", indexes)
	}
	table := readPolicy("p:\n  Installed: 1.0\n  Candidate: 1.3\n  Version table:\n     1.3 500 (phased 10%)\n        500 http://m x/main amd64 Packages\n" +
		"     1.2 500\n        500 http://s x-security/main amd64 Packages\n *** 1.0 500\n        500 http://m x/main amd64 Packages\n        100 /var/lib/dpkg/status\n")["p"]
	if len(table) != 3 {
		t.Fatalf("table %+v", table)
	}
	for _, tt := range []struct {
		from, to string
		want     bool
	}{{"1.0", "1.3", true}, {"1.0", "1.2", true}, {"1.2", "1.3", false}, {"1.0", "1.1", false}} {
		if got := fixesUnderway(patch.Update{From: tt.from, To: tt.to}, table, indexes); got != tt.want {
			t.Errorf("%s > %s: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestNewestKernel(t *testing.T) {
	tests := map[string]struct {
		running string
		files   []string
		order   func(a, b string) int
		want    string
	}{
		"Debian":        {"6.1.0-50-amd64", []string{"vmlinuz-6.1.0-50-amd64", "vmlinuz-6.1.0-56-amd64", "vmlinuz-6.1.0-9-amd64"}, version.Dpkg, "6.1.0-56-amd64"},
		"flavours":      {"6.1.0-50-cloud-amd64", []string{"vmlinuz-6.1.0-56-amd64", "vmlinuz-6.1.0-51-cloud-amd64"}, version.Dpkg, "6.1.0-51-cloud-amd64"},
		"Debian 13":     {"6.12.43+deb13-amd64", []string{"vmlinuz-6.12.43+deb13-amd64", "vmlinuz-6.12.48+deb13-amd64"}, version.Dpkg, "6.12.48+deb13-amd64"},
		"Ubuntu":        {"5.15.0-91-generic", []string{"vmlinuz-5.15.0-101-generic", "vmlinuz-5.15.0-101-lowlatency"}, version.Dpkg, "5.15.0-101-generic"},
		"Red Hat":       {"5.14.0-427.13.1.el9_4.x86_64", []string{"vmlinuz-0-rescue-5f", "vmlinuz-5.14.0-503.11.1.el9_5.x86_64", "vmlinuz-5.14.0-427.13.1.el9_4.x86_64"}, version.RPM, "5.14.0-503.11.1.el9_5.x86_64"},
		"Red Hat, rt":   {"5.14.0-427.el9.x86_64", []string{"vmlinuz-5.14.0-503.el9.x86_64+rt"}, version.RPM, ""},
		"none":          {"6.1.0-50-amd64", nil, version.Dpkg, ""},
		"hostile names": {"6.1.0-50-amd64", []string{"vmlinuz-9.9.9-1-amd64;reboot", "vmlinuz-../../x-amd64"}, version.Dpkg, ""},
	}
	for name, tt := range tests {
		if got := newestKernel(tt.running, tt.files, tt.order); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func ran(out string, status int) section { return section{out: out, status: status} }

func TestJudgeReboot(t *testing.T) {
	never := section{status: -1}
	core := "Core libraries or services have been updated since boot-up:\n  * glibc\n\nReboot is required to fully utilize these updates.\n"
	k := func(running, newest string) fact.Kernel { return fact.Kernel{Running: running, Newest: newest} }
	tests := map[string]struct {
		signs  rebootSigns
		want   patch.Tri
		reason string
	}{
		"quiet":             {rebootSigns{flag: ran("", 0), manager: "apt", boot: true, kernel: k("6.1.0-50-amd64", "6.1.0-50-amd64")}, patch.No, ""},
		"no kernel of ours": {rebootSigns{flag: ran("", 0), manager: "apt", boot: true, kernel: k("6.1.0-50-amd64", "")}, patch.No, ""},
		"flag":              {rebootSigns{flag: ran("/run/reboot-required\nlibc6\ndbus\n", 0), manager: "apt", boot: true}, patch.Yes, "libc6, dbus"},
		"new kernel":        {rebootSigns{flag: ran("", 0), manager: "apt", boot: true, kernel: k("6.1.0-50-amd64", "6.1.0-56-amd64")}, patch.Yes, "6.1.0-56-amd64 is installed"},
		"older installed":   {rebootSigns{flag: ran("", 0), manager: "apt", boot: true, kernel: k("6.1.0-56-amd64", "6.1.0-50-amd64")}, patch.No, ""},
		"same ABI, rebuilt": {rebootSigns{flag: ran("", 0), manager: "apt", boot: true, build: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-06-01)", image: ran("6.1.176-2 installed\n", 0)}, patch.Yes, "6.1.176-2 is installed"},
		"same build":        {rebootSigns{flag: ran("", 0), manager: "apt", boot: true, build: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-06-01)", image: ran("6.1.176-1 installed\n", 0)}, patch.No, ""},
		"flag unread":       {rebootSigns{flag: never, manager: "apt", boot: true}, patch.Unknown, "reboot-required"},
		"boot hidden":       {rebootSigns{flag: ran("", 0), manager: "apt"}, patch.Unknown, "kernel"},
		"container":         {rebootSigns{flag: ran("", 0), manager: "apt", container: "docker", kernel: k("1", "2")}, patch.No, ""},
		"dnf needs":         {rebootSigns{flag: ran("", 0), manager: "dnf", boot: true, restarting: ran(core, 1)}, patch.Yes, "needs-restarting"},
		"dnf does not":      {rebootSigns{flag: ran("", 0), manager: "dnf", boot: true, restarting: ran("No core libraries or services have been updated since boot-up.\nReboot should not be necessary.\n", 0)}, patch.No, ""},
		"dnf can't tell":    {rebootSigns{flag: ran("", 0), manager: "dnf", boot: true, restarting: section{err: "No such command: needs-restarting.", status: 1}}, patch.Unknown, "No such command"},
	}
	for name, tt := range tests {
		d := judgeReboot(tt.signs)
		if d.needed != tt.want || !strings.Contains(strings.Join(d.reasons, " ")+d.unclear, tt.reason) {
			t.Errorf("%s: %v %q %q, want %v and %q", name, d.needed, d.reasons, d.unclear, tt.want, tt.reason)
		}
	}
}

func TestDpkgState(t *testing.T) {
	for name, tt := range map[string]struct {
		audit, journal section
		want           fact.ManagerState
	}{
		"ok":                {ran("", 0), ran("", 0), fact.ManagerOK},
		"journal":           {ran("", 0), ran("0001\ntmp.i\n", 0), fact.ManagerInterrupted},
		"half configured":   {ran("The following packages are only half configured\n pr-fail  made up\n", 0), ran("", 0), fact.ManagerInterrupted},
		"audit exits 1":     {ran("The following packages have been unpacked\n x y\n", 1), ran("", 0), fact.ManagerInterrupted},
		"audit failed":      {section{err: "dpkg: error", status: 2}, ran("", 0), fact.ManagerUnknown},
		"audit cut off":     {section{status: -1}, ran("", 0), fact.ManagerUnknown},
		"journal not there": {ran("", 0), section{status: -1}, fact.ManagerUnknown},
	} {
		if got, detail := dpkgState(tt.audit, tt.journal); got != tt.want {
			t.Errorf("%s: %q (%s), want %q", name, got, detail, tt.want)
		}
	}
}

func TestRefreshFailure(t *testing.T) {
	for name, tt := range map[string]struct {
		s    section
		want string
	}{
		"fine":          {ran("Hit:1 http://x\nReading package lists...\n", 0), ""},
		"bad signature": {section{err: "W: An error occurred during the signature verification. The repository is not updated and the previous index files will be used. GPG error: http://x y InRelease: NO_PUBKEY 1\n"}, "W: An error occurred during the signature verification. The repository is not updated and the previous index files will be used. GPG error: http://x y InRelease: NO_PUBKEY 1"},
		"GPG error":     {section{err: "W: GPG error: http://x y Release: EXPKEYSIG 1\n"}, "W: GPG error: http://x y Release: EXPKEYSIG 1"},
		"long output":   {section{out: strings.Repeat("Get:1 http://x\n", 390), err: "W: Some index files failed to download. They have been ignored, or old ones used instead.\n"}, "W: Some index files failed to download. They have been ignored, or old ones used instead."},
		"harmless":      {section{err: "W: http://x/InRelease: Key is stored in legacy trusted.gpg keyring (DEPRECATED)\nW: Target Packages is configured multiple times\n"}, ""},
		"warned":        {section{out: "Err:1 http://x\n", err: "W: Failed to fetch http://x  Could not resolve\nW: Some index files failed to download.\n"}, "W: Failed to fetch http://x  Could not resolve"},
		"locked":        {section{err: "E: Could not get lock /var/lib/apt/lists/lock.\n", status: 100}, "E: Could not get lock /var/lib/apt/lists/lock."},
		"not root":      {section{status: 100}, "apt-get update: exit status 100"},
		"dnf":           {section{err: "Ignoring repositories: new\n"}, "Ignoring repositories: new"},
		"cut off":       {section{status: -1}, "apt-get update: its output was cut off"},
	} {
		r := report{sections: map[string]section{"refresh": tt.s}}
		if got := refreshFailure(r, "apt-get update"); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestReadSpaces(t *testing.T) {
	df := "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 1000 400 600 40% /\n/dev/my disk 100 50 50 50% /boot\n/dev/a 1000 400 600 40% /\ntmpfs x y z 1% /tmp\n"
	inodes := "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/a 10 5 5 50% /\n"
	mounts := "/dev/a / ext4 rw,relatime 0 0\n/dev/b /boot ext4 rw 0 0\n/dev/b /boot ext4 ro,relatime 0 0\n"
	got := readSpaces(df, inodes, mounts)
	want := []fact.Space{{Mount: "/", FreeKiB: 600, TotalKiB: 1000, InodeFree: 5, InodeTotal: 10}, {Mount: "/boot", FreeKiB: 50, TotalKiB: 100, ReadOnly: true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for path, mount := range map[string]string{"/boot": "/boot", "/boot/efi": "/boot", "/bootx": "/", "/var/cache": "/"} {
		if s, ok := spaceFor(got, path); !ok || s.Mount != mount {
			t.Errorf("%s lies on %q, want %q", path, s.Mount, mount)
		}
	}
}

func TestOSRelease(t *testing.T) {
	got := readOSRelease("# comment\nID=\"Rocky\"\nID_LIKE='rhel centos'\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"a \\\"b\\\" \\$x \x1b[31m\"\nnonsense\n")
	if got.ID != "rocky" || !slices.Equal(got.Like, []string{"rhel", "centos"}) || got.VersionID != "9.4" || !strings.HasPrefix(got.PrettyName, `a "b" $x`) {
		t.Errorf("%+v", got)
	}
	clean(t, got.PrettyName)
}
