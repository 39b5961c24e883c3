package device_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/device"
)

const (
	junosPackage = "/var/tmp/jinstall-ex-4300-22.4R3.25-signed.tgz"
	junosTarget  = "22.4R3.25"
	question     = `\[yes,no\] \(no\) `
	op           = `patch@sw1> `
)

// junos starts a device with a package on it, and a session without a pager.
func junos(t *testing.T, kind, image, path string, faults ...device.Fault) (*rig, *shell) {
	t.Helper()
	r := start(t, kind, device.Options{Faults: faults})
	if err := r.Leave(path, device.MakeImage(image, junosTarget, 100_000)); err != nil {
		t.Fatal(err)
	}
	return r, paged(r.shell(op))
}

// paged turns the pager off.
func paged(s *shell) *shell {
	s.t.Helper()
	has(s.t, s.send("set cli screen-length 0", op), "Screen length set to 0\n")
	return s
}

// reboots answers the question of a reboot and waits for the device.
func reboots(r *rig, s *shell, line string) *shell {
	r.t.Helper()
	s.send(line, "Reboot the system \\? "+question)
	s.raw("yes\r")
	s.gone()
	return paged(r.back(op))
}

// versions are what the members run, in their order.
func versions(r *rig) string {
	var all []string
	for _, m := range r.Truth().Members {
		all = append(all, m.Values["version"])
	}
	return strings.Join(all, " ")
}

func TestJunosUpgrade(t *testing.T) {
	r, s := junos(t, "junos", "ex4300", junosPackage)
	for _, hash := range []string{"md5", "sha1", "sha-256"} {
		has(t, s.send("file checksum "+hash+" "+junosPackage, op), strings.ToUpper(strings.ReplaceAll(hash, "-", ""))+" ("+junosPackage+") = ")
	}
	s.send("request system configuration rescue save", op)
	has(t, s.send("show chassis alarms", op), "No alarms currently active")
	has(t, s.send("request system software validate "+junosPackage, op), "Done with validate on all virtual chassis members")
	has(t, s.send("request system software add "+junosPackage+" unlink", op), "Checking pending install on fpc0", "WARNING: A reboot is required to install the software")
	has(t, s.send("show version", op), "Junos: 21.4R3-S4.9\n", "Pending: "+junosTarget)
	s.send("request system reboot", question)
	s.send("", op) // Enter is no
	s = reboots(r, s, "request system reboot")
	has(t, s.send("show version", op), "Junos: "+junosTarget+"\n")
	has(t, s.send("show system uptime", op), "(00:0")
	truth := r.Truth()
	if versions(r) != junosTarget || truth.Members[0].Values["backup"] != "21.4R3-S4.9" || truth.Boots != 1 || len(truth.Members[0].Files["var"]) != 1 {
		t.Errorf("truth: %+v", truth)
	}
	has(t, s.send("request system software rollback", op), "Junos version '21.4R3-S4.9' will become active at next reboot")
	reboots(r, s, "request system reboot")
	if versions(r) != "21.4R3-S4.9" || len(r.Done().Unknown) != 0 {
		t.Errorf("it runs %s, unknown %q", versions(r), r.Done().Unknown)
	}
}

func TestJunosLooks(t *testing.T) {
	_, s := junos(t, "junos-vc", "ex4300", junosPackage)
	for cmd, want := range map[string]string{
		"show version": "fpc2:\n", "show chassis hardware": "FPC 2            REV 14", "show virtual-chassis": "2 (FPC 2)  Prsnt", "show chassis routing-engine": "Slot 1:\n    Current state                  Backup",
		"show system uptime": "(12w4d 04:00 ago)", "show system storage": "/var/tmp\n", "show system alarms": "Minor  Rescue configuration is not set", "show system software": "JUNOS EX  Software Suite",
		"show system snapshot media internal": "(backup)", "show system reboot": "No shutdown/reboot scheduled.", "show system users": "patch", "show system commit": "by patch via cli",
		"show bgp summary": "Establ", "show ospf neighbor": "Full", "show interfaces terse": "ge-2/0/0.0 ", "show lacp interfaces": "Collecting distributing", "show route summary": "412 active",
		"show lldp neighbors": "core1", "show configuration": "system {\n    host-name sw1;\n}", "show configuration | display set": "set system services ssh\n", "file list /var/tmp/": "jinstall-ex-4300-22.4R3.25-signed.tgz\n",
		"file list /var/tmp/ detail": "total files: 2", "show foo": "                ^\nsyntax error, expecting <command>.", "foo": "           ^\nunknown command.",
		"set cli screen-width 0": "Screen width set to 0", "set cli complete-on-space off": "Disabling complete-on-space", "show version | match Junos:": "Junos: 21.4R3-S4.9",
	} {
		if out := s.send(cmd, op); !strings.Contains(out, want) || !strings.Contains(out, "\n{master:0}\n") {
			t.Errorf("%s: no %q in %s", cmd, want, out)
		}
	}
}

