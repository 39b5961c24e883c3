package matrix

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// errRefused is what a closed port answers.
var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

// Port is a device's port in memory. Waiting on its connections is durable to testing/synctest,
// which waiting on a socket is not.
type Port struct {
	mu     sync.Mutex
	listen *listener
}

// Listen opens the port, unless it is open.
func (p *Port) Listen(context.Context) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listen != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	p.listen = &listener{port: p, opened: make(chan net.Conn), gone: make(chan struct{})}
	return p.listen, nil
}

// Dial connects to whoever listens. Where nobody does, it is refused.
func (p *Port) Dial(ctx context.Context) (net.Conn, error) {
	p.mu.Lock()
	l := p.listen
	p.mu.Unlock()
	if l == nil {
		return nil, errRefused
	}
	here, there := pair()
	select {
	case l.opened <- there:
		return here, nil
	case <-l.gone:
		return nil, errRefused
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

type listener struct {
	port   *Port
	opened chan net.Conn
	gone   chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.opened:
		return conn, nil
	case <-l.gone:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.gone) })
	l.port.mu.Lock()
	defer l.port.mu.Unlock()
	if l.port.listen == l {
		l.port.listen = nil
	}
	return nil
}

func (*listener) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "tcp" }
func (address) String() string  { return "192.0.2.1:22" }

// conn is one end of a connection.
type conn struct{ in, out *pipe }

func pair() (net.Conn, net.Conn) {
	a, b := newPipe(), newPipe()
	return conn{a, b}, conn{b, a}
}

func (c conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c conn) Write(b []byte) (int, error) { return c.out.write(b) }

func (c conn) Close() error {
	c.in.close()
	c.out.close()
	return nil
}

func (conn) LocalAddr() net.Addr              { return address{} }
func (conn) RemoteAddr() net.Addr             { return address{} }
func (conn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (conn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (conn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// pipe is one direction of a connection.
type pipe struct {
	mu     sync.Mutex
	change *sync.Cond
	data   []byte
	closed bool
}

func newPipe() *pipe {
	p := &pipe{}
	p.change = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.data) == 0 && !p.closed {
		p.change.Wait()
	}
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.data)
	p.data = p.data[n:]
	return n, nil
}

var errClosed = errors.New("the connection is closed")

func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, errClosed
	}
	p.data = append(p.data, b...)
	p.change.Broadcast()
	return len(b), nil
}

func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.change.Broadcast()
}
