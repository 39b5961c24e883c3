//go:build unix

package lab

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// port is a TCP port on loopback that stays the host's while nobody listens on it:
// a socket that is bound and doesn't listen refuses connections, and nobody else
// is given its number.
type port struct {
	number int
	holder int
}

func reserve() (*port, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	unix.CloseOnExec(fd)
	number, err := bind(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	return &port{number: number, holder: fd}, nil
}

func bind(fd int) (int, error) {
	if err := share(fd); err != nil {
		return 0, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, fmt.Errorf("bind: %w", err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("read the port's number: %w", err)
	}
	return at.(*unix.SockaddrInet4).Port, nil
}

func share(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("share the port: %w", err)
	}
	return nil
}

func (p *port) listen(ctx context.Context) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var inner error
		err := raw.Control(func(fd uintptr) { inner = share(int(fd)) })
		if err != nil {
			return fmt.Errorf("reach the socket: %w", err)
		}
		return inner
	}}
	listener, err := config.Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", p.number))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}

func (p *port) release() { _ = unix.Close(p.holder) }
