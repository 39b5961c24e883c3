package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// errNoDeadline: a channel has no deadlines (x/crypto/ssh tcpip.go).
var errNoDeadline = errors.New("no deadlines behind a bastion")

// openHop asks the bastion for a way to address. The bastion may take minutes to
// answer and can't be interrupted, so the question is left behind when ctx ends
// first: closing the shared bastion would hit every other host.
func openHop(ctx context.Context, f *Fleet, bastion *conn, address string) (net.Conn, error) {
	type answer struct {
		ch   ssh.Channel
		reqs <-chan *ssh.Request
		err  error
	}
	payload, err := directTCP(address)
	if err != nil {
		return nil, err
	}
	answers := make(chan answer, 1)
	ask := func() {
		ch, reqs, err := bastion.OpenChannel("direct-tcpip", payload)
		answers <- answer{ch, reqs, err}
	}
	if !f.spawn(ask) {
		return nil, errClosed
	}
	select {
	case a := <-answers:
		if a.err != nil {
			return nil, a.err
		}
		return newHopConn(f, a.ch, a.reqs), nil
	case <-ctx.Done():
		f.spawn(func() {
			if a := <-answers; a.err == nil {
				go ssh.DiscardRequests(a.reqs)
				_ = a.ch.Close()
			}
		})
		return nil, context.Cause(ctx)
	}
}

// directTCP is the payload of a direct-tcpip request (RFC 4254, 7.2).
func directTCP(address string) ([]byte, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q: %w", portText, err)
	}
	return ssh.Marshal(struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}{host, uint32(port), "127.0.0.1", 0}), nil
}

// hopConn makes a bastion's channel a net.Conn that can be closed at once. A plain
// channel can't: its reader goes on waiting until the bastion confirms.
type hopConn struct {
	ssh.Channel
	in     *io.PipeReader
	fill   *io.PipeWriter
	closed sync.Once
	f      *Fleet
}

func newHopConn(f *Fleet, ch ssh.Channel, reqs <-chan *ssh.Request) *hopConn {
	c := &hopConn{Channel: ch, f: f}
	c.in, c.fill = io.Pipe()
	f.spawn(func() { ssh.DiscardRequests(reqs) })
	f.spawn(func() { _, _ = io.Copy(io.Discard, ch.Stderr()) })
	f.spawn(c.pump)
	return c
}

// pump ends when the channel does, or when nobody reads any more.
func (c *hopConn) pump() {
	_, err := io.Copy(c.fill, c.Channel)
	if err == nil {
		err = io.EOF
	}
	_ = c.fill.CloseWithError(err)
	_, _ = io.Copy(io.Discard, c.Channel) // an unread channel would hold its window
}

func (c *hopConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// Close ends reading now; telling the bastion may take as long as the bastion does.
func (c *hopConn) Close() error {
	c.closed.Do(func() {
		_ = c.in.CloseWithError(net.ErrClosed)
		go func() { _ = c.Channel.Close() }()
	})
	return nil
}

// noAddr stands for the address of a peer behind a bastion.
func noAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero} }

// LocalAddr and RemoteAddr say nothing: only the bastion knows.
func (c *hopConn) LocalAddr() net.Addr  { return noAddr() }
func (c *hopConn) RemoteAddr() net.Addr { return noAddr() }

// SetDeadline and its sisters exist for net.Conn; a hop is freed by closing it.
func (*hopConn) SetDeadline(time.Time) error      { return errNoDeadline }
func (*hopConn) SetReadDeadline(time.Time) error  { return errNoDeadline }
func (*hopConn) SetWriteDeadline(time.Time) error { return errNoDeadline }
