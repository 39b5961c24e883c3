package connect

import (
	"context"
	"sync/atomic"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

// Lease is a share of a host's connection. Its Session dials again, before a
// command is sent, when the connection died meanwhile (a reboot, a Drop); never
// after, so a command is never sent twice.
type Lease struct {
	fleet    *Fleet
	node     *node
	id       fact.HostID
	user     string
	become   inventory.Become
	password secret.Ref // of sudo or su
	enable   secret.Ref // of a device's higher level
	console  *console
	released atomic.Bool
}

// Session gives what can be done on the host. All sessions of a lease share one console.
func (l *Lease) Session() remote.Session {
	return remote.Session{Runner: runner{l}, Console: l.console, Files: files{l}, Pusher: pusher{l}}
}

// Ident is the version line of the server, e.g. "SSH-2.0-OpenSSH_9.2p1 Debian-2",
// cleaned. It is the last one seen.
func (l *Lease) Ident() string {
	l.node.mu.Lock()
	defer l.node.mu.Unlock()
	return remote.Clean(l.node.ident, 255)
}

// Release gives the share back. The connection is closed when it stays idle. More
// than one call does no harm.
func (l *Lease) Release() {
	if !l.released.Swap(true) {
		l.console.close()
		l.node.release()
	}
}

// Drop closes the connection now, for all who share it, e.g. before waiting for a
// reboot. The lease stays: its next command dials again.
func (l *Lease) Drop() { l.node.drop() }

// conn gives the live connection, dialling again if need be.
func (l *Lease) conn(ctx context.Context) (*conn, error) {
	if l.released.Load() {
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Internal, Host: l.id.String(), Step: "run",
			What: "the connection was given back already", Hint: "this is a mistake in patchring; please report it",
		}
	}
	c, err := l.node.connect(ctx)
	if err != nil {
		return nil, fault.On(err, l.id.String(), "connect")
	}
	return c, nil
}
