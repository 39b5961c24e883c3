package lab

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// grace is how long a host that was told to reboot still answers, so that whoever
// asked hears that it was heard.
const grace = 50 * time.Millisecond

// Effects is what was really done to a host. Tests compare it with what patchring says.
type Effects = linux.Effects

// Transaction is one package that went from one version to another.
type Transaction = linux.Transaction

// Span is a time in which a host was worked on.
type Span = linux.Span

// Package is one version of a package, as repositories of a fleet file offer it.
type Package = linux.Package

// Host is one simulated host.
type Host struct {
	fleet    *Fleet
	spec     HostSpec
	machine  *linux.Machine // nil: a device
	device   *device.Device // nil: a Linux host
	key      ssh.Signer     // what it shows
	told     ssh.PublicKey  // what known_hosts says
	port     *port
	downtime time.Duration

	mu       sync.Mutex
	ctx      context.Context // of the fleet
	listener net.Listener
	conns    map[net.Conn]bool
	going    bool // a reboot is under way
	cut      bool // the fault that cuts connections has happened
	heard    []byte
}

func (f *Fleet) newHost(spec HostSpec) (*Host, error) {
	h := &Host{fleet: f, spec: spec, conns: map[net.Conn]bool{}, downtime: f.spec.downtime(spec)}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	h.key, h.told = key, key.PublicKey()
	if spec.Faults.WrongHostKey {
		other, err := newKey()
		if err != nil {
			return nil, err
		}
		h.told = other.PublicKey()
	}
	if spec.deviceFile() == "" {
		if h.machine, err = linux.New(f.spec.machine(spec), power{h}); err != nil {
			return nil, fmt.Errorf("prepare: %w", err)
		}
		h.lure()
	}
	if h.port, err = reserve(); err != nil {
		return nil, err
	}
	if h.machine == nil {
		if err := h.newDevice(); err != nil {
			h.port.release()
			return nil, err
		}
	}
	return h, nil
}

func newKey() (ssh.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	return signer, nil
}

// Effects is what was really done to the host.
func (h *Host) Effects() Effects {
	if h.machine != nil {
		return h.machine.Effects()
	}
	done := h.device.Done()
	return Effects{Logins: done.Logins, Commands: len(done.Lines)}
}

// Machine is the Linux host behind the SSH server, nil for a device. Tests look at
// its packages and files, and publish new versions.
func (h *Host) Machine() *linux.Machine { return h.machine }

// Complaints are what scripts asked of the host that the lab does not simulate.
// Tests of scripts want none: a script may throw the tool's own error away.
func (h *Host) Complaints() []string {
	if h.machine == nil {
		return nil
	}
	return h.machine.Complaints()
}

// Port is the TCP port on 127.0.0.1.
func (h *Host) Port() int { return h.port.number }

// Addr is "127.0.0.1:PORT".
func (h *Host) Addr() string { return fmt.Sprintf("127.0.0.1:%d", h.port.number) }

// Spec is what the fleet file says of the host.
func (h *Host) Spec() HostSpec { return h.spec }

// Cut ends every open connection; the host goes on.
func (h *Host) Cut() {
	if h.device != nil {
		h.device.Cut()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		_ = c.Close() // it is gone either way
	}
}

// Refuse closes the port, or opens it again: the host goes on behind it.
func (h *Host) Refuse(closed bool) error {
	if h.device != nil {
		return h.device.Refuse(closed) //nolint:wrapcheck // says all
	}
	if closed {
		h.deafen()
		h.Cut()
		return nil
	}
	return h.listen()
}

// Exec runs argv on the host as root without SSH: what a person at its console would see.
func (h *Host) Exec(ctx context.Context, out, errs io.Writer, argv ...string) int {
	p := h.machine.Console()
	p.Out, p.Err = out, errs
	return h.machine.Run(ctx, p, argv)
}

func (h *Host) powerOn(ctx context.Context) error {
	h.mu.Lock()
	h.ctx = ctx
	h.mu.Unlock()
	if h.machine != nil {
		h.machine.Boot(ctx)
	}
	if h.spec.Faults.Unreachable {
		return nil
	}
	if h.device != nil && !h.spec.Faults.Silent {
		return h.device.Start(ctx) //nolint:wrapcheck // says all
	}
	return h.listen()
}

func (h *Host) powerOff() {
	h.deafen()
	h.Cut()
	if h.machine != nil {
		h.machine.Halt()
	}
	if h.device != nil {
		h.device.Close()
	}
}

func (h *Host) listen() error {
	listener, err := h.port.listen(h.ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.listener = listener
	h.mu.Unlock()
	h.fleet.jobs.Go(func() { h.accept(listener) })
	if h.ctx.Err() != nil { // Close may have been here before
		h.deafen()
	}
	return nil
}

func (h *Host) deafen() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener != nil {
		_ = h.listener.Close() // accept ends
		h.listener = nil
	}
}

func (h *Host) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		if !h.admit(listener, conn) {
			_ = conn.Close() // it came in while the port was being closed
			continue
		}
		h.fleet.jobs.Go(func() {
			defer h.forget(conn)
			h.serve(conn)
		})
	}
}

func (h *Host) admit(listener net.Listener, conn net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener != listener {
		return false
	}
	h.conns[conn] = true
	return true
}

func (h *Host) forget(conn net.Conn) {
	_ = conn.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, conn)
}

// power is the machine's way to its surroundings.
type power struct{ h *Host }

// Reboot takes the host down and up again, once at a time. It doesn't block: the
// machine calls it while it is at work.
func (p power) Reboot(off bool) {
	h := p.h
	h.mu.Lock()
	ctx := h.ctx
	if h.going || ctx == nil || ctx.Err() != nil {
		h.mu.Unlock()
		return
	}
	h.going = true
	h.mu.Unlock()
	h.fleet.jobs.Go(func() { h.cycle(ctx, off || h.spec.Faults.NeverReturns) })
}

func (h *Host) cycle(ctx context.Context, stay bool) {
	if !posix.Pause(ctx, grace) {
		return
	}
	h.powerOff()
	if stay || !posix.Pause(ctx, h.downtime) {
		return
	}
	h.machine.Boot(ctx)
	h.mu.Lock()
	h.going = false
	h.mu.Unlock()
	// It fails only when the fleet is being closed.
	_ = h.listen()
}

// Event is where faults strike.
func (p power) Event(what string) {
	h := p.h
	h.mu.Lock()
	strikes := what == h.spec.Faults.DiesDuring && what != "" && !h.cut
	h.cut = h.cut || strikes
	h.mu.Unlock()
	if strikes {
		h.Cut()
	}
}

// Told is the key that known_hosts and the inventory carry; it differs from what
// the host shows where a fault says so.
func (h *Host) Told() ssh.PublicKey { return h.told }
