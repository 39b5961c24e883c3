package workflow

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

const (
	xeNew     = "17.12.4"
	xeFile    = "cat9k_iosxe.17.12.04.SPA.bin"
	xeSummary = "show install summary"
	xeLog     = "show install log"
	xeSaved   = "show archive config differences nvram:startup-config system:running-config"
)

const sha512Of = "abababababababababababababababababababababababababababababababab" +
	"abababababababababababababababababababababababababababababababab"

func vendor(w *patch.Work) { w.Image.SHA512, w.Image.Models = sha512Of, []string{"C9300*", "C8300*"} }

// xeIdle completes a sample with what an idle switch answers.
func xeIdle(g *gear) *gear {
	g.print("show reload", "No reload is scheduled.\n").print("show line", xeLines(1))
	g.print(xeLog, "[0|install_op_boot]: START Sun Sep 24 07:42:52 Universal 2023\n[0|install_op_boot]: END SUCCESS  Sun Sep 24 07:42:53 Universal 2023\n")
	g.print(xeSaved, "!Contextual Config Diffs:\n!No changes were found\n")
	g.print("show running-config", "hostname floor1\n!\nend\n")
	for _, fs := range []string{"flash-1:", "flash-2:", "flash:", "bootflash:"} {
		g.print("dir "+fs, "Directory of "+fs+"/\n\n11353194496 bytes total (7000000000 bytes free)\n")
	}
	return g
}

// xeLines are five terminal lines, of which so many are taken.
func xeLines(taken int) string {
	text := "   Tty Line Typ     Tx/Rx    A Modem  Roty AccO AccI  Uses  Noise Overruns  Int\n*     0    0 CTY              -    -      -    -    -     0      0    0/0      -\n"
	const line = "     2    2 VTY              -    -      -    -    -     9      0    0/0      -\n"
	return text + strings.Repeat("*"+line, taken) + strings.Repeat(" "+line, 5-taken)
}

func xeStack(t *testing.T) *gear {
	t.Helper()
	return xeIdle(gearOf(t, "cisco_iosxe", "stack_install"))
}

// staged puts the image on flash, with this size.
func (g *gear) staged(size string) *gear {
	g.print("dir flash:"+xeFile, "Directory of flash:/"+xeFile+"\n\n434184  -rw-  "+size+"  Mar 10 2026 05:00:00 +00:00  "+xeFile+"\n\n11353194496 bytes total (7000000000 bytes free)\n")
	return g.print("verify /sha512 flash:"+xeFile, "verify /sha512 (flash:"+xeFile+") = "+sha512Of+"\n")
}

// xeBoots is the stack after its reload, with the new version: uncommitted.
func (g *gear) xeBoots() *gear {
	g.xeReloads()
	g.say("show version", "17.9.4", xeNew, "17.09.04", "17.12.04")
	return g.say(xeSummary, "IMG   C    17.09.04.0.5", "IMG   C    17.09.04.0.5\nIMG   U    17.12.04.0.1",
		"timer: inactive", "timer: active , time before rollback - 01:35:12")
}

// xeReloads is the stack after a reload, with whatever it ran.
func (g *gear) xeReloads() *gear {
	g.at = planned.Add(time.Hour)
	return g.say("show version", "5 weeks, 2 days, 3 hours, 4 minutes", "10 minutes", "5 weeks, 2 days, 3 hours, 6 minutes", "12 minutes",
		"5 weeks, 2 days, 3 hours, 5 minutes", "11 minutes")
}

func (g *gear) xeCommits() *gear {
	return g.say(xeSummary, "IMG   C    17.09.04.0.5\n", "", "IMG   U ", "IMG   C ", "timer: active , time before rollback - 01:35:12", "timer: inactive")
}

