package workflow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// retried is work that an earlier try has begun.
func retried(w *patch.Work) { w.Again = true }

func ids(steps []platform.Step) string {
	var list []string
	for _, s := range steps {
		list = append(list, string(s.ID))
	}
	return strings.Join(list, " ")
}

// TestRetryProves: where every member runs the target already, a new try looks whether all
// else holds too, and types nothing.
func TestRetryProves(t *testing.T) {
	type wrong struct {
		edit func(*gear)
		word string
	}
	for name, tt := range map[string]struct {
		gear  func(*testing.T) *gear
		work  func(*gear) patch.Work
		steps string
		wrong []wrong
	}{
		"install mode": {
			func(t *testing.T) *gear { t.Helper(); return xeStack(t).xeBoots().xeCommits() },
			func(g *gear) patch.Work { return g.image(xeNew, xeFile, vendor, retried) }, "proven done done_again",
			[]wrong{
				{func(g *gear) { g.say(xeSummary, "IMG   C ", "IMG   D ") }, "not committed on every member"},
				{func(g *gear) { g.say(xeSummary, "inactive", "active , time before rollback - 01:00:00") }, "timer"},
			},
		},
		"bundle": {
			func(t *testing.T) *gear {
				t.Helper()
				g := xeBundle(t)
				g.say("show version", xeOldV, xeNew, "17.06.05", "17.12.04", xeOldFile, xeFile)
				return g.say("show boot", xeOldFile, xeFile)
			},
			func(g *gear) patch.Work { return g.image(xeNew, xeFile, anyModel, retried) }, "proven done done_again",
			[]wrong{{func(g *gear) { g.say("show boot", xeFile, xeOldFile) }, "next boot does not start"}},
		},
		"eos": {
			func(t *testing.T) *gear { t.Helper(); return eosOf(t, "mlag_secondary").up() },
			func(g *gear) patch.Work { return g.image(eosNew, eosFile, anyModel, retried) }, "proven done done_again",
			[]wrong{
				{func(g *gear) { g.say("show boot-config", "EOS-4.32.1F", "EOS-4.30.5M") }, "next boot does not start"},
				{func(g *gear) { g.say("show mlag", "consistent", "inconsistent") }, "do not agree"},
			},
		},
		"junos": {
			func(t *testing.T) *gear { t.Helper(); return junosSingle(t).say("show version", junosOld, junosNew) },
			func(g *gear) patch.Work { return g.image(junosNew, junosFile, retried) }, "proven done done_again",
			[]wrong{
				{func(g *gear) { g.say("show version", "Junos: "+junosNew, "Junos: "+junosNew+"\nPending: 21.1R1.1") }, "would start 21.1R1.1"},
				{func(g *gear) { g.print("show chassis alarms", "Minor  Host 0 Boot from backup root\n") }, "backup"},
			},
		},
		"bigip": {
			func(t *testing.T) *gear {
				t.Helper()
				g := bigip(t).say("show sys version", f5Old, f5New, "0.0.3", "0.0.5")
				return g.say(f5Status, "0.0.3     yes", "0.0.3      no", f5Empty, strings.Replace(f5Full, " no ", "yes ", 1))
			},
			func(g *gear) patch.Work { return g.image(f5New, f5File, retried) }, "proven done done_again",
			[]wrong{
				{func(g *gear) { g.say("show sys mcp-state", "full-config-load-succeed", "config-load-failed") }, "config-load-failed"},
				{func(g *gear) { g.say("show sys mcp-state", "running", "platform") }, "control process"},
				{func(g *gear) { g.say("show cm sync-status", "In Sync", "Disconnected") }, "partner"},
				{func(g *gear) { g.print("show sys failover", "Failover offline\n") }, "neither"},
				{func(g *gear) { g.say("show sys version", "0.0.5", "0.0.9") }, "0.0.9"},
			},
		},
		"ontap": {
			func(t *testing.T) *gear {
				t.Helper()
				return ontap(t).say(ontapVersions, ontapOld, ontapNew).say("version", ontapOld, ontapNew)
			},
			func(g *gear) patch.Work { return g.image(ontapNew, ontapFile, served, retried) }, "home proven done done_again",
			[]wrong{
				{func(g *gear) {
					g.say("storage failover show", "true     Connected to cluster1-02", "false    Waiting for giveback")
				}, "takeover"},
				{func(g *gear) { g.print(ontapProgress, phase("paused-on-error")) }, "update"},
			},
		},
		"fortios": {
			func(t *testing.T) *gear {
				t.Helper()
				return forti(t).say(fortiStatus, "7.2.8", "7.2.10", "1639", "1706")
			},
			func(g *gear) patch.Work { return g.image("7.2.10", fortiFile, retried) }, "proven done done_again",
			[]wrong{{func(g *gear) { g.say(fortiStatus, "1706", "1700") }, "1700"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := tt.gear(t)
			steps := g.steps(tt.work(g))
			if got := ids(steps); got != tt.steps {
				t.Errorf("got %s, want %s", got, tt.steps)
			}
			for _, s := range steps {
				stands(t, g.judge(steps, s.ID), platform.Done, "")
				if len(s.Do) > 0 && s.ID != "home" {
					t.Errorf("%s types", s.ID)
				}
			}
			for _, w := range tt.wrong {
				again := g.again(t)
				w.edit(again)
				if got := again.judge(steps, "proven"); got.State == platform.Done || !strings.Contains(strings.Join(got.Reasons, "; "), w.word) {
					t.Errorf("got %v, want a doubt with %q", got, w.word)
				}
			}
		})
	}
}

// TestHalfwayCarriesOn: one of two nodes has it. Only a work that has begun before carries on
// there, and it needs no new boot of the node that has it.
func TestHalfwayCarriesOn(t *testing.T) {
	g := ontap(t).say("version", ontapOld, ontapNew).say(ontapVersions, "cluster1-01      "+ontapOld, "cluster1-01      "+ontapNew)
	first := g.steps(g.image(ontapNew, ontapFile, served))
	stands(t, g.judge(first, "preflight"), platform.Failed, "do not run the same")
	steps := g.steps(g.image(ontapNew, ontapFile, served, retried))
	stands(t, g.judge(steps, "preflight"), platform.Done, "")
	stands(t, g.judge(steps, "install"), platform.NotDone, "stands where an earlier try has left it")
	stands(t, g.print(ontapProgress, phase("in-progress")).judge(steps, "install"), platform.Running, "updates")
	g.print(ontapProgress, phase("completed")).say(ontapVersions, ontapOld, ontapNew)
	stands(t, g.judge(steps, "install"), platform.Unknown, "has not restarted")
	g.at = planned.Add(6 * time.Hour)
	uptimes := strings.Split(string(g.result(ontapUptime).Out), "\n")
	at := slices.IndexFunc(uptimes, func(line string) bool { return strings.HasPrefix(line, "cluster1-02") })
	uptimes[at] = "cluster1-02 00:40:00"
	g.print(ontapUptime, strings.Join(uptimes, "\n"))
	stands(t, g.judge(steps, "install"), platform.Done, "")
	stands(t, g.judge(steps, "done"), platform.Done, "")
}

// TestWhoseSoftware: without an earlier try of ours, what is there already is somebody else's.
func TestWhoseSoftware(t *testing.T) {
	for name, tt := range map[string]struct {
		gear func(*testing.T) *gear
		work func(*gear, ...func(*patch.Work)) patch.Work
		edit func(*gear)
		word string
	}{
		"pending": {junosSingle, func(g *gear, e ...func(*patch.Work)) patch.Work { return g.image(junosNew, junosFile, e...) },
			func(g *gear) { g.say("show version", "Junos: "+junosOld, "Junos: "+junosOld+"\nPending: "+junosNew) }, "rollback"},
		"in the repository": {ontap, func(g *gear, e ...func(*patch.Work)) patch.Work {
			return g.image(ontapNew, ontapFile, append(e, served)...)
		},
			func(g *gear) {
				g.print("cluster image package show-repository", ontapNew+"         2/13/2024 19:03:15\n")
			}, "cluster image package delete -version " + ontapNew},
		"added": {xeStack, func(g *gear, e ...func(*patch.Work)) patch.Work { return g.image(xeNew, xeFile, append(e, vendor)...) },
			func(g *gear) { g.say(xeSummary, "IMG   C ", "IMG   I    17.12.04.0.1\nIMG   C ") }, "install remove inactive"},
		"next": {func(t *testing.T) *gear { t.Helper(); return eosOf(t, "single") }, func(g *gear, e ...func(*patch.Work)) patch.Work {
			return g.image(eosNew, eosFile, append(e, anyModel)...)
		}, func(g *gear) { g.say("show boot-config", "EOS-4.30.5M", "EOS-4.32.1F") }, "already"},
	} {
		t.Run(name, func(t *testing.T) {
			g := tt.gear(t)
			for again, edit := range map[bool]func(*patch.Work){false: func(*patch.Work) {}, true: retried} {
				at := g.again(t)
				steps := at.steps(tt.work(at, edit))
				tt.edit(at)
				told := strings.Contains(strings.Join(at.judge(steps, "preflight").Reasons, "; "), tt.word)
				if told == again {
					t.Errorf("again %v: %v", again, at.judge(steps, "preflight"))
				}
			}
		})
	}
}

// TestGuardsNeedAnAnswer: a guard that the device does not allow us to ask is none. Where it
// knows no such command, it has no such thing.
func TestGuardsNeedAnAnswer(t *testing.T) {
	g := xeStack(t)
	steps := g.steps(g.image(xeNew, xeFile, vendor))
	look := steps[0].Look
	for words, want := range map[string]platform.State{
		"% Authorization failed.\n": platform.Failed, "         ^\n% Invalid input detected at '^' marker.\n": platform.Done,
	} {
		var results []remote.Result
		for _, op := range look.Do {
			r := g.result(op.Exchange.Send)
			if op.Exchange.Send == "show configuration lock" {
				r = remote.Result{Ending: remote.Failed, Out: []byte(words), At: r.At}
			}
			results = append(results, r)
		}
		stands(t, look.Judge(results), want, "")
	}
}

// TestReleasesAreNoBuilds: what follows a version is another release, where the maker counts so.
func TestReleasesAreNoBuilds(t *testing.T) {
	g := bigip(t)
	g.say("show sys version", f5Old, "16.1.4.1")
	steps := g.steps(g.image("16.1.4.2", "BIGIP-16.1.4.2-0.0.5.iso"))
	g.say("show sys version", "16.1.4.1", "16.1.4.1.1")
	stands(t, g.judge(steps, "preflight"), platform.Failed, "16.1.4.1.1 now")
}
