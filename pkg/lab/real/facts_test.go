//go:build linux

package real_test

import (
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// What package managers say by their exit status, and what they did. Each of these is
// a trap for a program that believes the one without looking at the other.

func aptFacts(t *testing.T, _ *real.Lab, h *real.Host) {
	t.Helper()
	t.Run("AllowChangeHeldClearsTheHold", func(t *testing.T) {
		h.Must("apt-mark", "hold", real.Plain)
		wantRun(t, h, 100, "Held packages were changed", "apt-get", "install", "--yes", "pr-plain=2.0")
		wantRun(t, h, 0, "", "apt-get", "install", "--yes", "--allow-change-held-packages", "pr-plain=2.0")
		if held := h.Must("apt-mark", "showhold"); held != "" {
			t.Errorf("%q is still held", held)
		}
	})
	t.Run("FailedPostinstIsHalfConfigured", func(t *testing.T) {
		wantRun(t, h, 100, "installed pr-badpost package post-installation script", "apt-get", "install", "--yes", "pr-badpost=2.0")
		wantRun(t, h, 0, "pr-badpost", "dpkg", "--audit")
		wantInstalled(t, h, real.BadPost, "1.0") // the old version repairs it
		wantRun(t, h, 0, "", "dpkg", "--audit")
	})
	t.Run("FailedPreinstKeepsTheOldVersion", func(t *testing.T) {
		wantRun(t, h, 100, "not on this host", "apt-get", "install", "--yes", "pr-badpre=2.0")
		wantAt(t, h, real.BadPre, "1.0")
	})
	t.Run("RebootIsAskedForByAFile", func(t *testing.T) {
		wantInstalled(t, h, real.Reboot, "2.0")
		wantRun(t, h, 0, real.Reboot, "cat", "/run/reboot-required.pkgs")
	})
}

func dnfFacts(t *testing.T, _ *real.Lab, h *real.Host) {
	t.Helper()
	t.Run("FailedPostExitsZero", func(t *testing.T) {
		wantRun(t, h, 0, "Error in POSTIN scriptlet", "dnf", "-y", "upgrade", real.BadPost)
		wantAt(t, h, real.BadPost, "2.0")
	})
	t.Run("FailedPreKeepsTheOldVersion", func(t *testing.T) {
		wantRun(t, h, 1, "Error in PREIN scriptlet", "dnf", "-y", "upgrade", real.BadPre)
		wantAt(t, h, real.BadPre, "1.0")
	})
	t.Run("InstallOfAnOlderVersionDowngradesSilently", func(t *testing.T) {
		wantRun(t, h, 0, "", "dnf", "-y", "upgrade", real.Plain)
		wantAt(t, h, real.Plain, "2.0")
		wantRun(t, h, 0, "Downgrading", "dnf", "-y", "install", "pr-plain-1.0-1")
		wantAt(t, h, real.Plain, "1.0")
	})
	t.Run("CheckUpdateExits100", func(t *testing.T) {
		wantRun(t, h, 100, "pr-plain.noarch", "dnf", "-q", "check-update")
		wantRun(t, h, 0, "", "dnf", "-q", "check-update", real.Extra)
	})
	t.Run("AdvisoriesHaveSeverityAndCVEs", func(t *testing.T) {
		wantRun(t, h, 0, "Critical/Sec.  pr-daemon-2.0-1.noarch", "dnf", "-q", "updateinfo", "list")
		wantRun(t, h, 0, "CVE-2026-1001", "dnf", "-q", "updateinfo", "list", "--with-cve")
		wantRun(t, h, 0, "bugfix         pr-extra", "dnf", "-q", "updateinfo", "list", "--installed")
	})
	t.Run("NeedsRestartingGoesByNames", func(t *testing.T) {
		wantRun(t, h, 0, "should not be necessary", "needs-restarting", "-r")
		wantInstalled(t, h, real.Reboot, "2.0")
		wantRun(t, h, 1, real.Reboot, "needs-restarting", "-r")
	})
	t.Run("SignaturesAreReal", func(t *testing.T) {
		wantRun(t, h, 0, "", "dnf", "-qy", "--setopt=lab.repo_gpgcheck=1", "makecache", "--refresh")
		h.Must("dnf", "-qy", "--downloaddir=/var/tmp/got", "--downloadonly", "reinstall", real.Plain)
		wantRun(t, h, 0, "digests signatures OK", "sh", "-c", "rpm -K /var/tmp/got/*.rpm")
	})
}

func zypperFacts(t *testing.T, lab *real.Lab, h *real.Host) {
	t.Helper()
	t.Run("FailedPostExits107", func(t *testing.T) {
		wantRun(t, h, 107, "%post(pr-badpost-2.0-1.noarch) scriptlet failed", "zypper", "-n", "install", "pr-badpost=2.0")
		wantAt(t, h, real.BadPost, "2.0")
	})
	t.Run("FailedPreKeepsTheOldVersion", func(t *testing.T) {
		wantRun(t, h, 8, "%prein(pr-badpre-2.0-1.noarch) scriptlet failed", "zypper", "-n", "install", "pr-badpre=2.0")
		wantAt(t, h, real.BadPre, "1.0")
	})
	t.Run("PatchSkipsWhatAsksForAReboot", func(t *testing.T) {
		if err := lab.Repo.Withdraw(t.Context(), real.Security, real.BadPre, "2.0"); err != nil {
			t.Fatal(err)
		}
		h.Refresh()
		wantRun(t, h, 101, "", "zypper", "-n", "patch-check")
		wantRun(t, h, 0, "", "zypper", "-n", "patch", "--category", "security")
		wantAt(t, h, real.Plain, "2.0")
		wantAt(t, h, real.Reboot, "1.0")
		wantRun(t, h, 102, "", "zypper", "-n", "patch", "--category", "security", "--with-interactive")
		wantAt(t, h, real.Reboot, "2.0")
	})
	t.Run("NeedsRebootingGoesByItsOwnList", func(t *testing.T) {
		wantRun(t, h, 0, "probably not necessary", "zypper", "-n", "needs-rebooting")
	})
	t.Run("OlderVersionNeedsAnOption", func(t *testing.T) {
		wantRun(t, h, 0, "", "zypper", "-n", "install", "pr-plain=1.0-1")
		wantAt(t, h, real.Plain, "2.0")
		wantInstalled(t, h, real.Plain, "1.0")
	})
}

func pacmanFacts(t *testing.T, _ *real.Lab, h *real.Host) {
	t.Helper()
	t.Run("FailedPostUpgradeExitsZero", func(t *testing.T) {
		wantRun(t, h, 0, "command failed to execute correctly", "pacman", "-S", "--noconfirm", real.BadPost)
		wantAt(t, h, real.BadPost, "2.0")
	})
	t.Run("FailedPreUpgradeStopsNothing", func(t *testing.T) {
		wantRun(t, h, 0, "command failed to execute correctly", "pacman", "-S", "--noconfirm", real.BadPre)
		wantAt(t, h, real.BadPre, "2.0")
	})
	t.Run("QueryOfUpdatesExits1WithNone", func(t *testing.T) {
		wantRun(t, h, 0, "pr-plain 1.0-1 -> 2.0-1", "pacman", "-Qu", real.Plain)
		wantRun(t, h, 1, "", "pacman", "-Qu", real.Extra)
	})
	t.Run("SignaturesAreReal", func(t *testing.T) {
		wantRun(t, h, 0, "Signature", "pacman", "-Si", real.Plain)
		wantRun(t, h, 0, "", "pacman", "-Syy")
		wantRun(t, h, 0, "-1", "vercmp", "1.0", "2.0")
	})
}
