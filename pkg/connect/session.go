package connect

import (
	"errors"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// openSession asks for a session. A refusal may only mean that the server has not yet
// reaped one that ended, and nothing tells when it has; so it is asked again, a few
// times. Mark is told when an answer is awaited, and says whether anyone still waits.
func (c *conn) openSession(mark func(awaited bool) bool) (ssh.Channel, <-chan *ssh.Request, error) {
	for wait := 25 * time.Millisecond; ; wait *= 2 {
		if !mark(true) {
			return nil, nil, errAbandoned
		}
		ch, reqs, err := c.OpenChannel("session", nil)
		mark(false)
		refusal, refused := errors.AsType[*ssh.OpenChannelError](err)
		if !refused || refusal.Reason == ssh.Prohibited || wait > time.Second {
			return ch, reqs, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-c.done:
			timer.Stop()
		}
	}
}

// openFault explains why there is no session. Without a refusal the connection is
// gone, though its own goroutine may not have noticed yet.
func (c *conn) openFault(err error) error {
	if errors.Is(err, errAbandoned) {
		return err
	}
	refusal, ok := errors.AsType[*ssh.OpenChannelError](err)
	if !ok {
		c.close()
		return errNotSent
	}
	return &fault.Error{
		Kind: fault.Retry, Code: fault.HostFailed, Step: "run",
		What: "the host opens no more sessions: " + remote.Clean(refusal.Message, peerText),
		Hint: "MaxSessions in its sshd_config may be too low; patchring uses up to 6 at once",
	}
}
