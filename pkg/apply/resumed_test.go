package apply

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

// What may be done once only is never done by the process after the one that began it,
// whatever the first looks say.
func TestResumedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		once  bool
		looks []string
		want  platform.State
		sent  int
	}{
		"not seen":         {true, []string{"absent"}, platform.Unknown, 0},
		"seen later":       {true, []string{"absent", "running", "done"}, platform.Done, 0},
		"gone again":       {true, []string{"running", "absent"}, platform.Unknown, 0},
		"failed":           {true, []string{"absent", "failed"}, platform.Failed, 0},
		"may be done over": {false, []string{"absent", "done"}, platform.Done, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, sees(c.looks[:len(c.looks)-1]...)...)
				if c.sent > 0 {
					d.Add(remotetest.OnSend("do"))
				}
				d.Add(remotetest.OnSend("look").Ends(remote.Result{Ending: remote.Done, Out: []byte(c.looks[len(c.looks)-1])}).Always())
				step := typing(func(s *platform.Step) { s.Once = c.once }).Resumed()
				got := Perform(t.Context(), d, step, nil)
				if got.State != c.want || count(d.Calls(), "do") != c.sent {
					t.Errorf("got %+v, sent %d times", got, count(d.Calls(), "do"))
				}
				if got.State == platform.Unknown && !strings.Contains(strings.Join(got.Reasons, ";"), "was not sent again") {
					t.Errorf("it does not say so: %q", got.Reasons)
				}
			})
		})
	}
}
