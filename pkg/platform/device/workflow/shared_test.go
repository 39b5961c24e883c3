package workflow

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// again is the same device for another test: its definition is read once.
func (g *gear) again(t *testing.T) *gear {
	t.Helper()
	return &gear{t: t, platform: g.platform, dir: g.dir, over: maps.Clone(g.over), at: g.at}
}

// finished are steps of devices that stand at the end of all work: each judge of a look says
// done or not done, so that whatever is taken from it must show.
func finished(t *testing.T) map[string]struct {
	gear  *gear
	steps []platform.Step
} {
	t.Helper()
	xe, eos := xeStack(t), eosOf(t, "mlag_secondary")
	xeSteps, eosSteps := xe.steps(xe.image(xeNew, xeFile, vendor)), eos.steps(eos.image(eosNew, eosFile, anyModel))
	xe.staged("1000000000").xeBoots().xeCommits()
	eos.eosStaged().up()
	return map[string]struct {
		gear  *gear
		steps []platform.Step
	}{"cisco_iosxe": {xe, xeSteps}, "arista_eos": {eos, eosSteps}}
}

// TestSilence: where one answer of a look is lost, cut off, a question or a stop, nothing
// is concluded from the others.
func TestSilence(t *testing.T) {
	for name, at := range finished(t) {
		for _, s := range at.steps {
			var whole []remote.Result
			for _, op := range s.Look.Do {
				whole = append(whole, at.gear.result(op.Exchange.Send))
			}
			for i, op := range s.Look.Do {
				for _, bad := range []remote.Result{
					{Ending: remote.Lost}, {Ending: remote.Asked, Out: []byte("Save? [yes/no]")}, {Ending: remote.Stopped, Out: []byte("switch: ")},
					{Ending: remote.Done, Out: whole[i].Out, Truncated: true},
				} {
					results := slices.Clone(whole)
					results[i] = bad
					if got := s.Look.Judge(results); got.State != platform.Unknown || len(got.Reasons) == 0 {
						t.Errorf("%s %s: %v, though %q gave %v", name, s.ID, got, op.Exchange.Send, bad.Ending)
					}
				}
			}
			if got := s.Look.Judge(whole[:len(whole)-1]); got.State != platform.Unknown {
				t.Errorf("%s %s: %v with an answer too few", name, s.ID, got)
			}
		}
	}
}

// TestDoneNeedsItsEvidence: without the version, the serial numbers or the slots nothing is
// done at the end.
func TestDoneNeedsItsEvidence(t *testing.T) {
	for name, cmds := range map[string][]string{
		"cisco_iosxe": {"show version", "show inventory", xeSummary}, "arista_eos": {"show version", "show boot-config", "show mlag"},
	} {
		at := finished(t)[name]
		stands(t, at.gear.judge(at.steps, "done"), platform.Done, "")
		for _, cmd := range cmds {
			for _, s := range at.steps {
				if s.ID != "done" {
					continue
				}
				var results []remote.Result
				for _, op := range s.Look.Do {
					r := at.gear.result(op.Exchange.Send)
					if op.Exchange.Send == cmd {
						r = remote.Result{Ending: remote.Failed, Out: []byte("% Authorization failed"), At: r.At}
					}
					results = append(results, r)
				}
				if got := s.Look.Judge(results); got.State == platform.Done {
					t.Errorf("%s: done without %q", name, cmd)
				}
			}
		}
	}
}

// TestOnlyTheConfirmingStepCommits: until the checks have passed, the device's own net
// stays armed; and no line that is typed says more than one thing.
func TestOnlyTheConfirmingStepCommits(t *testing.T) {
	for name, at := range finished(t) {
		confirming := false
		for _, s := range at.steps {
			if confirming && !s.Confirm {
				t.Errorf("%s: %s stands behind a confirming step, and is none", name, s.ID)
			}
			confirming = confirming || s.Confirm
			for _, op := range s.Do {
				if op.Exchange == nil {
					continue
				}
				line := op.Exchange.Send
				if strings.Contains(line, "commit") != (s.ID == "commit") || s.ID == "commit" && !s.Confirm {
					t.Errorf("%s: %s types %q", name, s.ID, line)
				}
				if strings.ContainsAny(line, ";|\n") || strings.Contains(line, "prompt-level none") || op.Exchange.Effect != remote.Changes {
					t.Errorf("%s: %s types %q as %v", name, s.ID, line, op.Exchange.Effect)
				}
				if op.Exchange.Cancel != "" && s.Changes {
					t.Errorf("%s: %s may be interrupted in the middle", name, s.ID)
				}
			}
		}
	}
}
