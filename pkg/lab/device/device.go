package device

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Port is where a device listens. Between Listen and the listener's end nobody else
// may be given the port.
type Port interface {
	Listen(ctx context.Context) (net.Listener, error)
}

// Options are what a device of a kind is besides. Only Name and Port must be set.
type Options struct {
	Name     string // for what follows from it; the value hostname where the file has none
	User     string // who logs in; left out: patch
	Password string // left out: no password logs in
	Enable   string // left out: none
	Keys     []ssh.PublicKey
	HostKey  ssh.Signer        // left out: one is made, as the file says
	Values   map[string]string // over the file's; ID/NAME is a member's
	Timing   map[string]time.Duration
	Faults   []Fault // beside the file's
	Speed    float64 // of the device's clock while it is at work; left out: 2000
	Group    *Group  // that it belongs to; left out: its own
	Port     Port
	Start    time.Time // of its clock; left out: now
}

// Group are devices that know each other: a pair, a cluster. They share a clock.
// The zero Group is not usable: NewGroup makes one.
type Group struct{ sys *system }

// NewGroup makes a group; its clock begins at start.
func NewGroup(start time.Time, speed float64) *Group {
	if start.IsZero() {
		start = time.Now()
	}
	if speed == 0 {
		speed = 2000
	}
	return &Group{&system{clock: newClock(start, speed), wall: newClock(start, 1)}}
}

// system is what the devices of a group share. mu guards all of them.
type system struct {
	mu      sync.Mutex
	clock   *clock
	wall    *clock // for idle sessions: never in a hurry
	devices []*Device
}

// Device is one running device. Close ends it.
type Device struct {
	kind    *Kind
	options Options
	sys     *system
	cancel  context.CancelFunc
	ctx     context.Context // device's life
	jobs    sync.WaitGroup

	// All below is guarded by sys.mu.
	values    map[string]string
	members   []*Member
	running   string
	startup   string
	timers    map[string]*timer
	faults    []*pending
	done      Done
	boots     int
	skew      time.Duration
	key       ssh.Signer
	listener  net.Listener
	conns     map[net.Conn]bool
	sessions  map[*session]bool
	down      bool
	cycling   bool          // a reload is under way
	sooner    chan struct{} // ends the reload's grace
	noLogin   time.Time     // until then
	notReady  time.Time
	replaying bool
	life      context.Context // from a boot to the next
	die       context.CancelFunc
}

type timer struct {
	event  *event
	member *Member
	run    string
	keeps  bool
}

// New prepares a device. Start begins its life.
func New(kind *Kind, o Options) (*Device, error) {
	if o.User == "" {
		o.User = "patch"
	}
	if o.Group == nil {
		o.Group = NewGroup(o.Start, o.Speed)
	}
	d := &Device{
		kind: kind, options: o, sys: o.Group.sys, key: o.HostKey, values: maps.Clone(kind.file.Truth.Values),
		cancel: func() {}, timers: map[string]*timer{}, conns: map[net.Conn]bool{}, sessions: map[*session]bool{},
		sooner: make(chan struct{}, 1),
	}
	if d.key == nil {
		key, err := makeKey(kind.file.SSH.HostKey)
		if err != nil {
			return nil, err
		}
		d.key = key
	}
	for _, f := range append(append([]Fault(nil), kind.file.Faults...), o.Faults...) {
		if _, err := whole(f.Answer); err != nil {
			return nil, err
		}
		d.faults = append(d.faults, &pending{Fault: f})
	}
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	d.sys.devices = append(d.sys.devices, d)
	d.furnish()
	return d, nil
}

// Start begins the device's life, which ends with ctx or Close.
func (d *Device) Start(ctx context.Context) error {
	d.ctx, d.cancel = context.WithCancel(ctx)
	d.sys.mu.Lock()
	d.life, d.die = context.WithCancel(d.ctx)
	d.sys.mu.Unlock()
	if _, ok := d.kind.file.Routines["setup"]; ok {
		c := &call{d: d, ctx: d.ctx}
		c.routine("setup")
	}
	return d.listen()
}

// Close ends the device and waits until all of it is gone.
func (d *Device) Close() {
	d.cancel()
	d.sys.mu.Lock()
	for name := range d.timers {
		d.disarm(name)
	}
	d.sys.mu.Unlock()
	d.deafen()
	d.Cut()
	d.jobs.Wait()
}

func (d *Device) me() *Member {
	if m := d.member(d.values["me"]); m != nil {
		return m
	}
	return d.members[0]
}

func (d *Device) member(id string) *Member {
	for _, m := range d.members {
		if m.ID == id {
			return m
		}
	}
	return nil
}

func (d *Device) peer() *Device {
	for _, other := range d.sys.devices {
		if other != d {
			return other
		}
	}
	return nil
}

// Key is the host key that the device shows.
func (d *Device) Key() ssh.PublicKey {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	return d.key.PublicKey()
}

// Kind is the name of its device file.
func (d *Device) Kind() string { return d.kind.Name }

// Cut ends every connection; the device goes on.
func (d *Device) Cut() {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	for conn := range d.conns {
		_ = conn.Close() // it is gone either way
	}
}

func (d *Device) listen() error {
	listener, err := d.options.Port.Listen(d.ctx)
	if err != nil {
		return fmt.Errorf("the device's port: %w", err)
	}
	d.sys.mu.Lock()
	d.listener, d.down = listener, false
	d.sys.mu.Unlock()
	d.jobs.Go(func() { d.accept(listener) })
	if d.ctx.Err() != nil { // Close may have been here before
		d.deafen()
	}
	return nil
}

func (d *Device) deafen() {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	d.down = true
	if d.listener != nil {
		_ = d.listener.Close() // accept ends
		d.listener = nil
	}
}

// Refuse closes the port, or opens it again; the device goes on behind it.
func (d *Device) Refuse(closed bool) error {
	if closed {
		d.deafen()
		d.Cut()
		return nil
	}
	return d.listen()
}

func (d *Device) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		d.sys.mu.Lock()
		open := d.listener == listener
		if open {
			d.conns[conn] = true
		}
		d.sys.mu.Unlock()
		if !open {
			_ = conn.Close() // it came in while the port was being closed
			continue
		}
		d.jobs.Go(func() {
			defer d.forget(conn)
			d.serve(conn)
		})
	}
}

func (d *Device) forget(conn net.Conn) {
	_ = conn.Close()
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	delete(d.conns, conn)
}

// duration reads 6m, @name, or a template that gives one of these.
func (d *Device) duration(c *call, text string) time.Duration {
	text = strings.TrimSpace(d.text(c, text))
	if name, ok := strings.CutPrefix(text, "@"); ok {
		if t, given := d.options.Timing[name]; given {
			return t
		}
		return time.Duration(d.kind.file.Timing[name])
	}
	if text == "" {
		return 0
	}
	t, err := parseDuration(text)
	if err != nil {
		keep(&d.done.Broken, err.Error())
	}
	return t
}

var errDenied = errors.New("permission denied")
