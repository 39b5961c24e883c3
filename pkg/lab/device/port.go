package device

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Loopback is a port of 127.0.0.1 that the first Listen chooses. Until then nothing
// listens, and while the device is down another program may be given it.
type Loopback struct {
	mu   sync.Mutex
	addr string
}

// Addr is HOST:PORT, "" before the first Listen.
func (l *Loopback) Addr() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addr
}

// Listen opens the port.
func (l *Loopback) Listen(ctx context.Context) (net.Listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	addr := l.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	l.addr = listener.Addr().String()
	return listener, nil
}
