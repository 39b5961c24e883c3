package probe

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

func TestSnapshotAgain(t *testing.T) {
	auth := &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, What: "no key fits"}
	never := &fault.Error{Kind: fault.GiveUp, Code: fault.Unreachable, What: "closed"}
	taken := func() *remotetest.Stub { return script().Does(says(well())) }
	for name, c := range map[string]struct {
		stubs []*remotetest.Stub
		down  []error
		code  fault.Code // "": taken
		took  time.Duration
	}{
		"at once":         {stubs: []*remotetest.Stub{taken()}},
		"cut":             {stubs: []*remotetest.Stub{script().Cuts(), taken()}, took: time.Second},
		"lost silently":   {stubs: []*remotetest.Stub{script().Ends(remote.Result{}), taken()}, took: time.Second},
		"away for long":   {down: make([]error, 7), stubs: []*remotetest.Stub{taken()}, took: 45 * time.Second},
		"away for good":   {down: make([]error, 99), code: fault.Unreachable, took: 2 * time.Minute},
		"wrong key":       {down: []error{auth}, code: fault.Auth},
		"away, wrong key": {down: []error{nil, auth}, code: fault.Auth, took: time.Second},
		"never reachable": {down: []error{never}, code: fault.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host, began := remotetest.New(t, c.stubs...), time.Now()
				host.Down(c.down...)
				got, err := SnapshotAgain(t.Context(), host, time.Now, 2*time.Minute)
				if took := time.Since(began); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				if (err == nil) != (c.code == "") || err != nil && fault.CodeOf(err) != c.code {
					t.Errorf("want %q, got %v", c.code, err)
				}
				if err == nil && (got.BootID != "b" || !got.Seen.Equal(time.Now())) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

func TestSnapshotAgainStopsWithPatchring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		host, began := remotetest.New(t), time.Now()
		host.Down(make([]error, 99)...)
		_, err := SnapshotAgain(ctx, host, time.Now, time.Hour)
		if took := time.Since(began); err == nil || took != 5*time.Second {
			t.Errorf("%v after %s", err, took)
		}
	})
}
