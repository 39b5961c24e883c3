//go:build linux

package real_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
)

func TestHostIsWholeAndReboots(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("one")
	lab.Ready()

	if state := h.Must("systemctl", "is-system-running", "--wait"); state != "running" {
		t.Errorf("systemd is %q: %s", state, h.Must("systemctl", "--failed", "--plain"))
	}
	if got := h.Version(real.Plain); got != "1.0" {
		t.Errorf("%s is %q, want 1.0", real.Plain, got)
	}
	before := h.BootID()
	h.Must("touch", "/run/gone-after-a-boot", "/var/tmp/kept")
	h.Reboot()
	if after := h.BootID(); after == before {
		t.Errorf("boot id %s did not change", after)
	}
	if _, err := h.Exec("test", "-e", "/run/gone-after-a-boot"); err == nil {
		t.Error("/run outlived the reboot")
	}
	h.Must("test", "-e", "/var/tmp/kept")
}

func TestAptSeesWhatTheRepositoryOffers(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("one", real.Install(real.Plain, real.Extra))
	lab.Ready()

	offered := h.Must("apt-get", "--simulate", "upgrade")
	for _, want := range []string{
		"Inst pr-plain [1.0] (2.0 Debian-Security:12/oldstable-security [all])",
		"Inst pr-extra [1.0] (2.0 Debian:12-updates/oldstable-updates [all])",
	} {
		if !strings.Contains(offered, want) {
			t.Errorf("apt does not say %q:\n%s", want, offered)
		}
	}
	if err := lab.Repo.Publish(t.Context(), real.Security, real.NewPackage(real.Plain, "2.1")); err != nil {
		t.Fatal(err)
	}
	h.Refresh()
	h.Must("apt-get", "install", "--yes", "pr-plain=2.0")
	if got := h.Version(real.Plain); got != "2.0" {
		t.Errorf("pr-plain is %q, want the older 2.0 that was asked for", got)
	}
	if u, c := h.Upgrades(real.Plain, "2.0"), h.Configured(real.Plain, "2.0"); u != 1 || c != 1 {
		t.Errorf("pr-plain 2.0 was unpacked %d times and configured %d times, want once each", u, c)
	}
}

func TestMadeUpPackagesMisbehaveAsTheySay(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("one",
		real.Install(real.Daemon, real.BadPost, real.Reboot, real.Conffile),
		real.File(real.BreakDaemon, 0o644, ""))
	lab.Ready()

	h.Must("systemctl", "is-active", "pr-daemon")
	h.Must("apt-get", "install", "--yes", "pr-daemon=2.0")
	h.Await("the daemon's death", func() bool {
		_, err := h.Exec("systemctl", "is-failed", "pr-daemon")
		return err == nil
	})
	h.Must("apt-get", "install", "--yes", "pr-reboot=2.0")
	h.Must("grep", "-qx", "pr-reboot", "/run/reboot-required.pkgs")
	h.Must("sh", "-c", "echo mine >>/etc/pr-conffile.conf")
	h.Must("apt-get", "install", "--yes", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold", "pr-conffile=2.0")
	h.Must("grep", "-qx", "mine", "/etc/pr-conffile.conf")
	if _, err := h.Exec("apt-get", "install", "--yes", "pr-badpost=2.0"); err == nil {
		t.Error("pr-badpost 2.0 was configured")
	}
	if got := h.Version(real.BadPost); got != "" {
		t.Errorf("pr-badpost counts as installed: %q", got)
	}
}

func TestNetworkIsCutAndRestored(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("one")
	lab.Ready()
	ssh := lab.WriteSSH(t.TempDir())

	mustLogin(t, lab, ssh, h)
	h.CutNetwork()
	if out, err := login(t, lab, ssh, h); err == nil {
		t.Errorf("a host without network answered: %s", out)
	}
	h.RestoreNetwork()
	mustLogin(t, lab, ssh, h)
	h.ChangeHostKey()
	if out, err := login(t, lab, ssh, h); err == nil || !strings.Contains(out, "REMOTE HOST IDENTIFICATION HAS CHANGED") {
		t.Errorf("a changed host key went through: %v: %s", err, out)
	}
}

func TestInnerHostIsReachedThroughTheBastionOnly(t *testing.T) {
	lab := real.New(t)
	bastion := lab.Host("bastion", real.Bastion())
	inner := lab.Host("inner-one", real.Inner())
	lab.Ready()
	ssh := lab.WriteSSH(t.TempDir())

	if out, err := login(t, lab, ssh, inner); err == nil {
		t.Errorf("the inner host answered without a bastion: %s", out)
	}
	proxy := "ProxyCommand=ssh -i " + ssh.Key + " -o UserKnownHostsFile=" + ssh.KnownHosts +
		" -W %h:%p " + real.User + "@" + bastion.Address
	if out, err := login(t, lab, ssh, inner, "-o", proxy); err != nil {
		t.Errorf("through the bastion: %v: %s", err, out)
	}
}

func TestSmallDiskFills(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("one", real.DiskMB(64))
	lab.Ready()

	h.FillDisk(100)
	if _, err := h.Exec("dd", "if=/dev/zero", "of=/var/tmp/more", "bs=1M", "count=1"); err == nil {
		t.Error("wrote 1 MiB where 100 KiB were left")
	}
	h.FreeDisk()
	h.Must("rm", "-f", "/var/tmp/more")
	h.Must("dd", "if=/dev/zero", "of=/var/tmp/more", "bs=1M", "count=1")
}

func TestRebootWithoutSupervisorIsTheLast(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("one")
	lab.Ready()

	h.StopSupervising()
	h.Must("systemctl", "reboot")
	h.Await("its end", func() bool { return !h.Up() })
}

// login runs "true" on a host by OpenSSH's own client, from the hub, and gives what
// that client said.
func login(t *testing.T, lab *real.Lab, ssh real.SSH, h *real.Host, more ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args := append([]string{
		"-F", "none", "-i", ssh.Key, "-o", "UserKnownHostsFile=" + ssh.KnownHosts, "-o", "BatchMode=yes",
		"-o", "ConnectTimeout=3", "-o", "StrictHostKeyChecking=yes",
	}, more...)
	out, err := lab.Command(ctx, "ssh", append(args, real.User+"@"+h.Address, "sudo", "-n", "true")...).CombinedOutput()
	return string(out), err
}

func mustLogin(t *testing.T, lab *real.Lab, ssh real.SSH, h *real.Host) {
	t.Helper()
	needTool(t, "ssh", "openssh-client")
	if out, err := login(t, lab, ssh, h); err != nil {
		t.Fatalf("log in to %s: %v: %s", h.Name, err, out)
	}
}

func needTool(t *testing.T, tool, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("needs %s (Debian package %s)", tool, pkg)
	}
}

func TestHostIsBootedAgainByHand(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("one")
	lab.Ready()

	h.StopSupervising()
	h.Must("systemctl", "poweroff")
	h.Await("its end", func() bool { return !h.Up() })
	h.Boot()
	if n := h.Boots(); n != 2 {
		t.Errorf("booted %d times, want 2", n)
	}
}

// Sudo takes the password it was given, and only that.
func TestSudoPassword(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("one", real.SudoPassword("open sesame"))
	lab.Ready()

	const try = "echo \"$1\" | runuser -u patch -- sudo -S -p '' true"
	h.Must("sh", "-c", try, "sh", "open sesame")
	if _, err := h.Exec("sh", "-c", try, "sh", "something else"); err == nil {
		t.Error("sudo took a wrong password")
	}
}
