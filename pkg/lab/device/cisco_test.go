package device_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/device"
)

func TestCiscoInstallMode(t *testing.T) {
	r := start(t, "cisco-iosxe", device.Options{})
	image := device.MakeImage("cat9k", "17.12.04", 100_000)
	if err := r.Leave("flash:cat9k_iosxe.17.12.04.SPA.bin", image); err != nil {
		t.Fatal(err)
	}
	s := r.shell("sw1>")
	s.send("enable", "Password: ")
	s.send("pw", "sw1#")
	has(t, s.send("show boot", "sw1#"), "BOOT variable = flash:packages.conf;")
	s.send("terminal length 0", "sw1#")
	has(t, s.send("show version", "sw1#"), "Version 17.9.4a, RELEASE", "INSTALL\n", "uptime is 12 weeks, 4 days, 4 hours, ")
	for _, cmd := range []string{
		"show inventory", "show switch", "show redundancy", "show install summary", "dir flash:", "dir", "show file systems", "show running-config", "show startup-config",
		"show archive config differences", "show interfaces status", "show bgp all summary", "show ip route summary", "show users", "show clock", "show reload", "show privilege",
	} {
		if out := s.send(cmd, "sw1#"); strings.Count(out, "\n") < 2 || strings.Contains(out, "Invalid") {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	has(t, s.send("verify /md5 flash:cat9k_iosxe.17.12.04.SPA.bin", "sw1#"), "verify /md5 (flash:cat9k_iosxe.17.12.04.SPA.bin) = ")
	has(t, s.send("install add file flash:cat9k_iosxe.17.12.04.SPA.bin", "sw1#"), "SUCCESS: install_add ", "Image added. Version: 17.12.04.0.6")
	s.send("install activate auto-abort-timer 60", `\[y/n\]`)
	s.raw("y")
	s.gone()
	s = r.back("sw1>")
	s.send("enable", "Password: ")
	s.send("pw", "sw1#")
	has(t, s.send("show install summary", "sw1#"), "IMG   U    17.12.04.0.6", "active , time before rollback - 00:")
	has(t, s.send("install commit", "sw1#"), "SUCCESS: install_commit ")
	has(t, s.send("show install summary", "sw1#"), "IMG   C    17.12.04.0.6", "IMG   I    17.09.04a.0.6", "timer: inactive")
	r.Advance(3 * time.Hour)
	if truth := r.Truth(); truth.Members[0].Values["c"] != "17.12.04" || truth.Members[0].Values["version"] != "17.12.04" || truth.Boots != 1 {
		t.Errorf("truth: %+v", truth)
	}
}

// enabled opens a session with privileges and without a pager.
func enabled(s *shell, name string) {
	s.send("enable", "Password: ")
	s.send("pw", name+"#")
	s.send("terminal length 0", name+"#")
}

func TestCiscoStack(t *testing.T) {
	r := start(t, "cisco-iosxe-stack", device.Options{Faults: []device.Fault{{At: "add_middle", Member: "2", Do: "flash_full"}}})
	if err := r.Leave("flash:cat9k_iosxe.17.12.04.SPA.bin", device.MakeImage("cat9k", "17.12.04", 100_000)); err != nil {
		t.Fatal(err)
	}
	s := r.shell("sw1>")
	enabled(s, "sw1")
	has(t, s.send("show version", "sw1#"), "*    1 65    C9300-48P          17.09.04a         CAT9K_IOSXE           INSTALL\n     2 65 ", "Switch 03\n")
	has(t, s.send("show switch", "sw1#"), "*1       Active   ", " 3       Member   ")
	has(t, s.send("install add file flash:cat9k_iosxe.17.12.04.SPA.bin", "sw1#"), " [2] Switch 2 FAILED: flash: requires more", "FAILED: install_add exit(1)")
	truth := r.Truth()
	if truth.Member("2").Free["flash"] != 0 || truth.Member("1").Values["i"] != "" {
		t.Errorf("truth: %+v", truth)
	}
}

func TestCiscoAbortsByItself(t *testing.T) {
	r := start(t, "cisco-iosxe-stack", device.Options{})
	if err := r.Leave("flash:x.bin", device.MakeImage("cat9k", "17.12.04", 5000)); err != nil {
		t.Fatal(err)
	}
	s := r.shell("sw1>")
	enabled(s, "sw1")
	s.send("install add file flash:x.bin", "sw1#")
	s.send("install activate", `\[y/n\]`)
	s.raw("y")
	s.gone()
	s = r.back("sw1>")
	enabled(s, "sw1")
	has(t, s.send("show version", "sw1#"), "17.12.04 ")
	has(t, s.send("show install summary", "sw1#"), "[ Switch 1 2 3 ]", "IMG   U    17.12.04")
	r.Advance(121 * time.Minute)
	s.gone()
	r.back("sw1>")
	for _, m := range r.Truth().Members {
		if m.Values["version"] != "17.09.04a" || m.Values["i"] != "17.12.04" {
			t.Errorf("member %+v", m)
		}
	}
}

func TestCiscoBundle(t *testing.T) {
	for kind, c := range map[string]struct{ path, line, image, version string }{
		"cisco-iosxe-bundle":       {"bootflash:", "boot system flash bootflash:new.bin", "router", "Version 17.12.4, RELEASE"},
		"cisco-iosxe-bundle-stack": {"flash:", "boot system switch all flash:new.bin", "cat9k", "17.12.04"},
	} {
		t.Run(kind, func(t *testing.T) {
			r := start(t, kind, device.Options{})
			if err := r.Leave(c.path+"new.bin", device.MakeImage(c.image, "17.12.04", 5000)); err != nil {
				t.Fatal(err)
			}
			s := r.shell("sw1>")
			enabled(s, "sw1")
			if kind == "cisco-iosxe-bundle-stack" {
				s.send("copy flash:new.bin flash-2:new.bin", `\[new.bin\]\? `)
				has(t, s.send("", "sw1#"), "bytes copied")
			}
			has(t, s.send("install add file "+c.path+"new.bin", "sw1#"), "Booted in bundle mode")
			s.send("configure terminal", `\(config\)#`)
			s.send("no boot system", `\(config\)#`)
			s.send(c.line, `\(config\)#`)
			s.send("end", "sw1#")
			has(t, s.send("show boot", "sw1#"), "BOOT variable = "+c.path+"new.bin")
			s.send("reload", `Save\? \[yes/no\]: `)
			s.send("yes", `Proceed with reload\? \[confirm\]`)
			s.raw("\r")
			s.gone()
			s = r.back("sw1>")
			enabled(s, "sw1")
			has(t, s.send("show version", "sw1#"), c.version, `System image file is "`+c.path+"new.bin")
			for _, m := range r.Truth().Members {
				if m.Values["version"] != "17.12.04" || m.Values["state"] != "Ready" {
					t.Errorf("member: %+v", m)
				}
			}
		})
	}
}
