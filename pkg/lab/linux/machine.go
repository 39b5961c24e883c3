package linux

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// Power is what a host asks for that only its surroundings can do.
type Power interface {
	// Reboot ends the host and begins it again, or ends it for good.
	Reboot(off bool)
	// Event tells that something began or ended: "install begins" …
	Event(what string)
}

// Machine is one simulated host. Its state survives Halt and Boot.
type Machine struct {
	FS    *memfs.FS
	conf  Config
	dist  distribution
	power Power
	tools map[string]posix.Tool

	mu        sync.Mutex // guards what follows; never held while a program runs
	installed map[string]*installed
	remote    []Package // what the repositories hold, now or at some time; see offering
	withdrawn []Package // what they held once
	made      time.Time
	lists     []Package // what the host knows of them
	units     map[string]*unit
	procs     map[int]process
	nextPID   int
	effects   Effects
	simulated bool
	stale     []string // what was installed since the boot and needs another
	auto      map[string]bool
	broken    bool // a package run was cut off
	holder    string
	lockPID   int
	holdUntil time.Time
	busy      chan struct{} // held by the one package transaction
	boot      boot
	full      fullness
	lacks     complaints
	visitors  int // connections that others have
	sickAt    time.Time
	grub      grub
	image     images
}

// complaints are guarded by themselves: tools complain whatever they hold.
type complaints struct {
	mu   sync.Mutex
	list []string
}

// boot is one life of the machine, from power on to power off.
type boot struct {
	ctx    context.Context
	cancel context.CancelFunc
	jobs   *sync.WaitGroup
	id     string
	at     time.Time
	kernel string
	count  int
}

type process struct{ argv []string }

type installed struct {
	Package
	hold   bool
	broken bool // unpacked, not configured
}

// fullness is guarded by itself: the file system asks for it under its own lock.
type fullness struct {
	mu     sync.Mutex
	point  string // the file system that has no room, or ""
	points []string
}

func (f *fullness) room(path string, grow int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.point == "" || grow == 0 || f.mountOf(path) != f.point
}

// mountOf tells which file system a path lies on. What a kernel makes up has room.
func (f *fullness) mountOf(path string) string {
	best := "/"
	for _, point := range append([]string{"/proc", "/run", "/dev", "/sys"}, f.points...) {
		if len(point) > len(best) && (path == point || strings.HasPrefix(path, point+"/")) {
			best = point
		}
	}
	return best
}

func (f *fullness) set(point string, points []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.point, f.points = point, points
}

// New makes a host that is switched off.
func New(conf Config, power Power) (*Machine, error) {
	if conf.Arch == "" {
		conf.Arch = "amd64"
	}
	if conf.User == "" {
		conf.User = "patch"
	}
	if conf.Sudo == "" {
		conf.Sudo = "nopasswd"
	}
	conf.NoSystemd = conf.NoSystemd || distributions()[conf.OS].apk
	if err := conf.check(); err != nil {
		return nil, err
	}
	m := &Machine{
		conf: conf, dist: distributions()[conf.OS], power: power,
		installed: map[string]*installed{}, units: map[string]*unit{}, auto: map[string]bool{}, procs: map[int]process{}, nextPID: 300,
		busy: make(chan struct{}, 1), made: time.Now(), broken: conf.Faults.Interrupted, visitors: conf.Connections,
	}
	m.FS = memfs.New(time.Now, m.full.room)
	m.tools = m.allTools()
	m.provision()
	m.layout()
	m.arm()
	return m, nil
}

// provision installs what the host begins with.
func (m *Machine) provision() {
	first := slices.Concat(m.dist.packages, m.dist.kernelPackages(m.conf.Arch), m.conf.Installed)
	for _, p := range first {
		p = m.complete(p)
		m.installed[p.Name] = &installed{Package: p, hold: slices.Contains(m.conf.Held, p.Name)}
	}
	for _, p := range m.installed {
		if !p.Obsolete {
			m.remote = append(m.remote, p.Package)
		}
	}
	for _, p := range m.conf.Repository {
		m.remote = append(m.remote, m.complete(p))
	}
	slices.SortFunc(m.remote, byName)
	m.lists = m.offering()
	m.startServices()
}

func (m *Machine) complete(p Package) Package {
	if p.Suite == "" {
		p.Suite = "main"
	}
	if p.Arch == "" {
		p.Arch = m.conf.Arch
		if !m.dist.apt {
			p.Arch = rpmArch(p.Arch)
		}
	}
	if p.Size == 0 {
		p.Size = int64(40_000 + 7_919*len(p.Name))
	}
	return p
}

// arm sets what is wrong with the host from the start.
func (m *Machine) arm() {
	faults := m.conf.Faults
	var points []string
	for _, mount := range m.mounts() {
		points = append(points, mount.Point)
	}
	m.full.set(faults.FullDisk, points)
	if faults.Locked != 0 {
		m.holder = "unattended-upgr"
		if !m.dist.apt {
			m.holder = m.manager()
		}
	}
	if faults.Interrupted && m.dist.apt {
		m.must(m.FS.WriteFile(memfs.Root, "/var/lib/dpkg/updates/0001", 0o644, []byte("Package: base-files\nStatus: install ok half-configured\n")))
		m.installed["base-files"].broken = true
	}
}

// Boot switches the host on.
func (m *Machine) Boot(parent context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ctx, cancel := context.WithCancel(parent)
	m.boot = boot{ctx: ctx, cancel: cancel, jobs: new(sync.WaitGroup), id: uuid(), at: time.Now(), kernel: m.nextKernel(), count: m.boot.count + 1}
	if m.boot.count > 1 {
		m.effects.Reboots++
		m.ends()
	}
	m.procs, m.stale = map[int]process{}, nil
	if m.conf.Faults.Locked > 0 && m.boot.count == 1 {
		m.holdUntil = time.Now().Add(m.conf.Faults.Locked)
	}
	m.clearVolatile()
	m.ostreeBoots()
	m.startServices()
	if m.foreign() {
		m.listProcess(holderPID, []string{"/usr/bin/" + m.holder}, m.lockFiles())
	}
	m.pacmanFreed()
	m.sicken()
	m.strike()
}

// Halt switches the host off: every program ends, and Halt waits for that.
func (m *Machine) Halt() {
	m.mu.Lock()
	b := m.boot
	m.mu.Unlock()
	if b.cancel == nil {
		return
	}
	b.cancel()
	b.jobs.Wait()
	m.begins()
}

// Spawn runs a program that ends only by itself or with the host.
func (m *Machine) Spawn(run func(ctx context.Context)) { m.spawn(run) }

// spawn gives false where nothing runs because the host is off.
func (m *Machine) spawn(run func(ctx context.Context)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.boot
	if b.ctx == nil || b.ctx.Err() != nil {
		return false
	}
	b.jobs.Go(func() { run(b.ctx) })
	return true
}

// Run runs argv as a process of the host and waits for its end, or for ctx's: the
// process is the host's own and goes on. A host that is off gives 137.
func (m *Machine) Run(ctx context.Context, p *posix.Proc, argv []string) int {
	code := 137
	ended := make(chan struct{})
	if !m.spawn(func(boot context.Context) {
		defer close(ended)
		code = p.Exec(boot, argv)
	}) {
		return code
	}
	select {
	case <-ended:
		return code
	case <-ctx.Done():
		return 137
	}
}

func (m *Machine) must(err error) {
	if err != nil {
		panic(fmt.Sprintf("lab: %s: the simulated file system of a new host: %v", m.conf.Name, err))
	}
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
