package device_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/device"
)

const fortiImage = "FGT_100F-v7.4.8.M-build2795-FORTINET.out"

// fortigate starts one with an image of a kind on its TFTP server.
func fortigate(t *testing.T, kind, imageKind string, faults ...device.Fault) *rig {
	t.Helper()
	r := start(t, kind, device.Options{Name: "fw1", Faults: faults})
	if err := r.Leave("server:"+fortiImage, device.MakeImage(imageKind, "7.4.8", 90_000)); err != nil {
		t.Fatal(err)
	}
	return r
}

func standard(s *shell) {
	s.t.Helper()
	s.send("config system console", `fw1(-2)? \(console\) # `)
	s.send("set output standard", `\(console\) # `)
	s.send("end", `fw1(-2)? # `)
}

// restore upgrades up to what the second answer brings.
func restore(s *shell, after string) string {
	s.t.Helper()
	s.send("execute restore image tftp "+fortiImage+" 192.0.2.99", `continue\? \(y/n\)`)
	s.raw("y")
	return s.expect(after)
}

func TestFortiUpgrade(t *testing.T) {
	r := fortigate(t, "fortios", "FGT_100F")
	s := r.shell("fw1 # ")
	s.send("get system status", "--More-- ")
	s.raw(" ")
	s.expect("fw1 # ")
	standard(s)
	has(t, s.send("get system status", "fw1 # "), "Version: FortiGate-100F v7.2.7,build1577,240131 (GA.M)", "Current HA mode: standalone", "Branch point: 1577\n")
	has(t, s.send("diagnose sys flash list", "fw1 # "), "2          FG100F-7.02-FW-build1577-240131 ", "39%  Yes")
	has(t, s.send("get system performance status", "fw1 # "), "Uptime: 12 days,  12 hours,  ")
	for _, cmd := range []string{"get hardware status", "get system interface physical", "get router info bgp summary", "show", "show full-configuration", "execute time", "diagnose sys ha checksum cluster"} {
		if out := s.send(cmd, "fw1 # "); strings.Count(out, "\n") < 3 || strings.Contains(out, "Unknown action") {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	has(t, s.send("execute backup config flash before", "fw1 # "), "Config backed up to flash disk done.")
	restore(s, "NOW !!\\s*")
	s.gone()
	s = r.back("fw1 # ")
	standard(s)
	has(t, s.send("get system status", "fw1 # "), "v7.4.8,build2795,250523 (GA.M)", "Last reboot reason: warm reboot")
	has(t, s.send("diagnose sys flash list", "fw1 # "), "1          FG100F-7.04-FW-build2795-250523 ")
	s.send("execute set-next-reboot secondary", "fw1 # ")
	truth := r.Truth()
	if v := truth.Member("1").Values; v["version"] != "7.4.8" || v["active"] != "1" || v["next"] != "2" || v["two"] != "7.2.7" || truth.Boots != 1 {
		t.Errorf("truth: %+v", truth)
	}
}

func TestFortiSecondaryImage(t *testing.T) {
	r := fortigate(t, "fortios", "FGT_100F", device.Fault{At: "boot", Do: "config_errors"})
	s := r.shell("fw1 # ")
	s.send("execute restore secondary-image tftp "+fortiImage+" 192.0.2.99", `\(y/n\)`)
	s.raw("y")
	has(t, s.expect("fw1 # "), "Get image from tftp server OK.", "Check image OK.")
	has(t, s.send("execute set-next-reboot primary", "fw1 # "), "Default image is changed to image# 1.")
	s.send("execute reboot", `\(y/n\)`)
	s.raw("y")
	s.gone()
	s = r.back("fw1 # ")
	has(t, s.send("diagnose debug config-error-log read", "fw1 # "), "value parse error")
	if truth := r.Truth(); truth.Member("1").Values["version"] != "7.4.8" || truth.Values["errors"] != "yes" {
		t.Errorf("truth: %+v", truth)
	}
}

func TestFortiRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		kind   string
		faults []device.Fault
		want   string
	}{
		"another model": {"FGT_200F", nil, "not for this platform"},
		"checksum":      {"FGT_100F", []device.Fault{{At: "transfer", Do: "hash_mismatch"}}, "checksum is wrong"},
		"flash":         {"FGT_100F", []device.Fault{{At: "transfer", Do: "flash_full"}}, "not enough space"},
	} {
		t.Run(name, func(t *testing.T) {
			r := fortigate(t, "fortios", c.kind, c.faults...)
			s := r.shell("fw1 # ")
			has(t, restore(s, "fw1 # "), c.want, "Command fail. Return code")
			if truth := r.Truth(); truth.Boots != 0 || truth.Member("1").Values["next"] != "2" {
				t.Errorf("truth: %+v", truth)
			}
		})
	}
}

