package workflow

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

const (
	eosNew  = "4.32.1F"
	eosFile = "EOS-4.32.1F.swi"
	xeOldV  = "17.6.5"
)

func anyModel(w *patch.Work) { w.Image.SHA512, w.Image.Models = sha512Of, []string{"*"} }

func eosOf(t *testing.T, sample string) *gear {
	t.Helper()
	g := gearOf(t, "arista_eos", sample)
	g.print("dir flash:", "Directory of flash:/\n\n       -rw-   1100000000           Mar 01  2026  EOS-4.30.5M.swi\n\n3959422976 bytes total (2500000000 bytes free)\n")
	g.print("show configuration sessions", "Maximum number of completed sessions: 1\nMaximum number of pending sessions: 5\n\n  Name    State    User    Terminal\n  ---- ------- ------- --------\n")
	g.print("show mlag config-sanity", "No global configuration inconsistencies found.\n\nNo per interface configuration inconsistencies found.\n")
	g.print("show running-config", "hostname leaf1\n!\nend\n")
	return g.print("show running-config diffs", "")
}

func (g *gear) eosStaged() *gear {
	g.print("dir flash:"+eosFile, "Directory of flash:/"+eosFile+"\n\n       -rw-   1000000000           Mar 10  2026  "+eosFile+"\n")
	return g.print("verify /sha512 flash:"+eosFile, "verify /sha512 (flash:"+eosFile+") = "+sha512Of+"\n")
}

func (g *gear) eosBoots() *gear {
	g.at = planned.Add(time.Hour)
	return g.say("show version", "4.30.5M", eosNew, "3 weeks, 2 days, 4 hours and 12 minutes", "9 minutes")
}

func TestEOS(t *testing.T) {
	for _, sample := range []string{"single", "mlag_secondary"} {
		t.Run(sample, func(t *testing.T) {
			g := eosOf(t, sample)
			steps := g.steps(g.image(eosNew, eosFile, anyModel))
			golden(t, "eos_"+sample, steps)
			stands(t, g.judge(steps, "preflight"), platform.Done, "")
			stands(t, g.judge(steps, "stage"), platform.NotDone, "not there")
			stands(t, g.eosStaged().judge(steps, "stage"), platform.Done, "sha512")
			stands(t, g.judge(steps, "boot"), platform.NotDone, "does not start")
			stands(t, g.judge(steps, "install"), platform.Failed, "not restarted")
			g.say("show boot-config", "EOS-4.30.5M", "EOS-4.32.1F").print("show running-config diffs", "--- flash:/startup-config\n+++ system:/running-config\n")
			stands(t, g.judge(steps, "boot"), platform.NotDone, "not saved")
			g.print("show running-config diffs", "")
			stands(t, g.judge(steps, "boot"), platform.Done, "")
			stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")
			g.eosBoots()
			stands(t, g.judge(steps, "install"), platform.Done, "")
			stands(t, g.judge(steps, "proven"), platform.Done, "")
			stands(t, g.judge(steps, "done_again"), platform.Done, "")
		})
	}
}

func TestPairRefusesAndWaits(t *testing.T) {
	base := eosOf(t, "mlag_secondary")
	for _, tt := range []struct {
		name string
		edit func(*gear)
		step platform.StepID
		want platform.State
		word string
	}{
		{"inconsistent", func(g *gear) { g.say("show mlag", "consistent", "inconsistent") }, "preflight", platform.Failed, "do not agree"},
		{"inactive", func(g *gear) { g.say("show mlag", "  Active\n", "  Inactive\n") }, "preflight", platform.Failed, "do not agree"},
		{"a state nobody knows", func(g *gear) { g.say("show mlag", "  Active\n", "  Dreaming\n") }, "preflight", platform.Failed, "nobody can tell"},
		{"one-legged links", func(g *gear) {
			g.say("show mlag", "Active-partial                     :                  0", "Active-partial                     :                  2")
		}, "preflight", platform.Failed, "Active-partial"},
		{"insane", func(g *gear) { g.print("show mlag config-sanity", "Global configuration inconsistencies:\n") }, "preflight", platform.Failed, "mlag configuration"},
		{"a session is open", func(g *gear) {
			g.print("show configuration sessions", "  Name    State    User    Terminal\n  night pending  jane   vty3\n")
		}, "preflight", platform.Failed, "configuration session"},
		{"another boot file", func(g *gear) { g.say("show boot-config", "EOS-4.30.5M", "EOS-4.31.2F") }, "preflight", platform.Failed, "restart is pending"},
		{"ports wait for the reload delay", func(g *gear) {
			g.up().say("show mlag detail", "errdisabled               :               False", "errdisabled               :                True")
		}, "proven", platform.Running, "reload delay"},
		{"the pair is not back", func(g *gear) { g.up().say("show mlag", "  Active\n", "  Inactive\n") }, "proven", platform.Running, "do not agree"},
		{"back with the former", func(g *gear) { g.up().say("show version", eosNew, "4.30.5M") }, "install", platform.Failed, "again"},
		{"the next boot is the former", func(g *gear) { g.up().say("show boot-config", "EOS-4.32.1F", "EOS-4.30.5M") }, "done", platform.Running, "next boot"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := base.again(t)
			steps := g.steps(g.image(eosNew, eosFile, anyModel))
			tt.edit(g)
			stands(t, g.judge(steps, tt.step), tt.want, tt.word)
		})
	}
}

