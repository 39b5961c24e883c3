package workflow

import (
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

// carriesOn is the first step that a crashed work would begin with: the first of those
// after the preflight that is not done.
func carriesOn(g *gear, steps []platform.Step) string {
	for _, s := range steps[1:] {
		if s.ID == "backup" || s.ID == "archive" || s.ID == "clear" {
			continue
		}
		if got := g.judge(steps, s.ID); got.State != platform.Done {
			return string(s.ID) + " " + got.State.String()
		}
	}
	return "all done"
}

// TestCarriesOn plays one upgrade of each way from state to state: whatever was done
// already is never begun again.
func TestCarriesOn(t *testing.T) {
	for name, tt := range map[string]struct {
		gear   func(*testing.T) *gear
		work   func(*gear) patch.Work
		states []state
	}{
		"junos": {junosSingle, func(g *gear) patch.Work { return g.image(junosNew, junosFile) }, []state{
			{"idle", func(*gear) {}, "stage not done"},
			{"staged", func(g *gear) {
				path := "/var/tmp/" + junosFile
				g.print("file list "+path, path+"\n")
				g.print("file checksum sha-256 "+path, "SHA256 ("+path+") = "+hexOf(junosFile)+"\n")
			}, "add not done"},
			{"added", func(g *gear) { g.say("show version", "Junos: "+junosOld, "Junos: "+junosOld+"\nPending: "+junosNew) }, "install not done"},
			{"up", func(g *gear) {
				g.say("show version", "Junos: "+junosOld+"\nPending: "+junosNew, "Junos: "+junosNew)
				g.print(uptimeCmd, "System booted: 2026-03-10 05:20:00 UTC (00:04 ago)\n").at = planned.Add(17 * time.Minute)
			}, "all done"},
		}},
		"bigip": {bigip, func(g *gear) patch.Work { return g.image(f5New, f5File) }, []state{
			{"idle", func(*gear) {}, "stage not done"},
			{"staged", func(g *gear) {
				path := "/shared/images/" + f5File
				g.print(`run util bash -c "ls -l `+path+`"`, "-rw-r--r--. 1 admin root 1000000000 Mar 10 05:07 "+path+"\n")
				g.print(`run util bash -c "sha256sum `+path+`"`, hexOf(f5File)+"  "+path+"\n")
			}, "add not done"},
			{"installing", func(g *gear) {
				g.say(f5Status, f5Empty, "HD1.3    BIG-IP  17.1.1.3  0.0.5      no  installing 10.000 pct")
			}, "add running"},
			{"installed", func(g *gear) { g.say(f5Status, "no  installing 10.000 pct", "no  complete") }, "standby not done"},
			{"standby", func(g *gear) { g.say("show sys failover", "active", "standby") }, "install not done"},
			{"up", func(g *gear) {
				g.say(f5Status, "0.0.3     yes", "0.0.3      no", "0.0.5      no", "0.0.5     yes").say("show sys version", f5Old, f5New, "0.0.3", "0.0.5")
				g.print(f5Uptime, "up 7 minutes\n").at = planned.Add(30 * time.Minute)
			}, "all done"},
		}},
		"ontap": {ontap, func(g *gear) patch.Work { return g.image(ontapNew, ontapFile, served) }, []state{
			{"idle", func(*gear) {}, "stage not done"},
			{"fetched", func(g *gear) {
				g.print("cluster image package show-repository", ontapNew+"         2/13/2024 19:03:15\n")
			}, "install not done"},
			{"at work", func(g *gear) { g.print(ontapProgress, phase("in-progress")) }, "install running"},
			{"updated", func(g *gear) {
				g.print(ontapProgress, phase("completed")).at = planned.Add(6 * time.Hour)
				g.say(ontapVersions, ontapOld, ontapNew).say("version", ontapOld, ontapNew).say(ontapUptime, "9 days ", "")
			}, "all done"},
		}},
		"fortios": {forti, func(g *gear) patch.Work { return g.image("7.2.10", fortiFile) }, []state{
			{"idle", func(*gear) {}, "install not done"},
			{"up", func(g *gear) {
				g.print(fortiUptime, "Uptime: 0 days,  0 hours,  5 minutes\n").print(fortiErrors, "\n").at = planned.Add(15 * time.Minute)
				g.say(fortiStatus, "7.2.8", "7.2.10", "1639", "1706")
			}, "all done"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := tt.gear(t)
			steps := g.steps(tt.work(g))
			for _, s := range tt.states {
				s.edit(g)
				if got := carriesOn(g, steps); got != s.want {
					t.Errorf("%s: carries on with %q, want %q", s.name, got, s.want)
				}
			}
		})
	}
}

type state struct {
	name string
	edit func(*gear)
	want string
}

// hexOf is the digest that gear.image gives a file.
func hexOf(name string) string { return string(patch.DigestOf([]byte(name)))[len("sha256:"):] }
