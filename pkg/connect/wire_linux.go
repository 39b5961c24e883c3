package connect

import (
	"net"
	"syscall"
)

// acknowledgeAtOnce asks the kernel not to hold back the next acknowledgement (tcp(7),
// TCP_QUICKACK: not permanent, so it is asked for before each read). What fails costs
// time only.
func acknowledgeAtOnce(c net.Conn) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) })
}
