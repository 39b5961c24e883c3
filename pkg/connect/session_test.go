package connect

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// With MaxSessions 1 a second command waits for the first, however long that runs.
func TestSessionsWaitForOurOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		slots1(b.server)
		defer b.end(t)
		l := b.lease(t)
		defer l.Release()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"true"}}); err != nil || !got.OK() {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
		all.Wait()
	})
}

// Who gives up waiting for a session takes the connection from nobody.
func TestSessionWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		slots1(b.server)
		defer b.end(t)
		l := b.lease(t)
		defer l.Release()
		var all sync.WaitGroup
		all.Go(func() {
			if got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"true"}}); err != nil || !got.OK() {
				t.Errorf("the one that runs: %+v, %v", got, err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := l.Session().Runner.Run(ctx, remote.Command{Argv: []string{"true"}})
		wantFault(t, err, fault.Unreachable, "gave up")
		err = l.Session().Files.Put(ctx, "/tmp/x", bytes.NewReader([]byte("x")), patch.DigestOf([]byte("x")))
		if err == nil {
			t.Error("a file went through")
		}
		short, end := context.WithTimeout(t.Context(), 10*time.Second)
		defer end()
		if _, err := l.openSFTP(short); fault.CodeOf(err) != fault.Unreachable {
			t.Errorf("%v", err)
		}
		if _, err := l.openSFTP(t.Context()); err == nil { // the one that runs ends first; this server has no SFTP
			t.Error("a server without SFTP has it")
		}
		all.Wait()
	})
}

// A host that answers signs of life and nothing else holds a file no longer than a stalled
// one: its first byte may never come, and not even the session.
func TestFirstByteNeverComes(t *testing.T) {
	for _, opens := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, Options{})
			defer b.end(t)
			b.server.refuse = func(ssh.NewChannel) bool { return !opens }
			b.server.session = func(_ ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
				if req, ok := <-reqs; ok {
					_ = req.Reply(true, nil)
				}
				<-done
				ssh.DiscardRequests(reqs)
			}
			l := b.lease(t)
			defer l.Release()
			ended := make(chan error, 1)
			go func() { _, err := l.Session().Files.Get(t.Context(), "/x", 10); ended <- err }()
			pass(3 * stallWithin)
			select {
			case err := <-ended:
				if err == nil {
					t.Error("there is a file")
				}
			default:
				t.Errorf("opens %v: it hangs", opens)
			}
		})
	}
}

// slots1 makes a server that has one session at a time, each a minute long.
func slots1(s *server) {
	var busy atomic.Bool
	s.refuse = func(open ssh.NewChannel) bool {
		if busy.Swap(true) {
			_ = open.Reject(ssh.ConnectionFailed, "open failed")
			return true
		}
		return false
	}
	s.session = func(ch ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
		_ = (<-reqs).Reply(true, nil)
		select {
		case <-time.After(time.Minute):
		case <-done:
		}
		busy.Store(false)
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{}))
		_ = ch.Close()
		ssh.DiscardRequests(reqs)
	}
}