// up is after the restart, with everything as it should be.
func (g *gear) up() *gear {
	return g.eosBoots().say("show boot-config", "EOS-4.30.5M", "EOS-4.32.1F")
}

func xeBundle(t *testing.T) *gear {
	t.Helper()
	return xeIdle(gearOf(t, "cisco_iosxe", "single_bundle"))
}

func TestBundle(t *testing.T) {
	g := xeBundle(t)
	steps := g.steps(g.image(xeNew, xeFile, anyModel))
	golden(t, "iosxe_single_bundle", steps)
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	stands(t, g.staged("1000000000").judge(steps, "stage"), platform.Done, "")
	stands(t, g.judge(steps, "boot"), platform.NotDone, "does not start")
	g.say("show boot", "reload:\nBOOT variable = flash:cat9k_iosxe.17.06.05.SPA.bin;", "reload:\nBOOT variable = flash:"+xeFile+";flash:cat9k_iosxe.17.06.05.SPA.bin;")
	stands(t, g.judge(steps, "boot"), platform.Done, "")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")
	g.at = planned.Add(time.Hour)
	g.say("show version", "1 year, 4 weeks, 2 hours, 1 minute", "8 minutes")
	stands(t, g.judge(steps, "install"), platform.Failed, "again")
	g.say("show version", xeOldV, xeNew, "17.06.05", "17.12.04")
	stands(t, g.judge(steps, "install"), platform.Done, "")
	stands(t, g.judge(steps, "done"), platform.Done, "")
}

const xeOldFile = "cat9k_iosxe.17.06.05.SPA.bin"

// TestBundleCutOff: between the line that clears the boot variable and the one that sets it,
// it names nothing. That is not done, and carried on; what can't be read is unknown.
func TestBundleCutOff(t *testing.T) {
	base := xeBundle(t)
	next := "reload:\nBOOT variable = flash:" + xeOldFile + ";"
	for _, tt := range []struct {
		name, boot string
		preflight  platform.State
		boots      platform.State
		word       string
	}{
		{"empty", "reload:\nBOOT variable = \n", platform.Done, platform.Unknown, `type "configure terminal", "boot system flash:` + xeOldFile + `", "end"`},
		{"empty, without the blank", "reload:\nBOOT variable =\n", platform.Done, platform.Unknown, "not what it was"},
		{"gone", "reload:\nBOOT variable does not exist\n", platform.Done, platform.Unknown, "not what it was"},
		{"another file", "reload:\nBOOT variable = flash:other.bin;\n", platform.Failed, platform.Unknown, "not what it was"},
		{"in another form", "reload:\nBOOT variable = <unreadable>\n", platform.Failed, platform.Unknown, "nobody can tell"},
		{"not told", "reload:\n", platform.Failed, platform.Unknown, "nobody can tell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := base.again(t)
			steps := g.steps(g.image(xeNew, xeFile, anyModel))
			g.say("show boot", next, tt.boot)
			stands(t, g.judge(steps, "preflight"), tt.preflight, "")
			stands(t, g.judge(steps, "boot"), tt.boots, tt.word)
			stands(t, g.judge(steps, "install"), platform.Failed, "not restarted")
			steps = g.steps(g.image(xeNew, xeFile, anyModel, retried)) // those of a new try begin there
			if tt.preflight == platform.Done {
				stands(t, g.judge(steps, "boot"), platform.NotDone, "does not start")
			}
		})
	}
}

