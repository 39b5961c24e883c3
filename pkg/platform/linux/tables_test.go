package linux

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/version"
)

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

func ran(out string, status int) Section { return Section{Out: out, Status: status} }

// signsOf is the report of a look with one section of signs.
func signsOf(name string, s Section) Report {
	return Report{sections: map[string]Section{name: s}}
}

func TestJudgeReboot(t *testing.T) {
	never := Section{Status: -1}
	k := func(running, newest string) fact.Kernel { return fact.Kernel{Running: running, Newest: newest} }
	tests := map[string]struct {
		signs  rebootSigns
		want   patch.Tri
		reason string
	}{
		"quiet":             {rebootSigns{flag: ran("", 0), ruler: sample().Manager, boot: true, kernel: k("6.1.0-50-amd64", "6.1.0-50-amd64")}, patch.No, ""},
		"no kernel of ours": {rebootSigns{flag: ran("", 0), ruler: sample().Manager, boot: true, kernel: k("6.1.0-50-amd64", "")}, patch.No, ""},
		"flag":              {rebootSigns{flag: ran("/run/reboot-required\nlibc6\ndbus\n", 0), ruler: sample().Manager, boot: true}, patch.Yes, "libc6, dbus"},
		"new kernel":        {rebootSigns{flag: ran("", 0), ruler: sample().Manager, boot: true, kernel: k("6.1.0-50-amd64", "6.1.0-56-amd64")}, patch.Yes, "6.1.0-56-amd64 is installed"},
		"older installed":   {rebootSigns{flag: ran("", 0), ruler: sample().Manager, boot: true, kernel: k("6.1.0-56-amd64", "6.1.0-50-amd64")}, patch.No, ""},
		"of the manager":    {rebootSigns{flag: ran("", 0), ruler: sample().Manager, boot: true, report: signsOf("sign", ran("yes\n", 0))}, patch.Yes, "it says yes"},
		"it says nothing":   {rebootSigns{flag: ran("", 0), ruler: sample().Manager, boot: true, report: signsOf("sign", ran("", 0))}, patch.No, ""},
		"flag unread":       {rebootSigns{flag: never, ruler: sample().Manager, boot: true}, patch.Unknown, "reboot-required"},
		"boot hidden":       {rebootSigns{flag: ran("", 0), ruler: sample().Manager}, patch.Unknown, "kernel"},
		"container":         {rebootSigns{flag: ran("", 0), ruler: sample().Manager, container: "docker", kernel: k("1", "2")}, patch.No, ""},
		"it can't tell":     {rebootSigns{flag: ran("", 0), ruler: sample().Manager, boot: true, report: signsOf("sign", Section{Err: "no such command", Status: 1})}, patch.Unknown, "no such command"},
	}
	for name, tt := range tests {
		d := judgeReboot(tt.signs)
		if d.needed != tt.want || !strings.Contains(strings.Join(d.reasons, " ")+d.unclear, tt.reason) {
			t.Errorf("%s: %v %q %q, want %v and %q", name, d.needed, d.reasons, d.unclear, tt.want, tt.reason)
		}
	}
}