func TestStackIsActivated(t *testing.T) {
	g := xeStack(t)
	steps := g.steps(g.image(xeNew, xeFile, vendor))
	golden(t, "iosxe_stack_install", steps)

	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	stands(t, g.judge(steps, "clear"), platform.Done, "")
	stands(t, g.judge(steps, "stage"), platform.NotDone, "not there")
	stands(t, g.judge(steps, "image"), platform.Failed, "not there any more")
	g.staged("1000000000")
	stands(t, g.judge(steps, "stage"), platform.Done, "sha512")
	stands(t, g.judge(steps, "image"), platform.Done, "sha512")
	stands(t, g.judge(steps, "backup"), platform.Done, "")
	stands(t, g.judge(steps, "add"), platform.NotDone, "not added")
	g.say(xeSummary, "IMG   C ", "IMG   I    17.12.04.0.1\nIMG   C ")
	stands(t, g.judge(steps, "add"), platform.Done, "")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")
	g.xeBoots()
	stands(t, g.judge(steps, "install"), platform.Done, "")
	stands(t, g.judge(steps, "proven"), platform.Done, "armed, with 1h35m12s left")
	stands(t, g.judge(steps, "commit"), platform.NotDone, "not committed")
	stands(t, g.judge(steps, "done"), platform.Running, "not committed")
	g.xeCommits()
	stands(t, g.judge(steps, "commit"), platform.Done, "")
	stands(t, g.judge(steps, "done"), platform.Done, "")
	stands(t, g.judge(steps, "done_again"), platform.Done, "")
}

func TestRouterIsActivated(t *testing.T) {
	g := xeIdle(gearOf(t, "cisco_iosxe", "router_install"))
	g.print("show boot", "BOOT variable = bootflash:packages.conf,12;\nCONFIG_FILE variable does not exist\n")
	steps := g.steps(g.image("17.12.4", "c8000be-universalk9.17.12.04.SPA.bin", vendor, served))
	golden(t, "iosxe_router_install", steps)
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
}

// TestPreflightRefuses: each thing alone is a reason, and nothing was touched.
func TestPreflightRefuses(t *testing.T) {
	base := xeStack(t)
	for _, tt := range []struct {
		name string
		edit func(*gear)
		want platform.State
		word string
	}{
		{"somebody else has upgraded it", func(g *gear) { g.say("show version", "17.9.4", "17.9.5") }, platform.Failed, "17.9.5 now"},
		{"a member runs another", func(g *gear) {
			g.say("show version", "     2 65    C9300-48P          17.09.04", "     2 65    C9300-48P          17.09.03")
		}, platform.Failed, "do not run the same"},
		{"a member is gone", func(g *gear) { g.say("show inventory", "FOC0000X002", "") }, platform.Failed, "member 2"},
		{"a member was swapped", func(g *gear) { g.say("show inventory", "FOC0000X002", "FOC0000X003") }, platform.Unknown, "not the same device"},
		{"a member is not ready", func(g *gear) { g.say("show switch", "14     V01     Ready", "14     V01     V-Mismatch") }, platform.Failed, "V-Mismatch"},
		{"another model", func(g *gear) { g.say("show version", "C9300-48P", "C9500-48P") }, platform.Failed, "C9500-48P"},
		{"too little room on member 2", func(g *gear) { g.print("dir flash-2:", "11353194496 bytes total (2100000000 bytes free)\n") }, platform.Failed, "member 2: flash-2: has 2100 MB"},
		{"no room is told", func(g *gear) {
			for _, fs := range []string{"flash-2:", "flash:", "bootflash:"} {
				delete(g.over, "dir "+fs)
			}
		}, platform.Failed, "member 2: nobody can tell"},
		{"a reload is pending", func(g *gear) {
			g.print("show reload", "Reload scheduled for 03:00:00 UTC Tue Mar 10 2026 (in 2 hours)\n")
		}, platform.Failed, "Reload scheduled"},
		{"nobody tells about reloads", func(g *gear) { delete(g.over, "show reload") }, platform.Failed, "does not tell"},
		{"manual boot", func(g *gear) { g.say("show boot", "Manual Boot = no", "Manual Boot = yes") }, platform.Failed, "Manual Boot = yes"},
		{"another boot variable", func(g *gear) { g.say("show boot", "packages.conf", "cat9k.bin") }, platform.Failed, "boot variable"},
		{"somebody holds the configuration", func(g *gear) { g.print("show configuration lock", "Parser Configure Lock\nOwner PID : 513\n") }, platform.Failed, "configuration lock"},
		{"the installer is at work", func(g *gear) {
			g.say(xeLog, "Universal 2023\n[0|install_op_boot]: END", "Universal 2023\n[0|install_op_boot]: END", "07:42:53 Universal 2023\n", "07:42:53 Universal 2023\n[1|install_add]: START Mon Sep 25 00:00:00 Universal 2023\n")
		}, platform.Failed, "at work"},
		{"the timer runs", func(g *gear) { g.say(xeSummary, "inactive\n", "active , time before rollback - 01:00:00\n") }, platform.Failed, "timer"},
		{"a controller has taken it", func(g *gear) {
			g.say("show version", "Configuration register", "Router operating mode: Controller-Managed\nConfiguration register")
		}, platform.Failed, "controller"},
		{"all lines but one are taken", func(g *gear) { g.print("show line", xeLines(4)) }, platform.Failed, "free terminal lines"},
		{"the last two lines are free", func(g *gear) { g.print("show line", xeLines(3)) }, platform.Done, ""},
		{"somebody has added it", func(g *gear) { g.say(xeSummary, "IMG   C ", "IMG   I    17.12.04.0.1\nIMG   C ") }, platform.Failed, "type install remove inactive"},
		{"when it came up", func(g *gear) { g.say("show version", "uptime", "up", "Uptime", "Up") }, platform.Failed, "nobody can tell when it came up"},
		{"the configuration register", func(g *gear) { g.say("show version", "register is 0x102", "register is 0x2142") }, platform.Failed, "0x2142"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := base.again(t)
			steps := g.steps(g.image(xeNew, xeFile, vendor))
			tt.edit(g)
			stands(t, g.judge(steps, "preflight"), tt.want, tt.word)
		})
	}
}

