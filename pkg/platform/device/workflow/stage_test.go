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
