package device_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/device"
)

const bigipImage = "BIGIP-17.1.2.1-0.0.2.iso"

// bigip starts one with an image; several of a group share one clock.
func bigip(t *testing.T, kind, name, imageKind string, group *device.Group, faults ...device.Fault) *rig {
	t.Helper()
	r := start(t, kind, device.Options{Name: name, Group: group, Faults: faults})
	if err := r.Leave("/shared/images/"+bigipImage, device.MakeImage(imageKind, "17.1.2.1", 90_000)); err != nil {
		t.Fatal(err)
	}
	return r
}

// status waits until the second volume is in a state.
func (r *rig) status(want string) {
	r.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(2 * time.Millisecond) {
		if strings.HasPrefix(r.Truth().Values["s2"], want) {
			return
		}
	}
	r.t.Fatalf("HD1.2 is %q", r.Truth().Values["s2"])
}

func TestBigipUpgradeBash(t *testing.T) {
	r := bigip(t, "f5-bigip", "lb1.lab", "bigip", nil)
	const prompt = `\[patch@lb1:Active:Standalone\] ~ # `
	s := r.shell(prompt)
	for _, cmd := range []string{
		"tmsh show sys version", "tmsh -q -c 'show sys hardware'", `tmsh -q -c "show sys software status"`, "tmsh show sys software status field-fmt", "tmsh show sys software image",
		"tmsh list sys software", "tmsh show sys mcp-state", "tmsh show cm sync-status", "tmsh show cm failover-status", "tmsh show cm device", "tmsh show sys clock", "tmsh show sys license",
		"tmsh show net interface", "tmsh show ltm virtual", "tmsh show ltm pool", "tmsh show net route", "tmsh list cm trust-domain", "df -k", "ls -l /shared/images",
	} {
		if out := s.send(cmd, prompt); strings.Count(out, "\n") < 3 || strings.Contains(out, "Syntax") || strings.Contains(out, "not found") {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	has(t, s.send("tmsh show sys failover", prompt), "Failover active for 16d 16:00:")
	has(t, s.send("show sys version", prompt), "-bash: show: command not found")
	has(t, s.send("tmsh show sys versio", prompt), "Syntax Error")
	has(t, s.send("md5sum /shared/images/"+bigipImage, prompt), "  /shared/images/"+bigipImage)
	has(t, s.send("tmsh save sys ucs /shared/before.ucs", prompt), "/shared/before.ucs is saved.")
	s.send("tmsh install sys software image "+bigipImage+" volume HD1.2", prompt)
	has(t, s.send("tmsh show sys software status", prompt), "HD1.1    BIG-IP  17.1.1.3   0.0.5     yes              complete", "HD1.2    BIG-IP  17.1.2.1 ")
	r.status("complete")
	s.raw("tmsh reboot volume HD1.2\r")
	s.gone()
	s = r.back("# ")
	settled(t, r, "mcpd", "running")
	has(t, s.send("tmsh show sys mcp-state", prompt), "full-config-load-succeed")
	has(t, s.send("tmsh show sys version", prompt), "Version     17.1.2.1", "Build       0.0.2")
	truth := r.Truth()
	if truth.Member("1").Values["version"] != "17.1.2.1" || truth.Values["active"] != "2" || truth.Values["s1"] != "complete" || truth.Boots != 1 {
		t.Errorf("truth: %+v", truth)
	}
}

func TestBigipTmsh(t *testing.T) {
	r := bigip(t, "f5-bigip-tmsh", "lb1", "bigip", nil)
	const prompt = `patch@\(lb1\)\(cfg-sync Standalone\)\(Active\)\(/Common\)\(tmos\)# `
	s := r.shell(prompt)
	s.send("show sys hardware", `---\(less 50%\)---`)
	s.raw("q")
	s.expect(prompt)
	s.send("modify cli preference pager disabled display-threshold 0", prompt)
	has(t, s.send("show sys hardware", prompt), "Chassis Serial             f5-")
	has(t, s.send(`run util bash -c "sha256sum /shared/images/`+bigipImage+`"`, prompt), "  /shared/images/"+bigipImage+"\n")
	has(t, s.send("tmsh show sys version", prompt), "Syntax Error")
	s.send("install sys software image "+bigipImage+" volume HD1.3", prompt)
	has(t, s.send("show sys software status", prompt), "HD1.2 ")
	s.send("install sys software image "+bigipImage+" volume HD1.3 create-volume", prompt)
	settled(t, r, "s3", "complete")
	s.raw("reboot volume HD1.3\r")
	s.gone()
	s = r.back(`tmos\)# `)
	settled(t, r, "mcpd", "running")
	has(t, s.send("show sys version", prompt), "17.1.2.1")
}

func TestBigipPair(t *testing.T) {
	group := device.NewGroup(time.Time{}, 20000)
	a := bigip(t, "f5-bigip-a", "bigip-a", "bigip", group)
	b := bigip(t, "f5-bigip-b", "bigip-b", "bigip", group)
	const activeA, standbyB = `\[patch@bigip-a:Active:In Sync\] ~ # `, `\[patch@bigip-b:Standby:In Sync\] ~ # `
	sa, sb := a.shell(activeA), b.shell(standbyB)
	has(t, sa.send("tmsh show cm sync-status", activeA), "Color    green", "(In Sync): All devices")
	sb.send("tmsh install sys software image "+bigipImage+" volume HD1.2", standbyB)
	b.status("complete")
	sb.raw("tmsh reboot volume HD1.2\r")
	sb.gone()
	b.back("# ")
	settled(t, b, "mcpd", "running")
	has(t, sa.send("tmsh show cm sync-status", `bigip-a:Active:Changes Pending\] ~ # `), "Changes Pending")
	has(t, sa.send("tmsh run cm config-sync to-group sync_failover", `Pending\] ~ # `), "different versions")
	sa.send("tmsh run sys failover standby", `bigip-a:Standby:Changes Pending\] ~ # `)
	if role := b.Truth().Values["role"]; role != "active" {
		t.Fatalf("b is %s", role)
	}
	sa.send("tmsh install sys software image "+bigipImage+" volume HD1.2", `# `)
	a.status("complete")
	sa.raw("tmsh reboot volume HD1.2\r")
	sa.gone()
	a.back(`# `)
	settled(t, a, "mcpd", "running")
	sb = b.shell(`\[patch@bigip-b:Active:Changes Pending\] ~ # `)
	sb.send("tmsh run cm config-sync to-group sync_failover", `\[patch@bigip-b:Active:In Sync\] ~ # `)
	for _, r := range []*rig{a, b} {
		if truth := r.Truth(); truth.Member("1").Values["version"] != "17.1.2.1" || truth.Values["pending"] != "" || truth.Boots != 1 {
			t.Errorf("truth: %+v", truth)
		}
	}
}

func TestBigipActiveReboots(t *testing.T) {
	group := device.NewGroup(time.Time{}, 20000)
	a := bigip(t, "f5-bigip-a", "bigip-a", "bigip", group)
	b := bigip(t, "f5-bigip-b", "bigip-b", "bigip", group)
	sa := a.shell("# ")
	sa.raw("tmsh reboot\r")
	sa.gone()
	a.back("# ")
	settled(t, a, "mcpd", "running")
	if a.Truth().Values["role"] != "standby" || b.Truth().Values["role"] != "active" {
		t.Errorf("a %s, b %s", a.Truth().Values["role"], b.Truth().Values["role"])
	}
}

func TestBigipInstallFails(t *testing.T) {
	for name, c := range map[string]struct {
		kind   string
		faults []device.Fault
		want   string
	}{
		"platform": {"another", nil, "failed (The image is not for this platform.)"},
		"tests":    {"bigip", []device.Fault{{At: "installing", Do: "install_fails"}}, "failed (Software compatibility"},
		"disk":     {"bigip", []device.Fault{{At: "install", Do: "disk_full"}}, "failed (Disk full"},
	} {
		t.Run(name, func(t *testing.T) {
			r := bigip(t, "f5-bigip", "lb1", c.kind, nil, c.faults...)
			s := r.shell("# ")
			s.send("tmsh install sys software image "+bigipImage+" volume HD1.2", "# ")
			r.status("failed")
			has(t, s.send("tmsh show sys software status", "# "), c.want)
			has(t, s.send("tmsh reboot volume HD1.2", "# "), "has no software that is installed completely")
		})
	}
}

func TestBigipBootFails(t *testing.T) {
	for name, c := range map[string]struct {
		fault   device.Fault
		version string
		load    string
	}{
		"config": {device.Fault{At: "boot", Do: "config_fails"}, "17.1.2.1", "base-config-load-failed"},
		"old":    {device.Fault{At: "boot", Do: "old_image"}, "17.1.1.3", "full-config-load-succeed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := bigip(t, "f5-bigip", "lb1", "bigip", nil, c.fault)
			s := r.shell("# ")
			s.send("tmsh install sys software image "+bigipImage+" volume HD1.2", "# ")
			r.status("complete")
			s.raw("tmsh reboot volume HD1.2\r")
			s.gone()
			r.back("# ")
			settled(t, r, "mcpd", "running")
			truth := r.Truth()
			if truth.Member("1").Values["version"] != c.version || truth.Values["load"] != c.load {
				t.Errorf("truth: %+v", truth)
			}
		})
	}
}

func TestBigipActiveLosesPower(t *testing.T) {
	group := device.NewGroup(time.Time{}, 20000)
	a := bigip(t, "f5-bigip-a", "bigip-a", "bigip", group, device.Fault{At: "install", Do: "power_cut"})
	b := bigip(t, "f5-bigip-b", "bigip-b", "bigip", group)
	sa := a.shell("# ")
	sa.raw("tmsh install sys software image " + bigipImage + " volume HD1.2\r")
	sa.gone()
	a.back("# ")
	settled(t, a, "mcpd", "running")
	if a.Truth().Values["role"] != "standby" || b.Truth().Values["role"] != "active" || a.Truth().Values["active"] != "1" {
		t.Errorf("a: %+v", a.Truth().Values)
	}
}

func TestBigipPairLooks(t *testing.T) {
	group := device.NewGroup(time.Time{}, 20000)
	a := bigip(t, "f5-bigip-a", "bigip-a", "bigip", group)
	b := bigip(t, "f5-bigip-b", "bigip-b", "bigip", group)
	s := b.shell("# ")
	for cmd, want := range map[string]string{
		"tmsh show sys failover": "Failover standby for", "tmsh show cm failover-status": "Status   STANDBY", "tmsh show cm device": "Device HA State              standby",
		"tmsh list cm device-group": "type sync-failover", "tmsh list cm trust-domain": "status initialized", "tmsh show running-config": "ltm pool", "tmsh save sys config": "Saving running",
		"cat /VERSION": "Version: 17.1.1.3", "cat /proc/uptime": "1440", "who": "patch", "tmsh delete sys software image " + bigipImage: "", "ls /shared/images": "BIGIP-16.1.4.1",
		"tmsh delete sys software volume HD1.1": "is active", "tmsh run sys failover standby": "",
	} {
		has(t, s.send(cmd, "# "), want)
	}
	s.send("tmsh", `tmos\)# `)
	s.send("delete sys software volume HD1.2", `tmos\)# `)
	s.send("quit", `~ # `)
	a.shell("# ").send("tmsh run sys failover offline", `bigip-a:ForcedOffline:In Sync\] ~ # `)
	has(t, s.send("tmsh show cm failover-status", "# "), "Status   ACTIVE", "bigip-a: offline")
	if unknown := b.Done().Unknown; len(unknown) > 0 {
		t.Errorf("unknown: %q", unknown)
	}
}

func TestBigipStaysInoperative(t *testing.T) {
	group := device.NewGroup(time.Time{}, 20000)
	a := bigip(t, "f5-bigip-a", "bigip-a", "bigip", group)
	b := bigip(t, "f5-bigip-b", "bigip-b", "bigip", group, device.Fault{At: "boot", Do: "mcpd_stuck"})
	s := b.shell("# ")
	s.raw("tmsh reboot\r")
	s.gone()
	const prompt = `\[patch@bigip-b:INOPERATIVE:Disconnected\] ~ # `
	s = b.back(prompt)
	has(t, s.send("tmsh show sys mcp-state", prompt), "Running Phase                   base-config-load")
	has(t, s.send("tmsh show sys version", prompt), "The system is not ready")
	a.shell("# ").send("tmsh run sys failover standby", `bigip-a:Active:Disconnected\] ~ # `)
}
