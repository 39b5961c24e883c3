package workflow

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

const (
	junosOld  = "22.4R3-S2.11"
	junosNew  = "23.4R2-S3.9"
	junosFile = "junos-install-mx-x86-64-23.4R2-S3.9.tgz"
	uptimeCmd = "show system uptime"
)

// noAlarms makes a sample complete that has no alarms.
func noAlarms(g *gear) *gear { return g.print("show chassis alarms", "No alarms currently active\n") }

func junosSingle(t *testing.T) *gear {
	t.Helper()
	return noAlarms(gearOf(t, "junos", "single"))
}

func TestJunosSingle(t *testing.T) {
	g := junosSingle(t)
	steps := g.steps(g.image(junosNew, junosFile))
	golden(t, "junos_single", steps)

	stands(t, g.judge(steps, "add"), platform.NotDone, "not added")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")
	stands(t, g.judge(steps, "proven"), platform.Unknown, "not every member")

	g.say("show version", "Junos: "+junosOld, "Junos: "+junosOld+"\nPending: "+junosNew)
	stands(t, g.judge(steps, "add"), platform.Done, "")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")
	g.say("show version", "Pending: "+junosNew, "Pending: 21.1R1.1")
	stands(t, g.judge(steps, "add"), platform.Failed, "something else")
	stands(t, g.judge(steps, "preflight"), platform.Failed, "somebody has added")
}

// TestJunosReboot is what may be found after the reboot.
func TestJunosReboot(t *testing.T) {
	rebooted := func(g *gear) *gear {
		g.at = planned.Add(17 * time.Minute)
		return g.print(uptimeCmd, "System booted: 2026-03-10 05:20:00 UTC (00:04 ago)\n")
	}
	up := func(g *gear, version string) *gear { return g.say("show version", junosOld, version) }
	for _, tt := range []struct {
		name string
		edit func(*gear)
		step platform.StepID
		want platform.State
		word string
	}{
		{"new, rebooted", func(g *gear) { rebooted(up(g, junosNew)) }, "install", platform.Done, ""},
		{"new, proven", func(g *gear) { rebooted(up(g, junosNew)) }, "done_again", platform.Done, ""},
		{"new, without a reboot", func(g *gear) { up(g, junosNew) }, "install", platform.Unknown, "contradicts"},
		{"old, rebooted", func(g *gear) { rebooted(g) }, "install", platform.Failed, "again"},
		{"another version", func(g *gear) { rebooted(up(g, "23.4R1.2")) }, "install", platform.Unknown, "another version"},
		{"another service release", func(g *gear) { rebooted(up(g, "23.4R2-S30.1")) }, "install", platform.Unknown, "another version"},
		{"from the backup", func(g *gear) {
			rebooted(up(g, junosNew)).print("show chassis alarms", "2026-03-10 05:21:00 UTC  Minor  Host 0 Boot from backup root\n")
		}, "proven", platform.Running, "backup"},
		{"alarms unknown", func(g *gear) { rebooted(up(g, junosNew)); delete(g.over, "show chassis alarms") }, "done", platform.Running, "alarms"},
		{"another device", func(g *gear) { rebooted(up(g, junosNew)).say("show chassis hardware", "AB0100", "AB0999") }, "install", platform.Unknown, "not the same device"},
		{"boot time unknown", func(g *gear) { up(g, junosNew).print(uptimeCmd, "no answer\n") }, "done", platform.Running, "came up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := junosSingle(t)
			steps := g.steps(g.image(junosNew, junosFile))
			tt.edit(g)
			stands(t, g.judge(steps, tt.step), tt.want, tt.word)
		})
	}
}

func TestJunosBack(t *testing.T) {
	g := junosSingle(t)
	golden(t, "junos_back", g.steps(g.image("21.4R3.15", "", back)))
	vc := noAlarms(gearOf(t, "junos", "virtual_chassis"))
	if why := vc.refused(vc.image("20.4R3.8", "", back)); !strings.Contains(why, "former package") {
		t.Error(why)
	}
}

func TestJunosVirtualChassis(t *testing.T) {
	const old, file = "21.4R3-S5.4", "jinstall-ex-4300-23.4R2-S3.9-signed.tgz"
	g := noAlarms(gearOf(t, "junos", "virtual_chassis"))
	steps := g.steps(g.image(junosNew, file))
	golden(t, "junos_vc", steps)
	stands(t, g.judge(steps, "add"), platform.Done, "") // the sample has it pending on both

	g.over["show version"] = strings.Replace(string(g.result("show version").Out), "Pending: "+junosNew+"\n", "", 1)
	stands(t, g.judge(steps, "add"), platform.Unknown, "only a part")
	g.say("show version", "Pending: "+junosNew+"\n", "")
	stands(t, g.judge(steps, "add"), platform.NotDone, "not added")

	first := strings.Replace(string(g.result("show version").Out), old, junosNew, 2)
	g.print("show version", first)
	stands(t, g.judge(steps, "install"), platform.Running, "coming up")
	g.say("show version", old, junosNew)
	stands(t, g.judge(steps, "install"), platform.Unknown, "has not restarted")
	g.at = planned.Add(30 * time.Minute)
	g.print(uptimeCmd, "fpc0:\n---\nSystem booted: 2026-03-10 05:30:00 UTC (00:07 ago)\n\nfpc1:\n---\nSystem booted: 2026-03-10 05:30:00 UTC (00:07 ago)\n")
	stands(t, g.judge(steps, "install"), platform.Done, "")
	stands(t, g.judge(steps, "done"), platform.Done, "")
	g.say("show virtual-chassis", "1 (FPC 1)  Prsnt ", "1 (FPC 1)  Inactive ")
	stands(t, g.judge(steps, "done"), platform.Running, "Inactive")
	g.print("show virtual-chassis", "Virtual Chassis ID: 0000.e255.00e0\n0 (FPC 0)  Prsnt    PE3714100001 ex4300-48t     129   Master*      N  VC\n1 (FPC 1)  NotPrsnt\n")
	stands(t, g.judge(steps, "done"), platform.Running, "not there")
}

