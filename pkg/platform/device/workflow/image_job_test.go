package workflow

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/platform"
)

const (
	fortiStatus = "get system status"
	fortiUptime = "get system performance status"
	fortiHA     = "get system ha status"
	fortiFile   = "FGT_60F-v7.2.10.M-build1706-FORTINET.out"
	fortiHAFile = "FGT_100F-v7.4.8.M-build2795-FORTINET.out"
	fortiErrors = "diagnose debug config-error-log read"
)

func forti(t *testing.T) *gear {
	t.Helper()
	return gearOf(t, "fortinet_fortios", "single")
}

func fortiPair(t *testing.T) *gear {
	t.Helper()
	return gearOf(t, "fortinet_fortios", "cluster").print("diagnose sys flash list", "1          FGT100F-7.04-FW-build2702-241001             253920    103820   41%  No\n2          FGT100F-7.04-FW-build2731-250120             253920    104288   41%  Yes\n")
}

func TestFortiSingle(t *testing.T) {
	g := forti(t)
	steps := g.steps(g.image("7.2.10", fortiFile))
	golden(t, "fortios_single", steps)
	golden(t, "fortios_single", g.steps(g.image("7.2.10", fortiFile, served))) // that it could pull is no reason to
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")
	g.print("show full-configuration system global | grep admin-scp", "    set admin-scp disable\n")
	stands(t, g.judge(steps, "preflight"), platform.Failed, "admin scp")
}

func TestFortiReboot(t *testing.T) {
	up := func(g *gear) {
		g.at = planned.Add(15 * time.Minute)
		g.print(fortiUptime, "Uptime: 0 days,  0 hours,  5 minutes\n").print(fortiErrors, "\n")
	}
	moved := func(g *gear, version, build string) { up(g); g.say(fortiStatus, "7.2.8", version, "1639", build) }
	for name, tt := range map[string]struct {
		edit func(*gear)
		step platform.StepID
		want platform.State
		word string
	}{
		"done":          {func(g *gear) { moved(g, "7.2.10", "1706") }, "install", platform.Done, ""},
		"proven":        {func(g *gear) { moved(g, "7.2.10", "1706") }, "done_again", platform.Done, ""},
		"another build": {func(g *gear) { moved(g, "7.2.10", "1700") }, "done", platform.Running, "1700"},
		"old again":     {func(g *gear) { up(g) }, "install", platform.Failed, "again"},
		"another":       {func(g *gear) { moved(g, "7.2.11", "1740") }, "install", platform.Unknown, "another version"},
		"dropped": {func(g *gear) {
			moved(g, "7.2.10", "1706")
			g.print(fortiErrors, `>>>  "set" "ssl-ssh-profile" "x" @ root.firewall.policy.7:failed command (error -61)`+"\n")
		}, "done", platform.Done, "did not take all"},
		"another serial": {func(g *gear) { moved(g, "7.2.10", "1706"); g.say(fortiStatus, "FGT60F0000000001", "FGT60F0000000009") }, "install", platform.Unknown, "not the same device"},
	} {
		t.Run(name, func(t *testing.T) {
			g := forti(t)
			steps := g.steps(g.image("7.2.10", fortiFile))
			tt.edit(g)
			stands(t, g.judge(steps, tt.step), tt.want, tt.word)
		})
	}
}

func TestFortiCluster(t *testing.T) {
	g := fortiPair(t)
	steps := g.steps(g.image("7.4.8", fortiHAFile, served))
	golden(t, "fortios_cluster", steps)
	for _, s := range steps {
		if s.Once != (s.ID == "install") {
			t.Errorf("%s: once: %v", s.ID, s.Once)
		}
	}
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")

	stands(t, fortiPair(t).say(fortiStatus, "a-p, primary", "a-p, secondary").judge(steps, "preflight"), platform.Failed, "does not lead")
	stands(t, fortiPair(t).say("show full-configuration system ha", "uninterruptible", "simultaneous").judge(steps, "preflight"), platform.Failed, "upgrade mode")
	stands(t, fortiPair(t).say(fortiHA, "FG100F0000000002(updated 2 seconds ago): in-sync", "FG100F0000000002(updated 2 seconds ago): out-of-sync").judge(steps, "preflight"), platform.Failed, "agree")

	// It is at work: nothing is handed over a second time.
	out := func() *gear {
		return fortiPair(t).say(fortiHA, "Secondary: FG100F0000000002, HA operating index = 1\n", "")
	}
	stands(t, out().judge(steps, "install"), platform.Unknown, "member 1: nobody knows")
	out = func() *gear {
		return fortiPair(t).say(fortiHA, "FG100F0000000002(updated 2 seconds ago): in-sync", "FG100F0000000002(updated 2 seconds ago): out-of-sync")
	}
	stands(t, out().judge(steps, "install"), platform.Running, "do not agree")
	out = func() *gear {
		return fortiPair(t).say("diagnose sys flash list", "7.04-FW-build2702-241001", "7.04-FW-build2795-250523")
	}
	stands(t, out().judge(steps, "install"), platform.Running, "the image is written")
	had := out()
	stands(t, had.judge(had.steps(had.image("7.4.8", fortiHAFile, served)), "install"), platform.NotDone, "still runs") // it lay there before

	// The partner is the primary now, and the former one has not come back yet.
	g.at = planned.Add(20 * time.Minute)
	g.say(fortiStatus, "7.4.7", "7.4.8", "2731", "2795", "FG100F0000000001", "FG100F0000000002").print(fortiUptime, "Uptime: 0 days,  0 hours,  8 minutes\n").print(fortiErrors, "\n")
	whole := string(g.result(fortiHA).Out)
	g.say(fortiHA, "Secondary: FG100F0000000002, HA operating index = 1\n", "", "Primary: FG100F0000000001, HA", "Primary: FG100F0000000002, HA")
	stands(t, g.judge(steps, "install"), platform.Running, "coming up")
	stands(t, g.judge(steps, "done"), platform.Running, "not there")
	g.print(fortiHA, strings.NewReplacer("Primary: FG100F0000000001", "Primary: FG100F0000000002", "Secondary: FG100F0000000002", "Secondary: FG100F0000000001").Replace(whole))
	stands(t, g.judge(steps, "install"), platform.Done, "")
	stands(t, g.judge(steps, "done"), platform.Done, "")
	g.say(fortiHA, "FG100F0000000001(updated 1 seconds ago): in-sync", "FG100F0000000001(updated 1 seconds ago): out-of-sync")
	stands(t, g.judge(steps, "done"), platform.Running, "agree")
}

func TestFortiRefused(t *testing.T) {
	g := forti(t)
	for want, got := range map[string]string{
		"leaves out 7.4":        g.refused(g.image("7.6.1", "FGT_60F-v7.6.1.F-build3457-FORTINET.out")),
		"is not known":          g.refused(g.image("9.0.1", "FGT_60F-v9.0.1.F-build3457-FORTINET.out")),
		"does not tell version": g.refused(g.image("7.2.10", "image.out")),
		"fetches its image":     fortiPair(t).refused(fortiPair(t).image("7.4.8", fortiHAFile)),
		"no partition":          g.refused(g.image("7.0.1", "", back)),
		"virtual domains":       forti(t).say(fortiStatus, "Virtual domain configuration: disable", "Virtual domain configuration: multiple").refused(g.image("7.2.10", fortiFile)),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	golden(t, "fortios_back", g.steps(g.image("7.2.7", "", back)))
}
