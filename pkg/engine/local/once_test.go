package local

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// once is a driver whose installation may be begun once only.
type once struct{ linux }

func (o once) Steps(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	steps, err := o.linux.Steps(f, w)
	steps[1].Once = true
	return steps, err
}

// What may be done once is done by the process that begins it, and by no other that finds
// it begun, though nothing is to be seen of it.
func TestOnceIsNotDoneByTheNextProcess(t *testing.T) {
	for mode, c := range map[rollout.Mode]struct {
		want rollout.Outcome
		word string
		sent bool
	}{
		rollout.Start:     {rollout.OutcomeOK, "", true},
		rollout.Reconcile: {rollout.OutcomeUnknown, "was not sent again", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newWorld(t, "web").rig(planOf("web"), "r1", func(c *Config) {
				c.Driver = func(fact.Platform) (platform.Driver, bool) { return once{}, true }
			})
			want(t, r.must(t, "web", rollout.FlowBegin), rollout.OutcomeOK, "")
			end, err := r.restart().step(t.Context(), "web", rollout.StepInstall, mode)
			if err != nil {
				t.Fatal(err)
			}
			want(t, end, c.want, c.word)
			if sent := slices.Contains(r.world.at("web").effects, "install"); sent != c.sent {
				t.Errorf("%s: effects %q", mode, r.world.at("web").effects)
			}
		})
	}
}
