package probe

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

func TestOnceAsksOnce(t *testing.T) {
	auth := &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, What: "no key fits"}
	sick := with("check_service nginx", "3 activating\n")
	for name, c := range map[string]struct {
		stubs []*remotetest.Stub
		down  []error
		want  string
		took  time.Duration
	}{
		"well":              {stubs: []*remotetest.Stub{script().Does(says(well()))}, want: "pass 1"},
		"not yet":           {stubs: []*remotetest.Stub{script().Does(says(sick))}, want: "fail 1"},
		"garbage":           {stubs: []*remotetest.Stub{script().Prints("hello\n")}, want: "unknown 1"},
		"cut":               {stubs: []*remotetest.Stub{script().Cuts(), script().Does(says(sick))}, want: "fail 2", took: time.Second},
		"cut twice":         {stubs: []*remotetest.Stub{script().Cuts().Times(2)}, want: "unknown 2", took: time.Second},
		"gone for a moment": {down: make([]error, 1), stubs: []*remotetest.Stub{script().Does(says(well()))}, want: "pass 2", took: time.Second},
		"gone":              {down: make([]error, 2), want: "unknown 2", took: time.Second},
		"wrong key":         {down: []error{auth}, want: "unknown 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := remotetest.New(t, c.stubs...)
				host.Down(c.down...)
				begin := time.Now()
				got := Once(t.Context(), host, []health.Check{nginx}, health.Vars{}, nil)
				if took := time.Since(begin); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				if l := lines(got); !slices.Equal(l, []string{"service nginx: " + c.want}) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// Where only the connection as root was lost, what was answered before is not asked again.
func TestOnceAsksAgainOnlyWhatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := health.Check{Name: "smoke", Command: &health.Command{Argv: []string{"smoke"}, Become: true}}
		sick := with("check_service nginx", "3 failed\n")
		sick["check_command 60 smoke"] = "0 "
		host := remotetest.New(t, script().Does(says(sick)), script().Cuts(), script().Does(says(sick)))
		got := lines(Once(t.Context(), host, []health.Check{nginx, root}, health.Vars{}, nil))
		if !slices.Equal(got, []string{"service nginx: fail 1", "smoke: pass 2"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := remotetest.New(t, script().Cuts(), script().Does(says(well())))
		if err := Reached(t.Context(), host, time.Now); err != nil {
			t.Error(err)
		}
		host.Drop()
		host.Down(nil, nil)
		if err := Reached(t.Context(), host, time.Now); fault.CodeOf(err) != fault.Unreachable {
			t.Error(err)
		}
	})
}