func TestFortiOldImage(t *testing.T) {
	r := fortigate(t, "fortios", "FGT_100F", device.Fault{At: "boot", Do: "old_image"})
	s := r.shell("fw1 # ")
	restore(s, "NOW !!\\s*")
	s.gone()
	r.back("fw1 # ")
	if v := r.Truth().Member("1").Values; v["version"] != "7.2.7" || v["active"] != "2" {
		t.Errorf("truth: %+v", v)
	}
}

func TestFortiUpload(t *testing.T) {
	r := fortigate(t, "fortios", "FGT_100F")
	image := device.MakeImage("FGT_100F", "7.4.8", 9000)
	if err := r.Leave("fgt-image", image); err == nil {
		t.Error("an upload without admin-scp")
	}
	s := r.shell("fw1 # ")
	s.send("config system global", `\(global\) # `)
	s.send("set admin-scp enable", `\(global\) # `)
	s.send("end", "fw1 # ")
	if err := r.Leave("fgt-image", image); err != nil {
		t.Fatal(err)
	}
	r.Advance(2 * time.Second)
	s.gone()
	r.back("fw1 # ")
	if v := r.Truth().Member("1").Values["version"]; v != "7.4.8" {
		t.Errorf("version %s", v)
	}
}

func TestFortiBanner(t *testing.T) {
	r := start(t, "fortios-banner", device.Options{Name: "fw1"})
	s := r.shell(`\(Press 'a' to accept\):`)
	s.raw("a")
	s.expect("fw1 # ")
	has(t, s.send("get hardware status", "fw1 # "), "FortiGate-100F")
	s = r.shell(`\(Press 'a' to accept\):`)
	for range 3 {
		s.raw("n")
	}
	s.gone()
}

func TestFortiCluster(t *testing.T) {
	r := fortigate(t, "fortios-ha", "FGT_100F")
	s := r.shell("fw1 # ")
	standard(s)
	has(t, s.send("get system ha status", "fw1 # "), "HA Health Status: OK", "number of member: 2\n", "in-sync")
	s.send("execute ha manage 1 patch", "password: ")
	has(t, s.send("pw", "fw1-2 # "), "")
	has(t, s.send("get system status", "fw1-2 # "), "v7.2.7", "a-p, secondary")
	s.send("exit", "fw1 # ")
	restore(s, "NOW !!\\s*")
	s.gone()
	s = r.back("fw1-2 # ")
	standard(s)
	has(t, s.send("get system status", "fw1-2 # "), "v7.4.8", "a-p, primary")
	settled(t, r, "upgrade", "done")
	has(t, s.send("get system ha status", "fw1-2 # "), "HA Health Status: OK", "number of member: 2\n", "vcluster 1: work 169.254.0.2")
	for _, m := range r.Truth().Members {
		if m.Values["version"] != "7.4.8" || m.Values["in_sync"] != "yes" || m.Values["state"] != "up" {
			t.Errorf("member: %+v", m)
		}
	}
}

// settled waits until a value of the device is what it is to become.
func settled(t *testing.T, r *rig, name, want string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		if r.Truth().Values[name] == want {
			return
		}
	}
	t.Fatalf("%s is %q", name, r.Truth().Values[name])
}

