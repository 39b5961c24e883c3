package device_test

import (
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"github.com/patchring/patchring/pkg/lab/device"
)

const aristaImage = "flash:EOS-4.31.5M.swi"

// privileged opens an EOS session with privileges and without a pager.
func privileged(s *shell, name string) {
	s.t.Helper()
	s.send("enable", "Password: ")
	s.send("pw", name+"#")
	has(s.t, s.send("terminal length 0", name+"#"), "Pagination disabled.")
}

// reloads answers the dialogue of a reload with unsaved changes.
func reloads(s *shell) {
	s.t.Helper()
	s.send("reload", `Save\? \[yes/no/cancel/diff\]:`)
	has(s.t, s.send("yes", `Proceed with reload\? \[confirm\]`), "Copy completed successfully.")
	s.raw("\r")
	s.gone()
}

func TestAristaUpgrade(t *testing.T) {
	r := start(t, "arista-eos", device.Options{})
	if err := r.Leave("/mnt/flash/EOS-4.31.5M.swi", device.MakeImage("eos", "4.31.5M", 100_000)); err != nil {
		t.Fatal(err)
	}
	s := r.shell("sw1>")
	has(t, s.send("show running-config", "sw1>"), "% Invalid input (privileged mode required)")
	privileged(s, "sw1")
	aristaShows(t, s)
	for _, hash := range []string{"md5", "sha1", "sha256", "sha512"} {
		has(t, s.send("verify /"+hash+" "+aristaImage, "sw1#"), "verify /"+hash+" ("+aristaImage+") = ")
	}
	has(t, s.send("install source "+aristaImage, "sw1#"), "Committing changes on this supervisor... done.")
	has(t, s.send("show boot-config", "sw1#"), "Software image: flash:/EOS-4.31.5M.swi\n")
	s.send("configure", `\(config\)#`)
	s.send("alias x show version", `\(config\)#`)
	s.send("end", "sw1#")
	has(t, s.send("show running-config diffs", "sw1#"), "+alias x show version\n")
	has(t, s.send("reload", `diff\]:`), "System configuration has been modified.")
	has(t, s.send("diff", `diff\]:`), "+alias x show version\n")
	s.send("cancel", "sw1#")
	reloads(s)
	s = r.back("sw1>")
	has(t, s.send("show version", "sw1>"), "Software image version: 4.31.5M\n")
	has(t, s.send("show reload cause", "sw1>"), "Reload requested by the user.")
	truth := r.Truth()
	if m := truth.Members[0]; m.Values["version"] != "4.31.5M" || truth.Values["boot"] != "flash:/EOS-4.31.5M.swi" || truth.Boots != 1 || !strings.Contains(truth.Startup, "alias x") {
		t.Errorf("truth: %+v", truth)
	}
	if done := r.Done(); done.Count("installed") != 1 || done.Count("reload") != 3 || len(done.Unknown) != 0 {
		t.Errorf("done: %+v", done)
	}
}

// aristaShows looks whether every command that only reads is known.
func aristaShows(t *testing.T, s *shell) {
	t.Helper()
	for cmd, want := range map[string]string{
		"show version": "Arista DCS-7050SX3-48YC8\n", "show inventory": "SSJ2", "show boot-config": "Software image: flash:/EOS-4.29.2F.swi\n",
		"dir flash:": "EOS-4.31.5M.swi\n", "show running-config": "! device: sw1 (DCS-7050SX3-48YC8, EOS-4.29.2F)", "show startup-config": "hostname sw1",
		"show redundancy states": "my state = ACTIVE", "show interfaces status": "connected", "show ip bgp summary vrf all": "Estab", "show ip bgp summary": "88d4h",
		"show ip route summary": "426", "show lldp neighbors": "spine1", "show users": "patch", "show mlag": "Disabled", "show mlag detail": "MLAG Status:",
		"show uptime": "up 88 days", "show reload cause": "Reload Cause 1:", "show clock": "Timezone", "show configuration sessions": "pending sessions",
		"terminal width 32767": "Width set to 32767 columns.",
	} {
		if out := s.send(cmd, "sw1#"); !strings.Contains(out, want) {
			t.Errorf("%s: no %q in %s", cmd, want, out)
		}
	}
	if out := s.send("show running-config diffs", "sw1#"); strings.Count(out, "\n") != 1 {
		t.Errorf("differences: %q", out)
	}
}

