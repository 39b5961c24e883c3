package apply

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

// A step that only looks sends nothing, so that a connection that ends between two
// looks must not count as a Do that was cut.
func TestOnlyLooksSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, left := remotetest.New(t), 3
		host.Add(remotetest.On("look").Always().Does(func(context.Context, remote.Command) (remote.Result, error) {
			if left--; left >= 0 {
				host.Drop()
				host.Down(nil)
			}
			return remote.Result{Ending: remote.Exited, Out: []byte("absent")}, nil
		}))
		got := Perform(t.Context(), host, step(onlyLooks), nil)
		if got.State != platform.Failed || !strings.Contains(got.Reasons[0], "did not happen within 10m0s") {
			t.Errorf("got %+v", got)
		}
	})
}