func TestFortiClusterFaults(t *testing.T) {
	t.Run("secondary", func(t *testing.T) {
		r := fortigate(t, "fortios-ha", "FGT_100F", device.Fault{At: "secondary", Do: "secondary_never_back"})
		s := r.shell("fw1 # ")
		has(t, restore(s, "fw1 # "), "Secondary does not come back")
		truth := r.Truth()
		if truth.Member("1").Values["version"] != "7.2.7" || truth.Member("2").Values["state"] != "rebooting" || truth.Values["upgrade"] != "failed" {
			t.Errorf("truth: %+v", truth)
		}
	})
	t.Run("sync", func(t *testing.T) {
		r := fortigate(t, "fortios-ha", "FGT_100F", device.Fault{At: "sync", Do: "standby_never_syncs"})
		s := r.shell("fw1 # ")
		restore(s, "NOW !!\\s*")
		s.gone()
		s = r.back("fw1-2 # ")
		settled(t, r, "upgrade", "done")
		standard(s)
		has(t, s.send("get system ha status", "fw1-2 # "), "out-of-sync", "has mem conf sync diff")
	})
}

func TestFortiClusterMemberBootsOldImage(t *testing.T) {
	r := fortigate(t, "fortios-ha", "FGT_100F", device.Fault{At: "boot", Member: "1", Do: "old_image"})
	s := r.shell("fw1 # ")
	restore(s, "NOW !!\\s*")
	s.gone()
	s = r.back("fw1-2 # ")
	settled(t, r, "upgrade", "done")
	truth := r.Truth()
	if truth.Member("1").Values["version"] != "7.2.7" || truth.Member("2").Values["version"] != "7.4.8" || truth.Member("1").Values["in_sync"] != "no" {
		t.Errorf("truth: %+v", truth)
	}
	has(t, s.send("diagnose sys flash list", "--More-- |fw1-2 # "), "1          FG100F-7.04-FW-build2795-250523 ")
}

func TestFortiDowngradeAsks(t *testing.T) {
	r := start(t, "fortios", device.Options{Name: "fw1", Faults: []device.Fault{{At: "verify", Do: "unsigned"}}})
	const old = "FGT_100F-v7.0.15.M-build0632-FORTINET.out"
	if err := r.Leave("server:"+old, device.MakeImage("FGT_100F", "7.0.15", 9000)); err != nil {
		t.Fatal(err)
	}
	s := r.shell("fw1 # ")
	s.send("execute restore image ftp "+old+" 192.0.2.99 someone secret", `\(y/n\)`)
	s.raw("y")
	has(t, s.expect(`\(y/n\)`), "failed signature validation")
	s.raw("y")
	has(t, s.expect(`\(y/n\)`), "will downgrade the current firmware version")
	s.raw("n")
	s.expect("fw1 # ")
	if truth := r.Truth(); truth.Boots != 0 || truth.Member("1").Values["next"] != "2" {
		t.Errorf("truth: %+v", truth)
	}
}

func TestFortiClusterLooks(t *testing.T) {
	r := fortigate(t, "fortios-ha", "FGT_100F")
	s := r.shell("fw1 # ")
	standard(s)
	for cmd, want := range map[string]string{
		"diagnose sys ha checksum cluster": "is_manage_primary()=0", "execute ha synchronize start": "synchronize", "get system admin list": "patch", "show system console": "set output standard",
		"show system global": "set admin-scp disable", "execute revision list config": "ADMIN", "execute backup config tftp x.conf 192.0.2.99": "to tftp server OK", "execute set-next-reboot secondary": "already the default",
		"get router info routing-table all": "S*", "execute ha manage 7 patch": "Could not manage", "get system status | grep Version": "Version: FortiGate-100F v7.2.7",
	} {
		has(t, s.send(cmd, "fw1 # "), want)
	}
	s.send("execute ha failover set 1", `\(y/n\)`)
	s.raw("y")
	s.gone()
	s = r.back("fw1-2 # ")
	has(t, s.send("get system status", "--More-- "), "v7.2.7")
	if unknown := r.Done().Unknown; len(unknown) > 0 {
		t.Errorf("unknown: %q", unknown)
	}
}