func TestNoStepsAreMade(t *testing.T) {
	base := xeStack(t)
	for _, tt := range []struct {
		name string
		edit func(*gear, *patch.Work)
		word string
	}{
		{"packages", func(_ *gear, w *patch.Work) { w.Install[0].Name = "openssl" }, "one image"},
		{"no image", func(_ *gear, w *patch.Work) { w.Image = nil }, "no image"},
		{"moved", func(_ *gear, w *patch.Work) { w.Install[0].From = "17.9.3" }, "begins at 17.9.3"},
		{"a foreign activation", func(g *gear, _ *patch.Work) { g.say(xeSummary, "IMG   C ", "IMG   U    17.10.01.0.1\nIMG   C ") }, "not of this work"},
		{"no digest that it could compute", func(_ *gear, w *patch.Work) { w.Image.SHA512 = "" }, "no digest"},
		{"the name of the file", func(_ *gear, w *patch.Work) { w.Image.Name = "a b;reload" }, "can't stand for"},
		{"the register", func(g *gear, _ *patch.Work) { g.say("show version", "0x102", "0x2142") }, "0x2142"},
		{"no way back", func(_ *gear, w *patch.Work) { w.Back, w.Image = true, nil }, "committed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := base.again(t)
			work := g.image(xeNew, xeFile, vendor)
			tt.edit(g, &work)
			if why := g.refused(work); !strings.Contains(why, tt.word) {
				t.Errorf("refused with %q, not with %q", why, tt.word)
			}
		})
	}
}

