package probe

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

// gear is a host that is asked for its neighbours, and runs no scripts.
type gear struct{ *remotetest.Host }

func (gear) Watch() *health.Watch {
	return &health.Watch{
		Ask: []remote.Exchange{{Send: "show neighbours", Effect: remote.Reads}},
		Read: func(results []remote.Result) map[string]fact.Section {
			r := results[0]
			return map[string]fact.Section{"neighbours": {Known: r.Ending == remote.Done, Why: "refused", Rule: fact.RuleKeep, Items: []string{string(r.Out)}}}
		},
	}
}

func TestDevicesAreAskedInTheirOwnWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := gear{remotetest.New(t, remotetest.OnSend("show neighbours").Prints("a").Times(1), remotetest.OnSend("show neighbours").Prints("b").Times(1), remotetest.OnSend("show neighbours").Prints("a"))}
		before, err := SnapshotAgain(t.Context(), host, time.Now, time.Second)
		if err != nil || before.Sections["neighbours"].Items[0] != "a" {
			t.Fatalf("%+v, %v", before, err)
		}
		diff := health.Check{DefaultDiff: true, Within: time.Minute}
		got := Checks(t.Context(), host, []health.Check{diff, nginx}, health.Vars{}, &before)
		if len(got) != 2 || got[0].Verdict != health.Pass || got[0].Tries != 2 {
			t.Errorf("the second answer is well again: %+v", got)
		}
		if got[1].Verdict != health.Unknown {
			t.Errorf("a device runs no services: %+v", got[1])
		}
	})
}

// What nobody can compare is not well.
func TestDevicesOfWhichNothingIsKnown(t *testing.T) {
	got := Once(t.Context(), blank{remotetest.New(t)}, []health.Check{{DefaultDiff: true}}, health.Vars{}, &fact.Snapshot{})
	if len(got) != 1 || got[0].Verdict != health.Unknown {
		t.Errorf("%+v", got)
	}
}

type blank struct{ *remotetest.Host }

func (blank) Watch() *health.Watch {
	return &health.Watch{Read: func([]remote.Result) map[string]fact.Section { return nil }}
}