// TestPendingBootIsTold: the former software runs, and the next boot starts the new: that is
// not as it was before.
func TestPendingBootIsTold(t *testing.T) {
	g := xeBundle(t)
	steps := g.steps(g.image(xeNew, xeFile, anyModel))
	g.say("show boot", "reload:\nBOOT variable = flash:"+xeOldFile+";", "reload:\nBOOT variable = flash:"+xeFile+";flash:"+xeOldFile+";")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs 17.6.5, and the next boot starts 17.12.4")
	g.at = planned.Add(time.Hour)
	g.say("show version", "1 year, 4 weeks, 2 hours, 1 minute", "8 minutes")
	for _, id := range []platform.StepID{"install", "proven", "done"} {
		stands(t, g.judge(steps, id), platform.Failed, "though the next boot starts 17.12.4")
	}
	stands(t, g.judge(steps, "preflight"), platform.Failed, "from which file")
	stands(t, g.judge(g.steps(g.image(xeNew, xeFile, anyModel, retried)), "preflight"), platform.Done, "") // and it can be run again
	g.say("show boot", "reload:\nBOOT variable = flash:"+xeFile+";flash:"+xeOldFile+";", "reload:\nBOOT variable = \n")
	stands(t, g.judge(steps, "install"), platform.Unknown, "configuration may be lost")
}

// TestBundleStack: the boot variable must stand on every member.
func TestBundleStack(t *testing.T) {
	g := xeIdle(gearOf(t, "cisco_iosxe", "stack_install"))
	old := "cat9k_iosxe.17.09.04.SPA.bin"
	g.say("show version", "INSTALL", "BUNDLE", "packages.conf", old).say("show boot", "packages.conf", old)
	steps := g.steps(g.image(xeNew, xeFile, anyModel))
	golden(t, "iosxe_stack_bundle", steps)
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	g.staged("1000000000")
	stands(t, g.judge(steps, "stage_2"), platform.NotDone, "not there")
	text := string(g.result("show boot").Out)
	at := strings.LastIndex(text, "Switch 2")
	named := func(s string) string {
		return strings.ReplaceAll(s, "reload:\nBOOT variable = flash:"+old, "reload:\nBOOT variable = flash:"+xeFile)
	}
	g.print("show boot", named(text[:at])+text[at:])
	stands(t, g.judge(steps, "boot"), platform.Unknown, "every member")
	stands(t, g.judge(g.steps(g.image(xeNew, xeFile, anyModel, retried)), "boot"), platform.NotDone, "every member")
	g.print("show boot", named(text))
	stands(t, g.judge(steps, "boot"), platform.Done, "")
}

func TestBootVariableRefuses(t *testing.T) {
	g := xeBundle(t)
	if why := g.refused(g.image(xeNew, "cat9k_iosxe.17.06.05.SPA.bin", anyModel)); !strings.Contains(why, "has the image's name") {
		t.Error(why)
	}
	if why := g.refused(g.image("17.3.1", xeFile, back)); !strings.Contains(why, "no image of it") {
		t.Error(why)
	}
	if why := g.refused(g.image(eosNew, xeFile, func(w *patch.Work) { w.Image.Version = "1.2.3" })); !strings.Contains(why, "image is of 1.2.3") {
		t.Error(why)
	}
	steps := g.steps(g.image("17.3.1", "cat9k_iosxe.17.03.01.SPA.bin", anyModel))
	stands(t, g.judge(steps, "preflight"), platform.Failed, "older")
	steps = g.steps(g.image("17.3.1", "cat9k_iosxe.17.03.01.SPA.bin", anyModel, func(w *patch.Work) { w.Back = true }))
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
}