func TestJunosRefusesPackages(t *testing.T) {
	r, s := junos(t, "junos", "mx", junosPackage)
	has(t, s.send("request system software add "+junosPackage, op), "does not support the platform ex4300-48p")
	whole := device.MakeImage("ex4300", junosTarget, 5000)
	if err := r.Leave(junosPackage, whole[:4000]); err != nil {
		t.Fatal(err)
	}
	has(t, s.send("request system software add "+junosPackage, op), "truncated gzip input", "ERROR: No packages added")
	has(t, s.send("request system software add /var/tmp/none.tgz", op), "No such file or directory")
	has(t, s.send("request system software rollback", op), "WARNING: Cannot rollback")
	if err := r.Leave(junosPackage, whole); err != nil {
		t.Fatal(err)
	}
	s.send("request system software add "+junosPackage, op)
	has(t, s.send("request system software add "+junosPackage, op), "ERROR: There is already an install pending.")
	has(t, s.send("request system software rollback", op), "Deleting bootstrap installer")
	if next := r.Truth().Members[0].Values["next"]; next != "" {
		t.Errorf("%s is still to come", next)
	}
}

func TestJunosBootsTheBackupRoot(t *testing.T) {
	r, s := junos(t, "junos", "ex4300", junosPackage, device.Fault{At: "boot", Do: "backup_root"}, device.Fault{At: "validating", Do: "validation_fails"})
	has(t, s.send("request system software add "+junosPackage, op), "Validation failed")
	s.send("request system software add "+junosPackage, op)
	s = reboots(r, s, "request system reboot")
	has(t, s.send("show chassis alarms", op), "Minor  Host 0 Boot from backup root")
	if versions(r) != "21.4R3-S4.9" || r.Truth().Members[0].Values["root"] != "backup" {
		t.Errorf("truth: %+v", r.Truth().Members[0])
	}
}

func TestJunosVirtualChassis(t *testing.T) {
	r, s := junos(t, "junos-vc", "ex4300", junosPackage)
	has(t, s.send("request system software add "+junosPackage, op), "Pushing bundle "+junosPackage+" to fpc1", "fpc2:\nVerify the signature")
	s = reboots(r, s, "request system reboot all-members")
	has(t, s.send("show virtual-chassis", op), "0 (FPC 0)  Prsnt ", "Master*", "2 (FPC 2)  Prsnt ")
	if versions(r) != strings.Repeat(junosTarget+" ", 2)+junosTarget {
		t.Errorf("they run %s", versions(r))
	}
}

func TestJunosVirtualChassisFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault    device.Fault
		versions string
		see      string
	}{
		"one member boots the old":   {device.Fault{At: "boot", Do: "one_old_image", Member: "1"}, "22.4R3.25 21.4R3-S4.9 22.4R3.25", "1 (FPC 1)  Inactive"},
		"one member never returns":   {device.Fault{At: "boot", Do: "member_never_back", Member: "2"}, "22.4R3.25 22.4R3.25 21.4R3-S4.9", "2 (FPC 2)  NotPrsnt"},
		"one member is not staged":   {device.Fault{At: "install", Do: "add_fails", Member: "2"}, "22.4R3.25 22.4R3.25 21.4R3-S4.9", "2 (FPC 2)  Inactive"},
		"one member has no space":    {device.Fault{At: "push", Do: "flash_full", Member: "1"}, "21.4R3-S4.9 21.4R3-S4.9 21.4R3-S4.9", "1 (FPC 1)  Prsnt"},
		"the master does not return": {device.Fault{At: "boot", Do: "member_never_back", Member: "0"}, "21.4R3-S4.9 22.4R3.25 22.4R3.25", "{master:1}"},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := junos(t, "junos-vc", "ex4300", junosPackage, c.fault)
			s.send("request system software add "+junosPackage, op)
			s = reboots(r, s, "request system reboot")
			has(t, s.send("show virtual-chassis", op), c.see)
			if versions(r) != c.versions {
				t.Errorf("they run %s", versions(r))
			}
		})
	}
}

