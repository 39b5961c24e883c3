package apply

import (
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

// A file that is the install itself (FortiOS: fgt-image) may end the connection, and is never
// sent twice; one that is only laid down is.
func TestPushThatInstalls(t *testing.T) {
	for name, c := range map[string]struct {
		drops, changes bool
		looks          []string
		want           platform.State
		pushes         int
	}{
		"lost, as it may be":         {true, true, []string{"absent", "absent", "running", "done"}, platform.Done, 1},
		"lost, and never seen":       {true, true, nil, platform.Failed, 1},
		"lost, and it must not be":   {false, true, []string{"absent", "absent", "done"}, platform.Done, 1},
		"lost, and only laid down":   {false, false, []string{"absent", "absent", "done"}, platform.Done, 2},
		"may drop, and is no change": {true, false, []string{"absent", "absent", "done"}, platform.Done, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, sees(c.looks...)...)
			if c.looks == nil {
				d.Add(remotetest.OnSend("look").Ends(remote.Result{Ending: remote.Done, Out: []byte("absent")}).Always())
			}
			d.refuse = remotetest.Lost()
			s := typing(image(remote.SCP, patch.DigestOf([]byte(packageFile))))
			s.Changes, s.Do[0].MayDrop = c.changes, c.drops
			got := Perform(t.Context(), d, s, nil)
			if got.State != c.want || len(d.pushed) != c.pushes {
				t.Errorf("%s: got %+v, pushed %d times", name, got, len(d.pushed))
			}
		})
	}
}

// Higher rights are asked from the same directory as logins: after a reload it is not there yet.
func TestPrivilegeWithinTheGrace(t *testing.T) {
	refused := sighting{err: &fault.Error{Kind: fault.GiveUp, Code: fault.Privilege}}
	look := platform.Look{Reconnects: true, Do: []platform.Operation{{Exchange: &remote.Exchange{}}}}
	m := memory{step: platform.Step{Look: look}}
	tries := 0
	for a := reconnect; a == reconnect; tries++ {
		a, _ = m.next(refused, false)
		m.remember(refused, a)
		if m.apart == 0 {
			t.Error("it is asked again at once")
		}
	}
	if tries != graceTries {
		t.Errorf("%d tries, want %d", tries, graceTries)
	}
	look.Do = []platform.Operation{{Command: &remote.Command{}}}
	m = memory{step: platform.Step{Look: look}}
	if m.remember(refused, reconnect); m.patience(refused.err) != 1 || m.apart != 0 {
		t.Error("sudo has no such grace")
	}
}
