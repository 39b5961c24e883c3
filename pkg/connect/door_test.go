package connect

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// crowd leases many hosts that have one address at once, and counts who got in.
func (b *bubble) crowd(t *testing.T, many int) (in int64, last error) {
	t.Helper()
	var ok atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			h := b.host()
			h.ID.Name = strconv.Itoa(i)
			l, err := b.Lease(t.Context(), h, inventory.Site{Name: "hq"})
			if err == nil {
				ok.Add(1)
				l.Release()
				return
			}
			mu.Lock()
			last = err
			mu.Unlock()
		})
	}
	all.Wait()
	return ok.Load(), last
}

// A penalty is the address's, not each host's: those that were on their way find out, then
// one at a time looks, the second time after more than 15 s; once it is over all get in.
func TestPenaltyIsSharedByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end(t)
		b.dropFor(10 * time.Second)
		began := time.Now()
		if in, err := b.crowd(t, 40); in != 40 {
			t.Errorf("%d of 40 got in: %v", in, err)
		}
		var knocks []time.Duration
		for _, at := range b.dials[:len(b.dials)-39] {
			knocks = append(knocks, at.Sub(began))
		}
		look, end := knocks[len(knocks)-2], knocks[len(knocks)-1]
		if len(knocks) > 8+2 || look < time.Second || look > 2*time.Second || end-look < 15*time.Second || end-look > 30*time.Second {
			t.Errorf("it knocked after %v", knocks)
		}
	})
}

// Where it does not end, ten knocks at most are all that the server hears of forty hosts.
func TestDeadDoorIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end(t)
		b.dropFor(time.Minute)
		in, err := b.crowd(t, 40)
		wantFault(t, err, fault.Unreachable, "PerSourcePenalties", "fail2ban")
		if in != 0 || len(b.dials) > 8+2 {
			t.Errorf("%d got in, %d dials", in, len(b.dials))
		}
		pass(time.Minute)
		b.lease(t).Release() // it is not given up for ever
	})
}

// dropFor cuts all connections at once for a while.
func (b *bubble) dropFor(d time.Duration) {
	b.drops = 1 << 30
	time.AfterFunc(d, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.drops = 0
	})
}

// sshd 9.8 says in plain text why it hangs up.
func TestExcuseIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end(t)
		b.wire = func(_, back *pipe) {
			_, _ = back.Write([]byte("Not allowed at this time\x1b[31m\r\n"))
			back.close()
		}
		_, err := b.Lease(t.Context(), b.host(), site())
		wantFault(t, err, fault.Unreachable, `it said "Not allowed at this time\x1b[31m`)
		if len(b.dials) != maxDrops {
			t.Errorf("%d dials", len(b.dials))
		}
	})
}

// MaxStartups of 1: never more than one is let in to log in, and all hosts get there.
func TestRealSSHDMaxStartups(t *testing.T) {
	for _, limit := range []string{"1", "10:30:100"} {
		t.Run(limit, func(t *testing.T) {
			r := newRig(t, Options{})
			path, public := keyFile(t, "id", "")
			d := startSSHD(t, public, "MaxStartups "+limit)
			r.trust(t, d.address, d.hostKey)
			var all sync.WaitGroup
			for i := range 24 {
				all.Go(func() {
					l, err := r.Lease(t.Context(), d.host(t, strconv.Itoa(i), path), site())
					if err != nil {
						t.Error(err)
						return
					}
					l.Release()
				})
			}
			all.Wait()
		})
	}
}

// MaxSessions of 1 or 2: commands that want to run at once wait for each other.
func TestRealSSHDMaxSessions(t *testing.T) {
	for _, limit := range []int{1, 2} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			r := newRig(t, Options{})
			path, public := keyFile(t, "id", "")
			d := startSSHD(t, public, fmt.Sprintf("MaxSessions %d", limit))
			r.trust(t, d.address, d.hostKey)
			l := r.lease(t, d.host(t, "real", path), site())
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", "sleep 0.2; echo " + strconv.Itoa(i)}})
					if err != nil || strings.TrimSpace(string(got.Out)) != strconv.Itoa(i) {
						t.Errorf("%+v, %v", got, err)
					}
				})
			}
			all.Wait()
		})
	}
}

// Who hangs up before our own first line was read has been heard all the same.
func TestExcuseBeforeOurFirstLine(t *testing.T) {
	there, back := newPipe(), newPipe()
	_, _ = back.Write([]byte("Exceeded MaxStartups\r\n"))
	back.close()
	there.close()
	w := &wire{Conn: memory{in: back, out: there}}
	if _, err := w.Write([]byte("SSH-2.0-x\r\n")); !dropped(err) {
		t.Errorf("written: %v", err)
	}
	if w.excuse() != "Exceeded MaxStartups" {
		t.Errorf("it said %q", w.excuse())
	}
}
