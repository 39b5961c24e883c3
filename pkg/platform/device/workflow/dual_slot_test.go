package workflow

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/platform"
)

const (
	f5Old    = "16.1.3.4"
	f5New    = "17.1.1.3"
	f5File   = "BIGIP-17.1.1.3-0.0.5.iso"
	f5Status = "show sys software status"
	f5Empty  = "HD1.3      none      none   none      no  complete"
	f5Full   = "HD1.3    BIG-IP  17.1.1.3  0.0.5      no  complete"
	f5Uptime = `run util bash -c "uptime -p"`
)

func bigip(t *testing.T) *gear {
	t.Helper()
	return gearOf(t, "f5_bigip", "pair_active")
}

func TestBigipSteps(t *testing.T) {
	g := bigip(t)
	steps := g.steps(g.image(f5New, f5File))
	golden(t, "f5_pair", steps)
	stands(t, g.judge(steps, "add"), platform.NotDone, "does not hold")
	stands(t, g.judge(steps, "standby"), platform.NotDone, "active")
	stands(t, g.judge(steps, "install"), platform.Failed, "carries the traffic again")
	stands(t, bigip(t).say("show sys failover", "active", "offline").judge(steps, "install"), platform.Unknown, "active or standby")
	stands(t, bigip(t).say("show sys failover", "active", "standby").judge(steps, "install"), platform.NotDone, "still runs")
	stands(t, g.judge(steps, "archive"), platform.NotDone, "not there")

	for _, tt := range []struct {
		row  string
		want platform.State
		word string
	}{
		{"HD1.3    BIG-IP  17.1.1.3  0.0.5      no  installing 10.000 pct", platform.Running, "10.000"},
		{"HD1.3    BIG-IP  17.1.1.3  0.0.5      no  testing archive: BIGIP-17.1.1.3-0.0.5.iso", platform.Running, "testing"},
		{"HD1.3      BIG-IP  17.1.1.3  0.0.5      no  failed (The image is not for this platform.)              yes", platform.Failed, "not for this platform"},
		{"HD1.3      none      none   none      no  failed (Disk full (volume group))", platform.Failed, "Disk full"},
		{"HD1.3    BIG-IP  17.1.1.3  0.0.4      no  complete", platform.NotDone, "does not hold"},
		{f5Full, platform.Done, ""},
		{"HD1.3    BIG-IP  17.1.1.3  0.0.4     yes  complete", platform.Unknown, "runs"},
	} {
		g := bigip(t).say(f5Status, f5Empty, tt.row)
		stands(t, g.judge(steps, "add"), tt.want, tt.word)
	}
	stands(t, bigip(t).print(f5Status, "\n").judge(steps, "add"), platform.Unknown, "can't be read")
}

func TestBigipSlots(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*gear)
		want string
	}{
		"an empty one":          {func(*gear) {}, "boot HD1.3"},
		"the oldest":            {func(g *gear) { g.say(f5Status, f5Empty, "HD1.3    BIG-IP    14.1.5  0.0.1      no  complete") }, "boot HD1.3"},
		"not the newer":         {func(g *gear) { g.say(f5Status, f5Empty, "HD1.3    BIG-IP    15.1.10  0.0.1      no  complete") }, "boot HD1.2"},
		"a new one":             {func(g *gear) { g.say(f5Status, f5Empty, "", "HD1.2    BIG-IP    15.1.8  0.0.7      no  complete", "") }, "boot HD1.2"},
		"where it lies already": {func(g *gear) { g.say(f5Status, f5Empty, f5Full) }, "boot HD1.3"},
	} {
		t.Run(name, func(t *testing.T) {
			g := bigip(t)
			tt.edit(g)
			for _, s := range g.steps(g.image(f5New, f5File, retried)) {
				if s.ID == "add" && name == "where it lies already" {
					t.Error("it is installed though it lies there")
				}
				if s.ID == "install" && s.Title != tt.want {
					t.Errorf("got %q, want %q", s.Title, tt.want)
				}
			}
		})
	}
}