// TestVerdictsOfAnActivation holds the rows of the design's table, and what contradicts
// itself.
func TestVerdictsOfAnActivation(t *testing.T) {
	base := xeStack(t)
	former := func(g *gear) { g.xeReloads() }
	for _, tt := range []struct {
		name string
		edit func(*gear)
		step platform.StepID
		want platform.State
		word string
	}{
		{"it went back", former, "install", platform.Failed, "again"},
		{"it went back, and is on trial", func(g *gear) { g.xeReloads().say(xeSummary, "IMG   C ", "IMG   U    17.12.04.0.1\nIMG   C ") }, "install", platform.Unknown, "on trial: that contradicts itself"},
		{"it went back, and is committed", func(g *gear) { g.xeReloads().say(xeSummary, "IMG   C ", "IMG   C    17.12.04.0.1\nIMG   D ") }, "install", platform.Unknown, "contradicts itself"},
		{"it went back, and is only there", func(g *gear) { g.xeReloads().say(xeSummary, "IMG   C ", "IMG   I    17.12.04.0.1\nIMG   C ") }, "install", platform.Failed, "went back by itself"},
		{"it went back before the commit, on trial", func(g *gear) { g.xeReloads().say(xeSummary, "IMG   C ", "IMG   U    17.12.04.0.1\nIMG   C ") }, "commit", platform.Unknown, "contradicts itself"},
		{"it went back, while we waited", former, "proven", platform.Failed, "again"},
		{"it went back before the commit", former, "commit", platform.Failed, "before it was committed"},
		{"it went back during our absence", former, "done", platform.Failed, "again"},
		{"activated, and not down yet", func(g *gear) { g.say(xeSummary, "IMG   C ", "IMG   U    17.12.04.0.1\nIMG   C ") }, "install", platform.Running, "being activated"},
		{"one member only", func(g *gear) {
			g.xeBoots().say("show version", "     2 65    C9300-48P          17.12.04", "     2 65    C9300-48P          17.09.04")
		}, "install", platform.Running, "member 2"},
		{"one member only, at the end", func(g *gear) {
			g.xeBoots().say("show version", "     2 65    C9300-48P          17.12.04", "     2 65    C9300-48P          17.09.04")
		}, "proven", platform.Unknown, "member 2: the former"},
		{"a third version", func(g *gear) { g.xeBoots().say("show version", "17.12.04", "17.11.01", "17.12.4", "17.11.1") }, "install", platform.Unknown, "another version"},
		{"another build by its letter", func(g *gear) { g.xeBoots().say("show version", "17.12.04", "17.12.04a") }, "install", platform.Unknown, "another version"},
		{"new without a restart", func(g *gear) { g.say("show version", "17.9.4", xeNew, "17.09.04", "17.12.04") }, "install", platform.Unknown, "contradicts"},
		{"a member has not restarted", func(g *gear) {
			g.xeBoots().say("show version", "Switch uptime                      : 11 minutes", "Switch uptime                      : 5 weeks, 2 days, 4 hours, 5 minutes")
		}, "install", platform.Unknown, "contradicts"},
		{"no boot time", func(g *gear) { g.xeBoots().say("show version", "uptime", "up", "Uptime", "Up") }, "proven", platform.Running, "when it came up"},
		{"a member is missing", func(g *gear) {
			g.xeBoots().say("show inventory", "FOC0000X002", "").say("show version", "     2 65    C9300-48P          17.12.04          CAT9K_IOSXE           INSTALL\n", "")
		}, "proven", platform.Running, "member 2"},
		{"a member is not ready", func(g *gear) { g.xeBoots().say("show switch", "14     V01     Ready", "14     V01     Initializing") }, "proven", platform.Running, "Initializing"},
		{"the other is active now", func(g *gear) {
			g.xeBoots().say("show switch", "*1       Active ", " 1       Standby", " 2       Standby", "*2       Active ")
		}, "proven", platform.Done, "armed"},
		{"not armed", func(g *gear) {
			g.xeBoots().say(xeSummary, "active , time before rollback - 01:35:12", "inactive")
		}, "proven", platform.Unknown, `not armed, so that nothing takes 17.12.4 back by itself: it runs, and is not committed. Look at it; then type "install commit"`},
		{"whether it is armed is not told", func(g *gear) { g.xeBoots().say(xeSummary, "Auto abort timer", "Timer") }, "proven", platform.Unknown, "not armed"},
		{"committed, and not armed", func(g *gear) { g.xeBoots().xeCommits() }, "proven", platform.Done, ""},
		{"little is left", func(g *gear) { g.xeBoots().say(xeSummary, "01:35:12", "00:12:00") }, "proven", platform.Done, "not relied upon"},
		{"another device answers", func(g *gear) {
			g.xeBoots().say("show inventory", "FOC0000X001", "FOC0000X00A", "FOC0000X002", "FOC0000X00B")
		}, "proven", platform.Unknown, "not the same device"},
		{"committed by the summary, and the timer runs", func(g *gear) { g.xeBoots().say(xeSummary, "IMG   U ", "IMG   C ") }, "commit", platform.NotDone, "not committed"},
		{"committed on one member", func(g *gear) {
			g.xeBoots().xeCommits().print(xeSummary, "[ Switch 1 ] Installed Package(s) Information:\nIMG   C    17.12.04.0.1\nAuto abort timer: inactive\n[ Switch 2 ] Installed Package(s) Information:\nIMG   C    17.09.04.0.5\nAuto abort timer: inactive\n")
		}, "done", platform.Running, "not committed on every member"},
		{"added on one member", func(g *gear) {
			g.print(xeSummary, "[ Switch 1 ] Installed Package(s) Information:\nIMG   I    17.12.04.0.1\nIMG   C    17.09.04.0.5\n[ Switch 2 ] Installed Package(s) Information:\nIMG   C    17.09.04.0.5\n")
		}, "add", platform.Failed, "install remove inactive"},
		{"adding goes on", func(g *gear) { g.print(xeLog, "[3|install_add]: START Mon Sep 25 00:00:00 Universal 2023\n") }, "add", platform.Running, "at work"},
		{"no summary", func(g *gear) { g.print(xeSummary, "\n") }, "add", platform.Unknown, "nobody can tell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := base.again(t)
			steps := g.steps(g.image(xeNew, xeFile, vendor))
			tt.edit(g)
			stands(t, g.judge(steps, tt.step), tt.want, tt.word)
		})
	}
}

