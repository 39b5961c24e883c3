package connect

import (
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// misses is how many keepalives in a row may stay unanswered.
const misses = 3

// maxSessions bounds the commands that run at once over one connection: sshd's
// MaxSessions is 10, an eleventh gets a misleading "open failed", and one that ended
// counts until its process was reaped.
const maxSessions = 6

// conn is one live connection. One goroutine serves what the server asks; it ends,
// and closes done, when the connection is gone, whatever ended it.
type conn struct {
	ssh.Conn
	sessions chan struct{} // a token for each command under way
	ours     running
	done     chan struct{}
	every    time.Duration
	turns    chan chan struct{} // closed once what the server asked before was answered

	mu      sync.Mutex
	closed  bool
	timer   *time.Timer
	asking  bool
	unheard int
	// announced is what the server said of its host keys; its first word counts.
	announced *announcement
}

func newConn(raw ssh.Conn, keepalive time.Duration) *conn {
	return &conn{
		Conn: raw, sessions: make(chan struct{}, maxSessions), done: make(chan struct{}), every: keepalive,
		turns: make(chan chan struct{}),
	}
}

// serve answers the server's requests until the connection ends. Nothing that a
// server may ask for is granted: no channels, no forwards, no agent.
func (c *conn) serve(chans <-chan ssh.NewChannel, reqs <-chan *ssh.Request) {
	c.startKeepalive()
	for chans != nil || reqs != nil {
		select {
		case open, ok := <-chans:
			if !ok {
				chans = nil
				continue
			}
			_ = open.Reject(ssh.Prohibited, "not allowed")
		case req, ok := <-reqs:
			if !ok {
				reqs = nil
				continue
			}
			c.answer(req)
		case turn := <-c.turns:
			for range len(reqs) {
				c.answer(<-reqs)
			}
			close(turn)
		}
	}
	c.close()
	close(c.done)
}

// answer says no to whatever the server asks for; it only notes what it says of its keys.
func (c *conn) answer(req *ssh.Request) {
	if req == nil { // the connection ended in between
		return
	}
	if req.Type == announceRequest {
		c.mu.Lock()
		if c.announced == nil {
			c.announced = newAnnouncement(req.Payload)
		}
		c.mu.Unlock()
	}
	if req.WantReply {
		_ = req.Reply(false, nil)
	}
}

// close ends the connection and whatever waits on it. It does not wait itself.
func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
	_ = c.Close()
}

// closing tells whether the connection can't be used any more.
func (c *conn) closing() bool {
	select {
	case <-c.done:
		return true
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *conn) startKeepalive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.timer = time.AfterFunc(c.every, c.tick)
	}
}

// tick asks for a sign of life. While one question is open no other is sent; the
// timer goes on, and counts.
func (c *conn) tick() {
	if !c.mayAsk() {
		return
	}
	_, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking = false
	if err == nil {
		c.unheard = 0
	}
}

func (c *conn) mayAsk() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if c.asking {
		c.unheard++
	}
	if c.unheard >= misses {
		c.closed = true
		_ = c.Close()
		return false
	}
	c.timer.Reset(c.every)
	first := !c.asking
	c.asking = true
	return first
}