// TestBootBack: the work of a way back names the image that it takes back; what is booted
// is the former one.
func TestBootBack(t *testing.T) {
	took := func(w *patch.Work) { w.Back, w.Image.Version = true, eosNew }
	g := eosOf(t, "single").up()
	steps := g.steps(g.image("4.30.5M", eosFile, anyModel, took))
	golden(t, "eos_back", steps)
	stands(t, g.judge(steps, "preflight"), platform.Failed, "EOS-4.30.5M.swi is not there")
	g.print("dir flash:EOS-4.30.5M.swi", "       -rw-   1100000000           Mar 01  2026  EOS-4.30.5M.swi\n")
	stands(t, g.judge(steps, "preflight"), platform.Done, "still there")
	stands(t, g.judge(steps, "boot"), platform.NotDone, "does not start EOS-4.30.5M.swi")
	stands(t, g.judge(steps, "install"), platform.Failed, "not restarted")

	g.say("show boot-config", "EOS-4.32.1F", "EOS-4.31.2F")
	stands(t, g.judge(steps, "preflight"), platform.Failed, "not ours")
	g.say("show version", "Uptime:", "Up:")
	stands(t, g.judge(steps, "preflight"), platform.Failed, "when it came up")

	xe := xeBundle(t)
	xe.say("show boot", ".SPA.bin;", ".SPA.bin;flash:cat9k_iosxe.17.03.05.SPA.bin;")
	if why := xe.refused(xe.image("17.3.1", xeFile, anyModel, func(w *patch.Work) { w.Back, w.Image.Version = true, xeOldV })); !strings.Contains(why, "can't be taken back: its second file") {
		t.Error(why)
	}
	xe = xeBundle(t)
	xe.say("show boot", ".SPA.bin;", ".SPA.bin;flash:cat9k_iosxe.17.03.01.SPA.bin;")
	golden(t, "iosxe_back", xe.steps(xe.image("17.3.1", xeFile, anyModel, func(w *patch.Work) { w.Back, w.Image.Version = true, xeOldV })))
}

// FuzzBootJudges: whatever a switch prints, the last verdict is never done without the
// target's version, and no judge panics.
func FuzzBootJudges(f *testing.F) {
	f.Add("Arista DCS-7050\nSerial number: JPE00000001\nSoftware image version: 4.32.1F\nUptime: 3 minutes\n", "Software image: flash:/EOS-4.32.1F.swi\n", "")
	f.Add("Software image version: 4.30.5M\n", "", "Active-partial : 1\n")
	var once sync.Once
	var base *gear
	f.Fuzz(func(t *testing.T, version, boot, mlag string) {
		once.Do(func() { base = eosOf(t, "single") })
		g := base.again(t)
		steps := g.steps(g.image(eosNew, eosFile, anyModel))
		g.print("show version", version).print("show boot-config", boot).print("show mlag", mlag)
		g.at = planned.Add(time.Hour)
		for _, id := range []platform.StepID{"preflight", "boot", "install", "done"} {
			got := g.judge(steps, id)
			if id == "done" && got.State == platform.Done && !strings.Contains(version, "Software image version: ") {
				t.Errorf("done by %q", version)
			}
			for _, r := range append(got.Reasons, got.Notes...) {
				if strings.ContainsAny(r, "\x1b\n\r") {
					t.Errorf("%s: %q is not clean", id, r)
				}
			}
		}
	})
}

// FuzzInstallLog: what an installer's log says never panics, and an empty one is idle.
func FuzzInstallLog(f *testing.F) {
	f.Add("[3|install_add]: START Mon\n", "01:00:00")
	f.Add("[3|install_add]: START Mon\n[3|install_add]: END SUCCESS\n", "1:2")
	var once sync.Once
	var base *gear
	f.Fuzz(func(t *testing.T, log, timer string) {
		once.Do(func() { base = xeStack(t) })
		g := base.again(t)
		steps := g.steps(g.image(xeNew, xeFile, vendor))
		g.xeBoots().print(xeLog, log).say(xeSummary, "01:35:12", timer)
		got := g.judge(steps, "proven")
		if got.State != platform.Done && !strings.Contains(strings.Join(got.Reasons, ""), "not armed") {
			t.Errorf("the timer's time decides: %v", got)
		}
		if left, ok := clock(timer); strings.Contains(strings.Join(got.Notes, ""), "armed, with") && (!ok || left < checksTake) {
			t.Errorf("%q is relied upon", timer)
		}
		g.judge(steps, "add")
	})
}
