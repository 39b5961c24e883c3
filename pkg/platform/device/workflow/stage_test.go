package workflow

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

func TestStaging(t *testing.T) {
	base := xeStack(t)
	for _, tt := range []struct {
		name string
		edit func(*gear)
		step platform.StepID
		want platform.State
		word string
	}{
		{"a part of it, before", func(g *gear) { g.staged("400000000") }, "clear", platform.NotDone, "a part"},
		{"a part of it, after", func(g *gear) { g.staged("400000000").say("verify /sha512 flash:"+xeFile, "abab", "cdcd") }, "stage", platform.NotDone, "only a part"},
		{"another file of its size", func(g *gear) { g.staged("1000000000").say("verify /sha512 flash:"+xeFile, "abab", "cdcd") }, "stage", platform.Failed, "another sha512"},
		{"that is left alone", func(g *gear) { g.staged("1000000000").say("verify /sha512 flash:"+xeFile, "abab", "cdcd") }, "clear", platform.Done, ""},
		{"no digest is computed", func(g *gear) { g.staged("1000000000").print("verify /sha512 flash:"+xeFile, "Aborted\n") }, "stage", platform.Unknown, "did not compute"},
		{"unsaved", func(g *gear) { g.print(xeSaved, "!Contextual Config Diffs:\n+ntp server 192.0.2.1\n") }, "backup", platform.NotDone, "not saved"},
		{"nobody tells what is saved", func(g *gear) { delete(g.over, xeSaved) }, "backup", platform.Unknown, "nobody can tell"},
		{"no configuration", func(g *gear) { g.print("show running-config", "") }, "backup", platform.Unknown, "can't be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := base.again(t)
			steps := g.steps(g.image(xeNew, xeFile, vendor))
			tt.edit(g)
			stands(t, g.judge(steps, tt.step), tt.want, tt.word)
		})
	}
}

// TestClearNeedsASize: what can't be told to be a part is not deleted; the digest decides.
func TestClearNeedsASize(t *testing.T) {
	const path = "/var/tmp/" + junosFile
	g := junosSingle(t).print("file list "+path, path+"\n")
	steps := g.steps(g.image(junosNew, junosFile))
	for _, tt := range []struct {
		digest string
		want   platform.State
	}{{hexOf(junosFile), platform.Done}, {hexOf("another"), platform.Failed}} {
		g.print("file checksum sha-256 "+path, "SHA256 ("+path+") = "+tt.digest+"\n")
		stands(t, g.judge(steps, "clear"), platform.Done, "")
		stands(t, g.judge(steps, "stage"), tt.want, "")
	}

	const iso = "/shared/images/" + f5File
	lb := bigip(t)
	steps = lb.steps(lb.image(f5New, f5File))
	stands(t, lb.print(`run util bash -c "ls -l `+iso+`"`, "-rw-r--r--. 1 admin root 400000000 Mar 10 05:07 "+iso+"\n").judge(steps, "clear"), platform.NotDone, "a part")
	stands(t, lb.print(`run util bash -c "ls -l `+iso+`"`, "-rw-r--r--. 1 admin root 1000000000 Mar 10 05:07 "+iso+"\n").judge(steps, "clear"), platform.Done, "")
}

// TestModelsWithASlash: a slash in a model is a letter like others.
func TestModelsWithASlash(t *testing.T) {
	g := xeStack(t)
	steps := g.steps(g.image(xeNew, xeFile, vendor, func(w *patch.Work) { w.Image.Models = []string{"C9300*"} }))
	g.say("show version", "C9300-48P", "C9300/48P").say("show inventory", "C9300-48P", "C9300/48P")
	for _, why := range g.judge(steps, "preflight").Reasons {
		if strings.Contains(why, "the image is for") {
			t.Error(why)
		}
	}
}

func TestCost(t *testing.T) {
	g := xeStack(t)
	cost := Driver{g.platform}.Cost(g.facts(), patch.Work{})
	if cost.Outage != patch.OutageWhole || cost.Proof != platform.ProofDocument || !strings.Contains(cost.Net, "timer") {
		t.Errorf("%+v", cost)
	}
	g.platform.Definition.Proof = "unchecked"
	if cost := (Driver{g.platform}.Cost(g.facts(), patch.Work{})); cost.Proof.Proven() {
		t.Errorf("a definition that nobody has checked is proven: %+v", cost)
	}
	if can, why := (Driver{g.platform}.Return(fact.Facts{}, patch.Work{})); can != patch.No || why == "" {
		t.Errorf("%v, %q", can, why)
	}
}
