package workflow

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/platform"
)

const (
	ontapOld      = "9.12.1P4"
	ontapNew      = "9.13.1P8"
	ontapFile     = "9131P8_q_image.tgz"
	ontapVersions = "cluster image show"
	ontapProgress = "cluster image show-update-progress"
	ontapUptime   = "system node show -fields uptime"
	ontapHead     = "                                             Estimated         Elapsed\nUpdate Phase         Status                   Duration        Duration\n-------------------- ----------------- --------------- ---------------\n"
)

func ontap(t *testing.T) *gear {
	t.Helper()
	return gearOf(t, "netapp_ontap", "two_nodes")
}

// phase is a row of show-update-progress, as NetApp's command reference prints it.
func phase(state string) string {
	return ontapHead + "Pre-update checks    completed                00:10:00        00:02:07\nData ONTAP updates   " + state + "              01:31:00        00:39:00\n"
}

func TestOntapSteps(t *testing.T) {
	g := ontap(t)
	steps := g.steps(g.image(ontapNew, ontapFile, served))
	golden(t, "ontap", steps)
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	stands(t, g.judge(steps, "stage"), platform.NotDone, "not in the cluster's repository")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")

	row := "Package Version  Package Build Time\n---------------- ------------------\n"
	g.print("cluster image package show-repository", row+"9.13.1           8/13/2023 19:03:15\n")
	stands(t, g.judge(steps, "stage"), platform.NotDone, "not in")
	g.print("cluster image package show-repository", row+"9.13.1P8         2/13/2024 19:03:15\n")
	stands(t, g.judge(steps, "stage"), platform.Done, "")
}

func TestOntapPreflight(t *testing.T) {
	for name, tt := range map[string]struct{ cmd, old, new, word string }{
		"no takeover":    {"storage failover show", "cluster1-01    true ", "cluster1-01    false", "takeover"},
		"health":         {"system health status show", "ok", "degraded", "health"},
		"away":           {"network interface show -is-home false", "There are", "svm1 lif1 false\nThere were", "at home"},
		"other update":   {ontapProgress, "There are no entries matching your query.\n", phase("in-progress"), "update"},
		"unhealthy node": {"cluster show", "cluster1-02           true ", "cluster1-02           false", "false"},
		"no room":        {"volume show -volume vol0 -fields available", "79.95GB", "1.20GB", "MB free"},
	} {
		t.Run(name, func(t *testing.T) {
			g := ontap(t)
			steps := g.steps(g.image(ontapNew, ontapFile, served))
			stands(t, g.say(tt.cmd, tt.old, tt.new).judge(steps, "preflight"), platform.Failed, tt.word)
		})
	}
}

func TestOntapUpdate(t *testing.T) {
	one := func(g *gear) { g.say(ontapVersions, "cluster1-02      "+ontapOld, "cluster1-02      "+ontapNew) }
	both := func(g *gear) {
		g.say(ontapVersions, ontapOld, ontapNew).say("version", ontapOld, ontapNew).say(ontapUptime, "9 days ", "")
	}
	late := func(g *gear) { g.at = planned.Add(6 * time.Hour) }
	for name, tt := range map[string]struct {
		edit func(*gear)
		step platform.StepID
		want platform.State
		word string
	}{
		"at work":            {func(g *gear) { g.print(ontapProgress, phase("in-progress")) }, "install", platform.Running, "updates"},
		"one of two":         {func(g *gear) { one(g); g.print(ontapProgress, phase("in-progress")) }, "install", platform.Running, "updates"},
		"one, and no update": {one, "install", platform.Unknown, "two versions"},
		"error":              {func(g *gear) { one(g); g.print(ontapProgress, phase("paused-on-error")) }, "install", platform.Unknown, "error"},
		"failed at once":     {func(g *gear) { g.print(ontapProgress, phase("failed")) }, "install", platform.Failed, "failed"},
		"paused":             {func(g *gear) { g.print(ontapProgress, phase("paused-by-user")) }, "install", platform.Unknown, "paused"},
		"the former update":  {func(g *gear) { g.print(ontapProgress, phase("completed")) }, "install", platform.NotDone, "still runs"},
		"both":               {func(g *gear) { late(g); both(g); g.print(ontapProgress, phase("completed")) }, "install", platform.Done, ""},
		"proven":             {func(g *gear) { late(g); both(g) }, "done_again", platform.Done, ""},
		"not given back": {func(g *gear) {
			late(g)
			both(g)
			g.say("storage failover show", "true     Connected to cluster1-02", "false    Waiting for giveback")
		}, "done", platform.Running, "takeover"},
		"away": {func(g *gear) {
			late(g)
			both(g)
			g.print("network interface show -is-home false", "svm1    lif1    false\n")
		}, "home", platform.NotDone, "not at home"},
		"home": {both, "home", platform.Done, ""},
		"another patch": {func(g *gear) {
			late(g)
			g.say(ontapVersions, ontapOld, "9.13.1P9").say("version", ontapOld, "9.13.1P9")
		}, "install", platform.Unknown, "another version"},
	} {
		t.Run(name, func(t *testing.T) {
			g := ontap(t)
			steps := g.steps(g.image(ontapNew, ontapFile, served))
			tt.edit(g)
			stands(t, g.judge(steps, tt.step), tt.want, tt.word)
		})
	}
}

// TestOntapFormerFailure: that an earlier update failed says nothing of this one.
func TestOntapFormerFailure(t *testing.T) {
	g := ontap(t).print(ontapProgress, phase("failed"))
	steps := g.steps(g.image(ontapNew, ontapFile, served))
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	stands(t, g.judge(steps, "install"), platform.NotDone, "still runs")
	g.print(ontapProgress, strings.Replace(phase("failed"), "00:39:00", "00:12:00", 1))
	stands(t, g.judge(steps, "install"), platform.Failed, "the update failed")
}

func TestOntapRefused(t *testing.T) {
	g := ontap(t)
	for want, got := range map[string]string{
		"reverting the whole cluster": g.refused(g.image(ontapOld+"X", "", back)),
		"fetches its packages itself": g.refused(g.image(ontapNew, ontapFile)),
		"MetroCluster":                ontap(t).say("metrocluster show", "not-configured", "configured").refused(g.image(ontapNew, ontapFile, served)),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