func TestJunosTwoEngines(t *testing.T) {
	const old, all = "20.4R3-S4.8", "show version invoke-on all-routing-engines"
	g := noAlarms(gearOf(t, "junos", "dual_re"))
	g.print("show configuration chassis redundancy", "\n").print("show configuration routing-options", "static { }\n")
	steps := g.steps(g.image(junosNew, junosFile, func(w *patch.Work) { w.Image.Models = []string{"mx480"} }))
	golden(t, "junos_dual", steps)
	g.print("show system storage", "/dev/gpt/var 30G 1.2G 26G 4% /.mount/var\n")
	stands(t, g.judge(steps, "preflight"), platform.Done, "")

	stands(t, g.judge(steps, "add_other"), platform.NotDone, "not added")
	stands(t, g.judge(steps, "reboot_other"), platform.NotDone, "still runs")
	stands(t, g.judge(steps, "install"), platform.Failed, "left alone")

	g.say(all, "core1-re1\nModel: mx480\nJunos: "+old, "core1-re1\nModel: mx480\nJunos: "+old+"\nPending: "+junosNew)
	stands(t, g.judge(steps, "add_other"), platform.Done, "")
	stands(t, g.judge(steps, "add"), platform.NotDone, "not added")
	stands(t, g.judge(steps, "reboot_other"), platform.NotDone, "and its next boot starts "+junosNew)
	g.say(all, "Junos: "+old+"\nPending: "+junosNew, "Junos: "+junosNew)
	stands(t, g.judge(steps, "reboot_other"), platform.Done, "")
	stands(t, g.judge(steps, "add"), platform.NotDone, "it runs already on member 1")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")

	// The engine that answers is the other one: what would be typed there hits the good one.
	swapped := g.again(t)
	swapped.print("show chassis routing-engine", strings.NewReplacer("Master", "Backup", "Backup", "Master").Replace(string(g.result("show chassis routing-engine").Out)))
	stands(t, swapped.judge(steps, "install"), platform.Unknown, "another routing engine leads")
	stands(t, swapped.judge(steps, "add"), platform.Unknown, "another routing engine leads")
	standby := g.again(t)
	standby.say("show version", "{master}", "{backup}")
	stands(t, standby.judge(steps, "install"), platform.Unknown, "nothing is typed")

	g.say(all, old, junosNew).say("show version", old, junosNew)
	stands(t, g.judge(steps, "install"), platform.Unknown, "has not restarted")
	g.at = planned.Add(40 * time.Minute)
	g.print(uptimeCmd, "System booted: 2026-03-10 05:30:00 UTC (00:17 ago)\n")
	stands(t, g.judge(steps, "install"), platform.Done, "")
	stands(t, g.judge(steps, "lead"), platform.Done, "")
	stands(t, g.judge(steps, "done_again"), platform.Done, "")

	// The other one leads since the primary was away: what was before, is given back.
	const roles = "show chassis routing-engine"
	whole := string(g.result(roles).Out)
	g.print(roles, strings.NewReplacer("Master", "Backup", "Backup", "Master").Replace(whole))
	stands(t, g.judge(steps, "settle"), platform.Done, "")
	stands(t, g.judge(steps, "lead"), platform.NotDone, "routing engine 1 leads")
	g.say(roles, "9 days, 3 hours, 3 minutes, 55 seconds", "3 minutes, 55 seconds")
	stands(t, g.judge(steps, "settle"), platform.Running, "up for 3 minutes, 55 seconds only")
	g.print(roles, strings.ReplaceAll(whole, "Master", "Backup"))
	stands(t, g.judge(steps, "settle"), platform.Running, "do not agree yet")
	stands(t, g.judge(steps, "lead"), platform.Unknown, "do not agree")
	g.print(roles, whole).say(all, "Junos: "+junosNew, "Junos: "+old)
	stands(t, g.judge(steps, "lead"), platform.Unknown, "do not agree")
}

func TestJunosEnginesRefused(t *testing.T) {
	for name, tt := range map[string]struct{ cmd, text, word string }{
		"switchover":   {"show configuration chassis redundancy", "graceful-switchover;\n", "graceful-switchover is configured"},
		"nonstop":      {"show configuration routing-options", "nonstop-routing;\n", "nonstop-routing is configured"},
		"not to learn": {"", "", "nobody can tell whether nonstop-routing"},
		"the backup":   {"show version", "Hostname: core1-re1\nModel: mx480\nJunos: 20.4R3-S4.8\n\n{backup}\n", "not the primary"},
	} {
		t.Run(name, func(t *testing.T) {
			g := noAlarms(gearOf(t, "junos", "dual_re"))
			steps := g.steps(g.image(junosNew, junosFile))
			g.print(tt.cmd, tt.text)
			stands(t, g.judge(steps, "preflight"), platform.Failed, tt.word)
		})
	}
}

func TestJunosRefused(t *testing.T) {
	g := gearOf(t, "junos", "srx_cluster").print("show chassis hardware", "Hardware inventory:\nChassis      AB0001   SRX1500\n")
	if why := g.refused(g.image(junosNew, junosFile)); !strings.Contains(why, "SRX chassis cluster") {
		t.Error(why)
	}
	g = junosSingle(t).print("show system reboot", "reboot requested by jane at Sun Mar  8 08:30:00 2026\n")
	if why := g.refused(g.image(junosNew, junosFile)); !strings.Contains(why, "already ordered") {
		t.Error(why)
	}
}