func TestBigipPreflight(t *testing.T) {
	g := bigip(t)
	steps := g.steps(g.image(f5New, f5File))
	g.print(`run util bash -c "df -P -B1 /shared"`, "/dev/mapper/vg--db--sda-dat.share 20000000000 1000000000 19000000000 6% /shared\n")
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	for name, tt := range map[string]struct{ cmd, old, new, word string }{
		"not synchronised": {"show cm sync-status", "Status   In Sync", "Status   Changes Pending", "not synchronised"},
		"sync unknown":     {"show cm sync-status", "Status", "State", "nobody can tell"},
		"mcpd":             {"show sys mcp-state", "running", "platform", "control process"},
		"not loaded":       {"show sys mcp-state", "full-config-load-succeed", "config-load-failed", "configuration"},
		"cut off":          {"show cm sync-status", "Status   In Sync", "Status   Disconnected", "not synchronised"},
		"it lies there":    {f5Status, f5Empty, f5Full, "type delete sys software volume HD1.3"},
		"installing":       {f5Status, f5Empty, "HD1.3    BIG-IP  17.1.1.3  0.0.5      no  installing 10.000 pct", "being installed"},
	} {
		t.Run(name, func(t *testing.T) {
			saved := g.over
			defer func() { g.over = saved }()
			g.over = maps.Clone(saved)
			stands(t, g.say(tt.cmd, tt.old, tt.new).judge(steps, "preflight"), platform.Failed, tt.word)
		})
	}
	// With two versions in the pair it can't be in sync, and need not be.
	g.say("show cm sync-status", "Status   In Sync", "Status   Not All Devices Synced")
	g.say("list cm device version", "lb2.example.com {\n    version 16.1.3.4", "lb2.example.com {\n    version 17.1.1.3")
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	g.say("show cm sync-status", "Not All Devices Synced", "Disconnected")
	stands(t, g.judge(steps, "preflight"), platform.Failed, "Disconnected")
}

func TestBigipFailover(t *testing.T) {
	g := bigip(t)
	steps := g.steps(g.image(f5New, f5File))
	stands(t, bigip(t).say("list cm device failover-state", "standby", "offline").judge(steps, "standby"), platform.Failed, "no partner")
	stands(t, bigip(t).say("show sys failover", "active", "standby").judge(steps, "standby"), platform.Done, "")
	stands(t, bigip(t).say("show sys failover", "active", "offline").judge(steps, "standby"), platform.Unknown, "nobody can tell")
}

func TestBigipReboot(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*gear)
		step platform.StepID
		want platform.State
		word string
	}{
		"done":              {func(*gear) {}, "install", platform.Done, ""},
		"proven":            {func(*gear) {}, "done_again", platform.Done, ""},
		"not in sync":       {func(g *gear) { g.say("show cm sync-status", "In Sync", "Changes Pending") }, "done", platform.Running, "config-sync"},
		"sync not told":     {func(g *gear) { g.say("show cm sync-status", "Status", "State") }, "done", platform.Running, "nobody can tell"},
		"two versions":      {func(g *gear) { mixed(g).say("show cm sync-status", "In Sync", "Not All Devices Synced") }, "done", platform.Done, ""},
		"cut off":           {func(g *gear) { mixed(g).say("show cm sync-status", "In Sync", "Disconnected") }, "done", platform.Running, "reach its partner"},
		"alone by now":      {func(g *gear) { mixed(g).say("show cm sync-status", "In Sync", "Standalone") }, "done", platform.Running, "Standalone"},
		"config not loaded": {func(g *gear) { g.say("show sys mcp-state", "full-config-load-succeed", "config-load-failed") }, "done", platform.Running, "config-load-failed"},
		"another build":     {func(g *gear) { g.say("show sys version", "0.0.5", "0.0.9") }, "done", platform.Running, "0.0.9"},
		"another volume":    {func(g *gear) { g.say(f5Status, f5Full, f5Full) }, "done", platform.Done, ""},
		"no role yet":       {func(g *gear) { g.print("show sys failover", "Failover offline\n") }, "done", platform.Running, "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			g := bigip(t)
			steps := g.steps(g.image(f5New, f5File))
			g.at = planned.Add(30 * time.Minute)
			g.print(f5Uptime, "up 7 minutes\n").say("show sys version", f5Old, f5New, "0.0.3", "0.0.5").say("show sys failover", "active", "standby")
			g.say(f5Status, "0.0.3     yes", "0.0.3      no", f5Empty, strings.Replace(f5Full, " no ", "yes ", 1))
			tt.edit(g)
			stands(t, g.judge(steps, tt.step), tt.want, tt.word)
		})
	}
	g := bigip(t)
	steps := g.steps(g.image(f5New, f5File))
	g.at = planned.Add(30 * time.Minute)
	stands(t, g.print(f5Uptime, "up 7 minutes\n").judge(steps, "install"), platform.Failed, "again")
}

// mixed is a pair of which one unit is ahead.
func mixed(g *gear) *gear {
	return g.say("list cm device version", "lb1.example.com {\n    version 16.1.3.4", "lb1.example.com {\n    version 17.1.1.3")
}

func TestBigipRefused(t *testing.T) {
	g := bigip(t)
	for name, why := range map[string]string{
		g.refused(g.image(f5New, "Hotfix-BIGIP-17.1.1.3.0.12.28-ENG.iso")): "hotfix",
		g.refused(g.image(f5New, "BIGIP-17.1.2-0.0.8.iso")):                "does not tell version",
		g.refused(g.image("14.1.2", "", back)):                             "no slot holds",
	} {
		if !strings.Contains(strings.ToLower(name), why) && !strings.Contains(name, "does not tell") {
			t.Errorf("%q, want %q", name, why)
		}
	}
	golden(t, "f5_back", g.steps(g.image("15.1.8", "", back)))
}