func TestRefreshFailure(t *testing.T) {
	for name, tt := range map[string]struct {
		s    Section
		want string
	}{
		"fine":          {ran("Hit:1 http://x\nReading package lists...\n", 0), ""},
		"bad signature": {Section{Err: "W: An error occurred during the signature verification. The repository is not updated and the previous index files will be used. GPG error: http://x y InRelease: NO_PUBKEY 1\n"}, "W: An error occurred during the signature verification. The repository is not updated and the previous index files will be used. GPG error: http://x y InRelease: NO_PUBKEY 1"},
		"GPG error":     {Section{Err: "W: GPG error: http://x y Release: EXPKEYSIG 1\n"}, "W: GPG error: http://x y Release: EXPKEYSIG 1"},
		"long output":   {Section{Out: strings.Repeat("Get:1 http://x\n", 390), Err: "W: Some index files failed to download. They have been ignored, or old ones used instead.\n"}, "W: Some index files failed to download. They have been ignored, or old ones used instead."},
		"harmless":      {Section{Err: "W: http://x/InRelease: Key is stored in legacy trusted.gpg keyring (DEPRECATED)\nW: Target Packages is configured multiple times\n"}, ""},
		"warned":        {Section{Out: "Err:1 http://x\n", Err: "W: Failed to fetch http://x  Could not resolve\nW: Some index files failed to download.\n"}, "W: Failed to fetch http://x  Could not resolve"},
		"locked":        {Section{Err: "E: Could not get lock /var/lib/apt/lists/lock.\n", Status: 100}, "E: Could not get lock /var/lib/apt/lists/lock."},
		"not root":      {Section{Status: 100}, "apt-get update: exit status 100"},
		"dnf":           {Section{Err: "Ignoring repositories: new\n"}, "Ignoring repositories: new"},
		"cut off":       {Section{Status: -1}, "apt-get update: its output was cut off"},
	} {
		r := Report{sections: map[string]Section{"refresh": tt.s}}
		if got := RefreshFailure(r, "apt-get update"); got != tt.want {
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
	CleanText(t, got.PrettyName)
}

func TestJobID(t *testing.T) {
	long := strings.Repeat("a", 63)
	a, b := jobID(patch.Work{ID: long + "b"}, "install"), jobID(patch.Work{ID: long + "c"}, "install")
	if a == b || len(a) > 64 || !strings.HasSuffix(a, "-install") {
		t.Errorf("%q and %q", a, b)
	}
	if got := jobID(patch.Work{ID: "r1"}, "stage"); got != "r1-stage" {
		t.Error(got)
	}
}

func TestBootNeed(t *testing.T) {
	kernel := patch.Work{Install: []patch.Update{{Name: "linux-image-6.1.0-56-amd64", To: "1", Size: 1 << 20}}}
	list := needs(kernel, []string{"60000000 initrd.img-6.1.0-50-amd64", "70000000 initrd.img-6.1.0-49-amd64", "8000000 vmlinuz-6.1.0-50-amd64", "x y", "-1 vmlinuz-x"})
	if len(list) != 3 || list[2].path != "/boot" || list[2].bytes != 148000000 {
		t.Errorf("%+v", list)
	}
	if n := bootNeed(nil); n != bootLeast {
		t.Error(n)
	}
	if list := needs(patch.Work{Install: []patch.Update{{Name: "nginx", To: "1"}}}, nil); len(list) != 2 {
		t.Errorf("%+v: /boot is not written to", list)
	}
}

func TestClockTrouble(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	for by, want := range map[time.Duration]string{0: "", 5 * time.Minute: "", -5 * time.Minute: "", 301 * time.Second: "5m1s ahead of", -2 * time.Hour: "2h0m0s behind"} {
		f := fact.Facts{Seen: now, Clock: now.Add(by)}
		if got := strings.Join(clockTrouble(f), " "); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", by, got, want)
		}
	}
	if got := clockTrouble(fact.Facts{Seen: now}); got != nil {
		t.Errorf("a clock that is not known: %q", got)
	}
}

func TestReadOnly(t *testing.T) {
	mounts := "/dev/a / ext4 rw 0 0\n/dev/b /usr ext4 ro 0 0\n/dev/c /var ext4 ro,relatime 0 0\n/dev/d /mnt ext4 ro 0 0\n"
	rep := Report{sections: map[string]Section{"mounts": ran(mounts, 0)}}
	m := sample().Manager
	if got, want := m.readOnly(rep), []string{"/usr is mounted read-only", "/var is mounted read-only"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	m.Frozen = true
	if got, want := m.readOnly(rep), []string{"/var is mounted read-only"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestKeepingNeedsRoom(t *testing.T) {
	w := patch.Work{Install: []patch.Update{{Name: "a", From: "1", To: "2", Size: 10}, {Name: "b", To: "2", Size: 100}, {Name: "c", From: "1", To: "2", Size: 1000, Source: patch.SourceStore}}}
	kept := func() (bytes int64) {
		for _, n := range needs(w, nil) {
			if n.path == SentFolder {
				bytes += n.bytes
			}
		}
		return bytes
	}
	if got := kept(); got != 1000 {
		t.Errorf("%d, want the file that is sent", got)
	}
	w.Keep = true
	if got := kept(); got != 1010 {
		t.Errorf("%d, want what is sent and what is kept", got)
	}
}

// TestWayBack: what goes is what shall go, and what is newer is not in the way.
func TestWayBack(t *testing.T) {
	w := patch.Work{ID: "r1", Back: true, Install: []patch.Update{{Name: "a", From: "2", To: "1"}}, Remove: []string{"b:amd64", "c"}}
	installed := []fact.Package{{Name: "a", Version: "2", Status: "installed"}, {Name: "b", Version: "1", Status: "installed"}}
	d := sample()
	if err := d.check(sampleFacts(), w); err != nil {
		t.Fatal(err)
	}
	down := []patch.Update{{Name: "a", From: "2", To: "1"}}
	for name, c := range map[string]struct {
		removes []string
		want    string
	}{
		"as wanted": {[]string{"b"}, ""},
		"more":      {[]string{"b", "d"}, "sample would remove d"},
		"less":      {nil, "sample would not remove b:amd64"},
	} {
		got := strings.Join(d.differences(sampleFacts(), w, Transaction{Changes: down, Removes: c.removes}, installed), "; ")
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	unmet, tooNew := d.unmet(sampleFacts(), w, installed)
	if tooNew || strings.Join(unmet, "; ") != "a is 2, not 1; b:amd64 is still installed" {
		t.Errorf("%q %v", unmet, tooNew)
	}
	if unmet, _ = d.unmet(sampleFacts(), w, []fact.Package{{Name: "a", Version: "1", Status: "installed"}}); len(unmet) > 0 {
		t.Errorf("%q", unmet)
	}
	if got := asked(w); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%q", got)
	}
	w.Back = false
	if d.check(sampleFacts(), w) == nil {
		t.Error("packages go only on the way back")
	}
	rep, _ := ReadReport(said("remarks", "Downgrading : a-1 1/1"))
	if got := remarks(rep, patch.Work{Back: true}).failures; len(got) > 0 {
		t.Errorf("%q", got)
	}
}