// TestResumeAfterActivation: a new try finds the new version running, uncommitted.
func TestResumeAfterActivation(t *testing.T) {
	g := xeStack(t).xeBoots()
	if why := g.refused(g.image(xeNew, xeFile, vendor)); !strings.Contains(why, "not of this work") {
		t.Error(why)
	}
	steps := g.steps(g.image(xeNew, xeFile, vendor, retried))
	golden(t, "iosxe_resume_commit", steps)
	stands(t, g.judge(steps, "proven"), platform.Done, "armed")
	stands(t, g.judge(steps, "commit"), platform.NotDone, "not committed")
	g.xeCommits()
	stands(t, g.judge(steps, "done"), platform.Done, "")
}

func TestAbort(t *testing.T) {
	g := xeStack(t).xeBoots()
	steps := g.steps(g.image("17.9.4", xeFile, back))
	golden(t, "iosxe_abort", steps)
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")
	g = func() *gear { again := xeStack(t).xeReloads(); again.at = again.at.Add(time.Hour); return again }()
	stands(t, g.judge(steps, "install"), platform.Done, "")
	stands(t, g.judge(steps, "done"), platform.Done, "")
}

// TestUptimesWithoutAClock: where nobody told when the answers came, a shorter uptime
// still proves a restart, and a longer one never does.
func TestUptimesWithoutAClock(t *testing.T) {
	g := xeStack(t)
	steps := g.steps(g.image(xeNew, xeFile, vendor))
	g.xeBoots()
	g.at = time.Time{}
	stands(t, g.judge(steps, "install"), platform.Done, "")
	g.say("show version", "10 minutes", "6 weeks, 1 day", "12 minutes", "6 weeks, 1 day", "11 minutes", "6 weeks, 1 day")
	stands(t, g.judge(steps, "install"), platform.Unknown, "contradicts")
}
