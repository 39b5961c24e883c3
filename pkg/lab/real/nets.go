//go:build linux

package real

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// The two networks of a lab. The hub is where the program under test runs. The
// inner one has no leg in it: only a bastion stands in both.
const (
	hubNet   = "hub"
	innerNet = "inner"

	hubPrefix   = "10.99.0."
	innerPrefix = "10.99.1."
	repoName    = "repo.lab"

	dialLimit = 2 * time.Second
)

// prefixOf gives the first three numbers of a network's addresses.
func prefixOf(network string) string {
	if network == innerNet {
		return innerPrefix
	}
	return hubPrefix
}

const makeNets = `
ip link add br0 type bridge
ip addr add 10.99.0.1/24 dev br0
ip link set br0 up
ip netns add inner
ip -n inner link set lo up
ip -n inner link add br0 type bridge
ip -n inner addr add 10.99.1.1/24 dev br0
ip -n inner link set br0 up
`

// Arguments: the host's network namespace, its network ("hub" or "inner"), the
// port's name on the bridge, the address, the interface's name inside the host.
const plug = `
[ -e "/run/netns/$1" ] || { ip netns add "$1"; ip -n "$1" link set lo up; }
ip link add "$3" type veth peer name "$5" netns "$1"
if [ "$2" = inner ]; then
	ip link set "$3" netns inner
	ip -n inner link set "$3" master br0
	ip -n inner link set "$3" up
else
	ip link set "$3" master br0
	ip link set "$3" up
fi
ip -n "$1" addr add "$4/24" dev "$5"
ip -n "$1" link set "$5" up
`

// plugIn gives a host an interface in a network.
func (b *bundle) plugIn(ctx context.Context, host, network, port, address, device string) error {
	return b.sh(ctx, plug, host, network, port, address, device)
}

// listenIn opens a listener inside one of the lab's networks. The socket stays
// there, whichever network its accepting goroutine runs in.
func listenIn(ctx context.Context, netPath, address string) (net.Listener, error) {
	return inNet(netPath, func() (net.Listener, error) {
		return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	})
}

// dialFrom connects from inside a network; the connection stays there.
func dialFrom(ctx context.Context, netPath, address string) (net.Conn, error) {
	return inNet(netPath, func() (net.Conn, error) {
		return (&net.Dialer{Timeout: dialLimit}).DialContext(ctx, "tcp4", address)
	})
}

// inNet runs open on a thread that stands in the network at path meanwhile.
func inNet[T any](path string, open func() (T, error)) (value T, err error) {
	runtime.LockOSThread()
	home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return value, fmt.Errorf("open own network: %w", err)
	}
	defer func() { _ = unix.Close(home) }()
	if err := enterNet(path); err != nil {
		runtime.UnlockOSThread()
		return value, err
	}
	value, err = open()
	if back := unix.Setns(home, unix.CLONE_NEWNET); back != nil {
		// Still locked: no other goroutine may ever run on this thread.
		return value, fmt.Errorf("leave network %s: %w", path, back)
	}
	runtime.UnlockOSThread()
	return value, err
}

// enterNet moves the calling thread into the network at path.
func enterNet(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open network %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network %s: %w", path, err)
	}
	return nil
}
