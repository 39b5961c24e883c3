//go:build linux

package real_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
)

// systems are all that the lab has.
func systems() []real.OS { return []real.OS{real.Debian, real.Rocky, real.SUSE, real.Arch} }

// TestSystem asks one host of each system everything, so that it is booted once. Each
// part works on packages of its own.
func TestSystem(t *testing.T) {
	facts := map[real.OS]func(*testing.T, *real.Lab, *real.Host){
		real.Debian: aptFacts, real.Rocky: dnfFacts, real.SUSE: zypperFacts, real.Arch: pacmanFacts,
	}
	for _, system := range systems() {
		t.Run(system.String(), func(t *testing.T) {
			lab := real.New(t)
			h := lab.Host("one", real.System(system), real.Install(real.Plain, real.Daemon, real.BadPost, real.BadPre,
				real.Reboot, real.Conffile, real.Extra))
			lab.Ready()
			t.Run("IsWholeAndReboots", func(t *testing.T) { testWhole(t, h) })
			t.Run("KnowsItsLock", func(t *testing.T) { testLock(t, h) })
			t.Run("RefusesWhatVanishedOrWasTamperedWith", func(t *testing.T) { testVanished(t, lab, h) })
			facts[system](t, lab, h)
			t.Run("InstallsExactVersions", func(t *testing.T) { testExact(t, lab, h) })
		})
	}
}

// wantAt wants a package to be installed in a version, by the host's database.
func wantAt(t *testing.T, h *real.Host, pkg, version string) {
	t.Helper()
	if got, want := h.Version(pkg), h.OS.Version(version); got != want {
		t.Errorf("%s: %s is %q, want %q", h.OS, pkg, got, want)
	}
}

// wantRun wants an exit status, and words in the output.
func wantRun(t *testing.T, h *real.Host, code int, words string, argv ...string) {
	t.Helper()
	out, got := h.Run(argv...)
	if got != code || !strings.Contains(out, words) {
		t.Errorf("%s: %v ended with %d, want %d and %q in:\n%s", h.OS, argv, got, code, words, out)
	}
}

// wantInstalled wants a version to be installable, and installed then.
func wantInstalled(t *testing.T, h *real.Host, pkg, version string) {
	t.Helper()
	if out, code := h.InstallVersion(pkg, version); code != 0 {
		t.Errorf("%s: install %s %s ended with %d: %s", h.OS, pkg, version, code, out)
	}
	wantAt(t, h, pkg, version)
}

// wantRefused wants a version not to be installable.
func wantRefused(t *testing.T, h *real.Host, pkg, version string) {
	t.Helper()
	if out, code := h.InstallVersion(pkg, version); code == 0 {
		t.Errorf("%s: install %s %s went through: %s", h.OS, pkg, version, out)
	}
	if got := h.Version(pkg); got != "" {
		t.Errorf("%s: %s %s is installed", h.OS, pkg, got)
	}
}

func testWhole(t *testing.T, h *real.Host) {
	t.Helper()
	managers := map[real.OS]string{real.Debian: "apt-get", real.Rocky: "dnf", real.SUSE: "zypper", real.Arch: "pacman"}
	if state, code := h.Run("systemctl", "is-system-running", "--wait"); code != 0 {
		t.Errorf("systemd is %q: %s", state, h.Must("systemctl", "--failed", "--plain"))
	}
	for system, manager := range managers {
		if _, code := h.Run("sh", "-c", "command -v "+manager); (code == 0) != (system == h.OS) {
			t.Errorf("%s: looking for %s ends with %d", h.OS, manager, code)
		}
	}
	if id := h.Must("sh", "-c", `. /etc/os-release; echo "$ID"`); id != h.OS.String() {
		t.Errorf("os-release says %q, want %q", id, h.OS)
	}
	h.Must("systemctl", "is-active", "pr-daemon")
	before := h.BootID()
	h.Reboot()
	if h.BootID() == before {
		t.Error("the boot id did not change")
	}
	wantAt(t, h, real.Plain, "1.0")
}

func testExact(t *testing.T, lab *real.Lab, h *real.Host) {
	t.Helper()
	publishIn(t, lab, real.Security, real.NewPackage("pr-moving", "1.0"), real.NewPackage("pr-moving", "2.0"))
	h.Refresh()
	wantInstalled(t, h, "pr-moving", "1.0")
	publishIn(t, lab, real.Security, real.NewPackage("pr-moving", "3.0"))
	h.Refresh()
	wantInstalled(t, h, "pr-moving", "2.0") // though 3.0 is there
	wantInstalled(t, h, "pr-moving", "1.0") // back again
	if u, c := h.Upgrades("pr-moving", "2.0"), h.Configured("pr-moving", "2.0"); u != 1 || c != 1 {
		t.Errorf("2.0 was unpacked %d times and configured %d times, want once each", u, c)
	}
	wantConffileKept(t, h)
	wantDaemon(t, h)
	wantDependency(t, lab, h)
}

// wantConffileKept changes the conffile, upgrades, and wants the change to be there.
func wantConffileKept(t *testing.T, h *real.Host) {
	t.Helper()
	h.Must("sh", "-c", "echo mine >>/etc/pr-conffile.conf")
	h.Must("sh", "-c", "mkdir -p /etc/apt/apt.conf.d && echo 'DPkg::Options:: \"--force-confold\";' >/etc/apt/apt.conf.d/lab")
	wantInstalled(t, h, real.Conffile, "2.0")
	wantRun(t, h, 0, "", "grep", "-qx", "mine", "/etc/pr-conffile.conf")
}