func TestAristaRefusesImages(t *testing.T) {
	r := start(t, "arista-eos", device.Options{Values: map[string]string{"suffix": "(s1)"}})
	good := device.MakeImage("eos", "4.31.5M", 5000)
	for name, content := range map[string][]byte{"cut.swi": good[:4000], "other.swi": device.MakeImage("cat9k", "17.12.04", 5000)} {
		if err := r.Leave("flash:"+name, content); err != nil {
			t.Fatal(err)
		}
	}
	s := r.shell(`sw1\(s1\)>`)
	s.send("enable", "Password: ")
	s.send("pw", `sw1\(s1\)#`)
	for _, name := range []string{"cut.swi", "other.swi"} {
		has(t, s.send("install source flash:"+name, `sw1\(s1\)#`), "% Error: flash:"+name+" is not a valid EOS image")
	}
	has(t, s.send("install source flash:none.swi", `sw1\(s1\)#`), "No such file or directory")
	if boot := r.Truth().Values["boot"]; boot != "flash:/EOS-4.29.2F.swi" {
		t.Errorf("it would boot %s", boot)
	}
}

func TestAristaBoots(t *testing.T) {
	for name, c := range map[string]struct {
		fault   device.Fault
		version string
		sees    []string
	}{
		"the old image": {device.Fault{At: "boot", Do: "old_image"}, "4.29.2F", []string{"Software image version: 4.29.2F"}},
		"degraded":      {device.Fault{At: "boot", Do: "boots_degraded"}, "4.31.5M", []string{"uplink                 notconnect"}},
		"by power loss": {device.Fault{At: "reload", Do: "power_cut"}, "4.31.5M", []string{"Power Loss"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, "arista-eos", device.Options{Faults: []device.Fault{c.fault}})
			if err := r.Leave(aristaImage, device.MakeImage("eos", "4.31.5M", 5000)); err != nil {
				t.Fatal(err)
			}
			s := r.shell("sw1>")
			privileged(s, "sw1")
			s.send("install source "+aristaImage, "sw1#")
			s.raw("reload now\r")
			s.gone()
			s = r.back("sw1>")
			s.send("terminal length 0", "sw1>")
			out := s.send("show version", "sw1>") + s.send("show interfaces status", "sw1>") + s.send("show reload cause", "sw1>")
			has(t, out, c.sees...)
			if got := r.Truth().Members[0].Values["version"]; got != c.version {
				t.Errorf("it runs %s", got)
			}
		})
	}
}

func TestAristaWithoutAnImageStaysInAboot(t *testing.T) {
	r := start(t, "arista-eos", device.Options{})
	s := r.shell("sw1>")
	privileged(s, "sw1")
	s.send("delete flash:EOS-4.29.2F.swi", "sw1#")
	s.raw("reload now\r")
	s.gone()
	for end := time.Now().Add(patience); r.Done().Count("aboot") == 0; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it has not looked for an image")
		}
	}
	if truth := r.Truth(); truth.Values["dead"] != "yes" || !truth.Down {
		t.Errorf("truth: %+v", truth)
	}
}

func TestAristaExecAndSession(t *testing.T) {
	r := start(t, "arista-eos", device.Options{})
	exec, err := r.dial().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Output("show version")
	if err != nil || !strings.Contains(string(out), "Software image version: 4.29.2F") {
		t.Errorf("exec: %v\n%s", err, out)
	}
	s := r.shell("sw1>")
	privileged(s, "sw1")
	s.send("configure session night", `sw1\(config-s-night\)#`)
	s.send("vlan 999", `\(config-s-night\)#`)
	has(t, s.send("show session-config diffs", `\(config-s-night\)#`), "+vlan 999")
	s.send("commit timer 00:05:00", "sw1#")
	has(t, s.send("show running-config", "sw1#"), "vlan 999\n")
	r.Advance(6 * time.Minute)
	restored := func(running string) bool { // the timer's routine has its own goroutine
		return !strings.Contains(running, "vlan 999") && strings.Contains(running, "ip routing")
	}
	for end := time.Now().Add(patience); !restored(r.Truth().Running) && time.Now().Before(end); {
		<-time.After(5 * time.Millisecond)
	}
	if out := s.send("show running-config", "sw1#"); !restored(out) {
		t.Errorf("the timer did not put the configuration back:\n%s", out)
	}
}

