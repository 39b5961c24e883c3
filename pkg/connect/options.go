package connect

import (
	"context"
	"net"
	"time"

	"github.com/patchring/patchring/pkg/secret"
)

// Secrets turns a reference into its value; package vault does it. Label says to
// a person what is asked for ("SSH password for patch"), where one must be asked.
type Secrets interface {
	Resolve(ctx context.Context, ref secret.Ref, label string) (secret.Secret, error)
}

// Options of a Fleet. The zero value of each number means its default.
type Options struct {
	// KnownHosts names the known_hosts files of a site, in order. The first is where
	// AcceptNew writes. Files that do not exist are no error. Nil: no host is known.
	KnownHosts func(site string) []string
	// AcceptNew records the key of a host that no file knows, and goes on. A key that
	// differs from a known one is refused all the same.
	AcceptNew bool
	// SSHConfig is the path of an ssh_config file; "" for none.
	SSHConfig string
	// AgentSocket is the path of the SSH agent's socket; "" for none. The agent is
	// never forwarded.
	AgentSocket string
	// Secrets resolves passwords and passphrases. Nil: references are an error.
	Secrets Secrets
	// Timeout bounds dial, handshake and login of each hop; 15 s.
	Timeout time.Duration
	// Keepalive is how often a silent connection is asked for a sign of life; 15 s.
	// Three questions without an answer close it.
	Keepalive time.Duration
	// Idle is how long a connection without a lease stays open; 10 s.
	Idle time.Duration
	// MaxConnections bounds the open connections to a site's hosts where the
	// inventory says nothing; 100.
	MaxConnections int
	// Handshakes bounds concurrent handshakes with one address; 8, since sshd drops
	// some at 10 (MaxStartups 10:30:100).
	Handshakes int
	// Dial opens the TCP connection of the first hop; nil: the system's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Warn is told once of each thing that was not understood and therefore skipped.
	Warn func(string)
	// Say tells a person what they have to do now: touch a security key. Nil: Warn.
	Say func(string)
	// Ask asks a person what a server asks at a login, such as a one-time code; label
	// begins with the host's name and holds at most 200 bytes, all of them clean. It is
	// called for one question at a time. Nil: nobody can be asked.
	Ask func(ctx context.Context, label string, echo bool) (secret.Secret, error)
	// Patience is how long a person may take for one touch or one answer; 90 s, since
	// sshd hangs up after two minutes (LoginGraceTime).
	Patience time.Duration
}

func (o Options) withDefaults() Options {
	o.Timeout = orDefault(o.Timeout, 15*time.Second)
	o.Keepalive = orDefault(o.Keepalive, 15*time.Second)
	o.Idle = orDefault(o.Idle, 10*time.Second)
	o.MaxConnections = orDefault(o.MaxConnections, 100)
	o.Handshakes = orDefault(o.Handshakes, 8)
	o.Patience = orDefault(o.Patience, 90*time.Second)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.KnownHosts == nil {
		o.KnownHosts = func(string) []string { return nil }
	}
	return o
}

func orDefault[T int | time.Duration](value, fallback T) T {
	if value <= 0 {
		return fallback
	}
	return value
}
