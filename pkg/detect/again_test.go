package detect

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

// leased is one lease of a scripted host's connection.
type leased struct {
	host    *remotetest.Host
	session remote.Session
	release func()
}

func (l leased) Session() remote.Session { return l.session }
func (leased) Ident() string             { return openSSH }
func (l leased) Release()                { l.release() }
func (l leased) Drop()                   { l.host.Drop() }

// leases counts what was leased and not given back.
func leases(h *remotetest.Host, open *int) func(context.Context) (leased, error) {
	return func(ctx context.Context) (leased, error) {
		s, _, err := h.Session(ctx)
		if err != nil {
			return leased{}, err
		}
		*open++
		return leased{h, remote.ReadOnly(s, remote.Reads), func() { *open-- }}, nil
	}
}

func TestAgain(t *testing.T) {
	gives := func(code fault.Code, kind fault.Kind) *fault.Error {
		return &fault.Error{Kind: kind, Code: code, What: "no"}
	}
	asked := func() *remotetest.Stub { return remotetest.On("...") }
	debian := recorded(t, "probe-debian")
	for name, c := range map[string]struct {
		stubs []*remotetest.Stub
		down  []error
		code  fault.Code // "": detected
		took  time.Duration
		opens int
	}{
		"at once":         {stubs: []*remotetest.Stub{asked().Ends(debian)}, opens: 1},
		"cut":             {stubs: []*remotetest.Stub{asked().Cuts(), asked().Ends(debian)}, took: time.Second, opens: 2},
		"lost silently":   {stubs: []*remotetest.Stub{asked().Ends(remote.Result{}), asked().Ends(debian)}, took: time.Second, opens: 2},
		"away for long":   {down: make([]error, 7), stubs: []*remotetest.Stub{asked().Ends(debian)}, took: 60 * time.Second, opens: 8},
		"cut, then away":  {down: []error{nil}, stubs: []*remotetest.Stub{asked().Cuts(), asked().Ends(debian)}, took: 3 * time.Second, opens: 3},
		"away for good":   {down: make([]error, 99), code: fault.Unreachable, took: 2 * time.Minute, opens: 12},
		"cut for good":    {stubs: []*remotetest.Stub{asked().Cuts().Always()}, code: fault.Lost, took: 2 * time.Minute, opens: 12},
		"wrong key":       {down: []error{gives(fault.Auth, fault.GiveUp)}, code: fault.Auth, opens: 1},
		"strange key":     {down: []error{gives(fault.HostKeyChanged, fault.GiveUp)}, code: fault.HostKeyChanged, opens: 1},
		"blocked":         {down: []error{gives(fault.CredentialBlocked, fault.Retry)}, code: fault.CredentialBlocked, opens: 1},
		"never reachable": {down: []error{gives(fault.Unreachable, fault.GiveUp)}, code: fault.Unreachable, opens: 1},
		"away, wrong key": {down: []error{nil, gives(fault.Auth, fault.GiveUp)}, code: fault.Auth, took: time.Second, opens: 2},
		"no root":         {stubs: []*remotetest.Stub{asked().Fails(gives(fault.Privilege, fault.GiveUp)), asked().Ends(debian)}, code: fault.Privilege, opens: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, open, began := remotetest.New(t, c.stubs...), 0, time.Now()
				h.Down(c.down...)
				f, err := Again(t.Context(), leases(h, &open), web, time.Now, Query{}, 2*time.Minute)
				if err == nil && (c.code != "" || f.Platform != apt.Debian || !f.Seen.Equal(time.Now())) {
					t.Errorf("want %q, got %+v", c.code, f)
				}
				if err != nil && (fault.CodeOf(err) != c.code || !strings.HasPrefix(err.Error(), "hq/web-01: ")) {
					t.Errorf("want %q, got %v", c.code, err)
				}
				if took := time.Since(began); took != c.took || h.Opens() != c.opens || open != 0 {
					t.Errorf("took %s, want %s; %d connections, want %d; %d not given back", took, c.took, h.Opens(), c.opens, open)
				}
			})
		})
	}
}

func TestAgainStopsWithPatchring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		h, open, began := remotetest.New(t), 0, time.Now()
		h.Down(make([]error, 99)...)
		_, err := Again(ctx, leases(h, &open), web, time.Now, Query{}, time.Hour)
		if took := time.Since(began); err == nil || took != 5*time.Second {
			t.Errorf("%v after %s", err, took)
		}
	})
}
