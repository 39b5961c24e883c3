//go:build !unix

package lab

import (
	"context"
	"fmt"
	"net"
)

// port is a TCP port on loopback. Here nothing keeps others from taking it while
// the host reboots.
type port struct{ number int }

func reserve() (*port, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	number := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	return &port{number: number}, nil
}

func (p *port) listen(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", p.number))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}

func (p *port) release() {}