// aristaPair starts both switches of an MLAG pair with an image on each.
func aristaPair(t *testing.T, faults ...device.Fault) (a, b *rig) {
	t.Helper()
	group := device.NewGroup(time.Time{}, 20000)
	timing := map[string]time.Duration{"reload_delay": 48 * time.Hour}
	a = start(t, "arista-eos-mlag-a", device.Options{Name: "sw1", Group: group, Timing: timing})
	b = start(t, "arista-eos-mlag-b", device.Options{Name: "sw2", Group: group, Timing: timing, Faults: faults})
	for _, r := range []*rig{a, b} {
		if err := r.Leave(aristaImage, device.MakeImage("eos", "4.31.5M", 5000)); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// upgrades installs the image and reloads.
func upgrades(r *rig, name string) *shell {
	r.t.Helper()
	s := r.shell(name + ">")
	privileged(s, name)
	s.send("install source "+aristaImage, name+"#")
	s.raw("reload now\r")
	s.gone()
	return r.back(name + ">")
}

func TestAristaPair(t *testing.T) {
	a, b := aristaPair(t)
	other := a.shell("sw1>")
	has(t, other.send("show mlag", "sw1>"), "Active-full                        :                   2", "         Connected\n")
	has(t, other.send("show mlag config-sanity", "sw1>"), "No global configuration inconsistencies found.")
	s := upgrades(b, "sw2")
	s.send("terminal length 0", "sw2>")
	has(t, s.send("show mlag detail", "sw2>"), "State                           :           secondary", "Ports errdisabled               :                True", "Inactive                           :                   2")
	b.Advance(50 * time.Hour)
	has(t, s.send("show mlag detail", "sw2>"), "Ports errdisabled               :               False", "Active-full                        :                   2")
	// The primary hands its role over by its own reload, and does not take it back.
	upgrades(a, "sw1")
	if one, two := a.Truth(), b.Truth(); one.Values["role"] != "secondary" || two.Values["role"] != "primary" || one.Members[0].Values["version"] != "4.31.5M" || two.Boots != 1 {
		t.Errorf("truth: %+v\n%+v", one, two)
	}
}

func TestAristaPairThatDoesNotFindTogether(t *testing.T) {
	a, b := aristaPair(t, device.Fault{At: "boot", Do: "mlag_never"})
	s := upgrades(b, "sw2")
	has(t, s.send("show mlag", "sw2>"), "          Inactive\n", "        Connecting\n")
	has(t, a.shell("sw1>").send("show mlag", "sw1>"), "        Connecting\n", "Active-partial                     :                   2")
}

func TestAristaTakesFiles(t *testing.T) {
	r := start(t, "arista-eos", device.Options{})
	content := device.MakeImage("eos", "4.31.5M", 50_000)
	r.pushed("/mnt/flash/", "one.swi", content)
	client, err := sftp.NewClient(r.dial())
	if err != nil {
		t.Fatal(err)
	}
	file, err := client.Create("/mnt/flash/two.swi")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Close(), client.Close()); err != nil {
		t.Fatal(err)
	}
	s := r.shell("sw1>")
	privileged(s, "sw1")
	sum := sha512.Sum512(content)
	for _, name := range []string{"one.swi", "two.swi"} {
		has(t, s.send("verify /sha512 flash:"+name, "sw1#"), " = "+hex.EncodeToString(sum[:]))
	}
}

// The other way to name the image; it counts as a change that is to be saved.
func TestAristaBootSystem(t *testing.T) {
	r := start(t, "arista-eos", device.Options{Values: map[string]string{"version": "4.30.1F", "serial": "SSJ1"}})
	if err := r.Leave(aristaImage, device.MakeImage("eos", "4.31.5M", 5000)); err != nil {
		t.Fatal(err)
	}
	s := r.shell("sw1>")
	privileged(s, "sw1")
	has(t, s.send("show boot-config", "sw1#"), "flash:/EOS-4.30.1F.swi")
	has(t, s.send("show version", "sw1#"), "Software image version: 4.30.1F", "SSJ1")
	s.send("configure terminal", `\(config\)#`)
	has(t, s.send("boot system flash:none.swi", `\(config\)#`), "No such file or directory")
	s.send("boot system "+aristaImage, `\(config\)#`)
	s.send("end", "sw1#")
	reloads(s)
	r.back("sw1>")
	if m := r.Truth().Members[0]; m.Values["version"] != "4.31.5M" {
		t.Errorf("it runs %s", m.Values["version"])
	}
}
