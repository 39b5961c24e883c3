package connect

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// masterConn is a connection over a master. OpenSSH (channels.c, channel_proxy_upstream) keeps
// a channel that was not confirmed until its client leaves the socket, and then ends itself
// for it ("no remote_id"), with the person's login. So none is opened that would be refused,
// and the socket is not left while an answer is owed.
type masterConn struct {
	ssh.Conn

	mu      sync.Mutex
	open    []ssh.Channel
	owed    int // openings without an answer
	closing bool
}

// OpenChannel notes what is open, for SendRequest.
func (m *masterConn) OpenChannel(kind string, data []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	m.awaits(1)
	ch, reqs, err := m.Conn.OpenChannel(kind, data)
	defer m.awaits(-1)
	if err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	m.open = append(m.open, ch)
	m.mu.Unlock()
	passed := make(chan *ssh.Request)
	go func() { // ends with the channel, whose requests somebody always reads
		for req := range reqs {
			passed <- req
		}
		close(passed)
		m.mu.Lock()
		m.open = slices.DeleteFunc(m.open, func(one ssh.Channel) bool { return one == ch })
		m.mu.Unlock()
	}()
	return ch, passed, nil
}

func (m *masterConn) awaits(n int) {
	m.mu.Lock()
	m.owed += n
	last := m.owed == 0 && m.closing
	m.mu.Unlock()
	if last {
		_ = m.Conn.Close()
	}
}

// Close leaves the socket; where an answer is owed, once it is there, or after grace.
func (m *masterConn) Close() error {
	m.mu.Lock()
	m.closing = true
	owed := m.owed > 0
	m.mu.Unlock()
	if owed {
		time.AfterFunc(grace, func() { _ = m.Conn.Close() })
		return nil
	}
	return m.Conn.Close()
}

// SendRequest asks for a sign of life on a channel that is open: a master passes no global
// requests on (channel_proxy_downstream: it hangs up). Without one nothing is asked: nobody
// waits for anything then, and whether the host lives is the master's own business.
func (m *masterConn) SendRequest(name string, wantReply bool, data []byte) (bool, []byte, error) {
	m.mu.Lock()
	var ch ssh.Channel
	if len(m.open) > 0 {
		ch = m.open[0]
	}
	m.mu.Unlock()
	if ch == nil {
		return false, nil, nil
	}
	ok, err := ch.SendRequest(name, wantReply, data)
	return ok, nil, err
}