// waits polls a command until it shows a text.
func waits(s *shell, line, want string) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; <-time.After(10 * time.Millisecond) {
		if strings.Contains(s.send(line, op), want) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s never shows %q", line, want)
		}
	}
}

func TestJunosOneMember(t *testing.T) {
	r, s := junos(t, "junos-vc", "ex4300", junosPackage)
	has(t, s.send("request system software add "+junosPackage+" member 2", op), "fpc2:")
	s.send("request system reboot member 2", question)
	s.send("yes", op)
	has(t, s.send("show virtual-chassis", op), "2 (FPC 2)  NotPrsnt")
	waits(s, "show virtual-chassis", "2 (FPC 2)  Inactive")
	s.send("request system reboot member 0", question)
	s.raw("yes\r")
	s.gone()
	s = paged(r.back(op))
	waits(s, "show virtual-chassis", "0 (FPC 0)  Prsnt")
	has(t, s.send("show virtual-chassis", op), "{master:1}")
	if r.Truth().Boots != 0 {
		t.Error("all have rebooted")
	}
}

func TestJunosCommits(t *testing.T) {
	r, s := junos(t, "junos", "ex4300", junosPackage)
	conf := `patch@sw1# `
	has(t, s.send("configure", conf), "Entering configuration mode")
	s.send("set system ntp server 192.0.2.123", conf)
	has(t, s.send("show | compare", conf), "+   set system ntp server 192.0.2.123")
	has(t, s.send("commit confirmed 5", conf), "commit confirmed will be automatically rolled back in 5 minutes unless confirmed\n", "commit complete")
	r.Advance(6 * time.Minute)
	if text := s.send("show | display set", conf); strings.Contains(text, "ntp") || !strings.Contains(text, "set system services ssh") {
		t.Errorf("it was not rolled back:\n%s", text)
	}
	s.send("set system ntp server 192.0.2.124", conf)
	s.send("delete protocols lldp", conf)
	s.send("commit confirmed", conf)
	has(t, s.send("commit", conf), "configuration check succeeds\ncommit complete")
	r.Advance(time.Hour)
	s.send("rollback 1", conf)
	s.send("exit", `\[yes,no\] \(yes\) `)
	has(t, s.send("yes", op), "Exiting configuration mode")
	out := s.send("show configuration | display set", op)
	if !strings.Contains(out, "192.0.2.124") || strings.Contains(out, "lldp") {
		t.Errorf("the configuration:\n%s", out)
	}
}

func TestJunosRootHasAShell(t *testing.T) {
	r := start(t, "junos", device.Options{User: "root"})
	config := r.config()
	config.User = "root"
	s := r.on(r.dialAs(config))
	s.expect(`root@sw1:RE:0% `)
	has(t, s.send("show version", `:RE:0% `), "Command not found.")
	s.send("cli", `root@sw1> `)
	has(t, s.send("show version | no-more", `root@sw1> `), "Junos: 21.4R3-S4.9")
	s.send("exit", `:RE:0% `)
}

func TestJunosReboots(t *testing.T) {
	r, s := junos(t, "junos", "ex4300", junosPackage)
	s.send("request system reboot in 10", question)
	has(t, s.send("yes", op), "*** System shutdown message from patch@sw1 ***")
	has(t, s.send("show system reboot", op), "reboot requested by patch")
	s.send("clear system reboot", op)
	has(t, s.send("show system reboot", op), "No shutdown/reboot scheduled.")
	other := r.shell(op)
	s.send("request system reboot", question)
	s.raw("yes\r")
	other.gone()
	other.mu.Lock()
	defer other.mu.Unlock()
	has(t, other.seen.String(), "*** FINAL System shutdown message from patch@sw1 ***", "System going down IMMEDIATELY")
}

// dialAs opens a connection of another user.
func (r *rig) dialAs(config *ssh.ClientConfig) *ssh.Client {
	r.t.Helper()
	client, err := ssh.Dial("tcp", r.port.Addr(), config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = client.Close() })
	return client
}