// wantDaemon upgrades the daemon and wants the new one to answer.
func wantDaemon(t *testing.T, h *real.Host) {
	t.Helper()
	wantInstalled(t, h, real.Daemon, "2.0")
	h.Await("the new daemon", func() bool {
		out, _ := h.Run("curl", "-s", "http://localhost:8080")
		return out == "ok 2.0\n"
	})
}

// wantDependency installs a package that asks for another one's version.
func wantDependency(t *testing.T, lab *real.Lab, h *real.Host) {
	t.Helper()
	p := real.NewPackage("pr-needs", "1.0")
	p.Depends = []string{"pr-moving>=3.0", "pr-daemon"}
	publishIn(t, lab, real.Base, p)
	h.Refresh()
	wantInstalled(t, h, "pr-needs", "1.0")
	wantAt(t, h, "pr-moving", "3.0")
}

func testVanished(t *testing.T, lab *real.Lab, h *real.Host) {
	t.Helper()
	publishIn(t, lab, real.Security, real.NewPackage("pr-vanishing", "1.0"), real.NewPackage("pr-tampered", "1.0"))
	h.Refresh()
	url, err := lab.Repo.Snapshot(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	built, err := lab.Repo.File(h.OS, "pr-vanishing", "1.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.Repo.Withdraw(t.Context(), real.Security, "pr-vanishing", "1.0"); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, h, "pr-vanishing", "1.0") // the host's copy of the index still lists it
	h.Refresh()
	wantRefused(t, h, "pr-vanishing", "1.0")
	wantArchived(t, h, url, poolOf(h.OS, real.Security)+filepath.Base(built))
	if err := lab.Repo.Tamper("pr-tampered", "1.0"); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, h, "pr-tampered", "1.0")
}

// wantArchived wants a file in the snapshot of a time, at any later time, and not before.
func wantArchived(t *testing.T, h *real.Host, url, file string) {
	t.Helper()
	for hour, want := range map[string]int{"T120000Z": 0, "T180000Z": 0, "T110000Z": 22} {
		wantRun(t, h, want, "", "curl", "--silent", "--fail", "--output", "/dev/null", strings.Replace(url, "T120000Z", hour, 1)+file)
	}
}

// poolOf is where the repository has the packages of a suite.
func poolOf(system real.OS, suite string) string {
	switch system {
	case real.Debian:
		return "pool/" + suite + "/"
	case real.Arch:
		return "arch/"
	default:
		return "rpm/packages/"
	}
}

// Indexes are signed by the key that tests can have.
func TestIndexesAreSigned(t *testing.T) {
	needTool(t, "gpgv", "gpgv")
	lab := real.New(t)
	for _, system := range systems() {
		lab.Host("on-"+system.String(), real.System(system))
	}
	dir := t.TempDir()
	binary, _ := lab.Repo.PublicKey()
	if err := os.WriteFile(filepath.Join(dir, "key.gpg"), binary, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, signed := range [][]string{
		{"dists/" + real.Security + "/InRelease"},
		{"rpm/repodata/repomd.xml.asc", "rpm/repodata/repomd.xml"},
		{"arch/lab.db.sig", "arch/lab.db"},
	} {
		argv := []string{"--keyring", filepath.Join(dir, "key.gpg")}
		for _, path := range signed {
			argv = append(argv, fetch(t, lab, dir, path))
		}
		if out, err := exec.CommandContext(t.Context(), "gpgv", argv...).CombinedOutput(); err != nil {
			t.Errorf("gpgv %v: %v: %s", signed, err, out)
		}
	}
}

// fetch gets a file of the repository as a program under test would: from the hub, by name.
func fetch(t *testing.T, lab *real.Lab, dir, path string) string {
	t.Helper()
	to := filepath.Join(dir, filepath.Base(path))
	if out, err := lab.Command(t.Context(), "curl", "-sfo", to, lab.Repo.URL()+"/"+path).CombinedOutput(); err != nil {
		t.Fatalf("get %s: %v: %s", path, err, out)
	}
	return to
}

func publishIn(t *testing.T, lab *real.Lab, suite string, packages ...real.Package) {
	t.Helper()
	if err := lab.Repo.Publish(t.Context(), suite, packages...); err != nil {
		t.Fatal(err)
	}
}

// Every package manager stands aside for another one's lock, each in its own way. dnf
// waits for as long as it takes, so it is given three seconds.
func testLock(t *testing.T, h *real.Host) {
	t.Helper()
	h.HoldPackageLock()
	if out, code := h.Run("timeout", "3", "sh", "-c", lockTry(h.OS)); code == 0 {
		t.Errorf("%s went on although the lock is held: %s", h.OS, out)
	}
	wantAt(t, h, real.Extra, "1.0")
	h.FreePackageLock()
	wantInstalled(t, h, real.Extra, "2.0")
}

func lockTry(system real.OS) string {
	switch system {
	case real.Rocky:
		return "dnf -y install pr-extra-2.0-1"
	case real.SUSE:
		return "zypper -n install pr-extra=2.0-1"
	case real.Arch:
		return "pacman -S --noconfirm pr-extra"
	default:
		return "apt-get -y install pr-extra=2.0"
	}
}
