package device

import (
	"maps"
	"slices"
	"time"
)

// Member is a member of a device as it is now.
type Member struct {
	ID      string
	V       map[string]string
	Volumes map[string]*Volume
	booted  time.Time
	d       *Device
}

// Booted is when the member came up, by the device's clock.
func (m *Member) Booted() time.Time { return m.booted }

// Up is how long the member has been up.
func (m *Member) Up() time.Duration { return m.d.sys.clock.now().Sub(m.booted) }

// State is a copy of what is true of a device.
type State struct {
	Values  map[string]string
	Members []MemberState
	Running string
	Startup string
	Boots   int                      // since the simulation began
	Armed   map[string]time.Duration // timers, and how long they have to go
	Down    bool                     // nothing listens
	Now     time.Time
}

// MemberState is a copy of what is true of a member.
type MemberState struct {
	ID     string
	Values map[string]string
	Booted time.Time
	Free   map[string]int64
	Files  map[string]map[string]int64 // volume, name, size
}

// Member gives a member of the state, the zero one if there is none.
func (s State) Member(id string) MemberState {
	for _, m := range s.Members {
		if m.ID == id {
			return m
		}
	}
	return MemberState{}
}

// Effect is something that was done to the device, in its time.
type Effect struct {
	At   time.Time
	Name string
	User string // "" where the device did it by itself
}

// Answer is what was typed at a question.
type Answer struct {
	Question, Given string
	Accepted        bool
}

// Done is what was done to a device since the simulation began.
type Done struct {
	Effects  []Effect
	Lines    []string // command lines, answers are not among them
	Unknown  []string // lines that fit no command
	Answers  []Answer
	Logins   int
	Refused  int // logins
	Received []string
	Faults   []string // that have struck
	Broken   []string // templates of the device file that failed: a bug of the file
}

// Count is how often an effect came about.
func (d Done) Count(name string) int {
	n := 0
	for _, e := range d.Effects {
		if e.Name == name {
			n++
		}
	}
	return n
}

const maxKept = 20000 // lines, effects, answers: a hostile client may type for ever

func keep[T any](list *[]T, one T) {
	if len(*list) < maxKept {
		*list = append(*list, one)
	}
}

// Truth is a copy of the device's state.
func (d *Device) Truth() State {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	s := State{
		Values: maps.Clone(d.values), Running: d.running, Startup: d.startup, Boots: d.boots, Down: d.down,
		Armed: map[string]time.Duration{}, Now: d.sys.clock.now(),
	}
	for name, t := range d.timers {
		s.Armed[name] = d.sys.clock.left(t.event)
	}
	for _, m := range d.members {
		one := MemberState{ID: m.ID, Values: maps.Clone(m.V), Booted: m.booted, Free: map[string]int64{}, Files: map[string]map[string]int64{}}
		for name, v := range m.Volumes {
			one.Free[name], one.Files[name] = v.Free, map[string]int64{}
			for file, s := range v.Files {
				one.Files[name][file] = s.Size
			}
		}
		s.Members = append(s.Members, one)
	}
	return s
}

// Done is what was done to the device.
func (d *Device) Done() Done {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	done := d.done
	done.Effects, done.Lines, done.Unknown = slices.Clone(done.Effects), slices.Clone(done.Lines), slices.Clone(done.Unknown)
	done.Answers, done.Received = slices.Clone(done.Answers), slices.Clone(done.Received)
	done.Faults, done.Broken = slices.Clone(done.Faults), slices.Clone(done.Broken)
	return done
}

// Set changes a value out of band: NAME, or ID/NAME of a member.
func (d *Device) Set(member, name, value string) {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	if member == "" {
		d.values[name] = value
		return
	}
	if m := d.member(member); m != nil {
		m.V[name] = value
	}
}

// Configure changes the running and the startup configuration out of band.
func (d *Device) Configure(running, startup string) {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	d.running, d.startup = running, startup
}

// Leave puts a file onto a device out of band.
func (d *Device) Leave(path string, content []byte) error {
	in := newIntake()
	_, _ = in.Write(content) // never fails
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	at, err := d.resolve(d.me(), path)
	if err != nil {
		return err
	}
	return at.volume.put(at.name, in.stored(at.name, d.sys.clock.now()))
}

// Strike adds a fault.
func (d *Device) Strike(f Fault) {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	d.faults = append(d.faults, &pending{Fault: f})
}

// Advance moves the time of the device and its group, as if nobody had been there.
func (d *Device) Advance(t time.Duration) {
	d.sys.clock.advance(t)
	d.sys.wall.advance(t)
}

// Now is the device's time.
func (d *Device) Now() time.Time { return d.sys.clock.now() }
