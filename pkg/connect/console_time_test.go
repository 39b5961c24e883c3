package connect

import (
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// TestConsoleTimes: each wait ends when it must.
func TestConsoleTimes(t *testing.T) {
	for name, c := range map[string]struct {
		e    remote.Exchange
		want remote.Ending
		took time.Duration
	}{
		"hung":         {remote.Exchange{Send: "hang"}, remote.Lost, time.Minute},
		"longer quiet": {remote.Exchange{Send: "hang", Quiet: 10 * time.Minute}, remote.Lost, 10 * time.Minute},
		"within":       {remote.Exchange{Send: "hang", Within: 7 * time.Second}, remote.Lost, 7 * time.Second},
		"expected":     {remote.Exchange{Send: "hang", MayDrop: true}, remote.Lost, time.Minute},
		"asks":         {remote.Exchange{Send: "ask"}, remote.Asked, 10 * time.Second},
		"odd question": {remote.Exchange{Send: "odd"}, remote.Asked, time.Minute},
		"plain":        {remote.Exchange{Send: "show clock"}, remote.Done, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				says := basics()
				says["odd"] = "odd\r\nWhich one? "
				b := newBubble(t, Options{AcceptNew: true, KnownHosts: knownIn(t.TempDir()), Keepalive: time.Hour})
				d := newGear(t, "sw1>", says)
				d.server = b.server
				b.server.session = d.serveSession
				defer b.end(t)
				l := b.lease(t)
				c.e.Dialect = gear()
				c.e.Dialect.Quiet = 0
				if _, err := l.Session().Console.Exchange(t.Context(), remote.Exchange{Dialect: c.e.Dialect, Effect: remote.Reads}); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				r, err := l.Session().Console.Exchange(t.Context(), c.e)
				if took := time.Since(began); r.Ending != c.want || took != c.took {
					t.Errorf("ending %d after %s, want %d after %s: %v", r.Ending, took, c.want, c.took, err)
				}
				if lost := r.Ending == remote.Lost && !c.e.MayDrop; lost != (fault.CodeOf(err) == fault.Lost && err != nil) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

// TestWaitingConsolesAreSmall: what one costs beside its connection, with the server's
// side of it, which is in this process too.
func TestWaitingConsolesAreSmall(t *testing.T) {
	const many = 50
	d := newGear(t, "sw1>", basics())
	r := newRig(t, Options{AcceptNew: true})
	d.start(t)
	dialect := gear()
	var leases []*Lease
	for i := range many {
		leases = append(leases, r.lease(t, host(t, "sw"+strconv.Itoa(i), d.address), site()))
	}
	before := inUse()
	var all sync.WaitGroup
	for _, l := range leases {
		all.Go(func() {
			if _, err := l.Session().Console.Exchange(t.Context(), remote.Exchange{Dialect: dialect, Send: "show clock"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	each := (inUse() - before) / many
	t.Logf("%d bytes for each", each)
	if each > 64<<10 {
		t.Errorf("%d bytes for each", each)
	}
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func knownIn(folder string) func(string) []string {
	return func(string) []string { return []string{filepath.Join(folder, "known_hosts")} }
}
