package linux

import (
	"slices"
	"strings"
)

// unit is a systemd service, of a package, of the fleet file, or transient.
type unit struct {
	name      string // with .service
	state     string // active, failed, inactive
	sub       string // running, failed, dead, exited
	enabled   bool
	listen    []int
	udp       []int
	transient bool
	pid       int
	code      int // exit status of the last run
	collect   bool
	cause     string // why it fails, whatever is tried
	uses      []string
	daemon    *daemon
}

// startServices makes the units of a boot. The caller holds mu or owns m.
func (m *Machine) startServices() {
	before := m.units
	m.units = map[string]*unit{}
	for _, name := range []string{"systemd-journald", "systemd-logind", "dbus"} {
		m.start(Service{Name: name}, before)
	}
	for _, p := range m.installed {
		if p.Service != "" {
			m.start(Service{Name: m.serviceName(p.Service), Listen: p.Listen, Uses: p.Uses}, before)
		}
	}
	for _, s := range m.conf.Services {
		m.start(s, before)
	}
}

// serviceName: the same server has other names elsewhere.
func (m *Machine) serviceName(name string) string {
	switch {
	case m.dist.apt || name != "ssh" && name != "cronie":
		return name
	case name == "ssh":
		return "sshd"
	}
	return "crond"
}

func (m *Machine) start(s Service, before map[string]*unit) {
	u := &unit{name: s.Name + ".service", state: "active", sub: "running", enabled: true, listen: s.Listen, udp: s.UDP, uses: s.Uses}
	if s.State != "" && s.State != "active" {
		u.state, u.sub = s.State, map[string]string{"failed": "failed", "inactive": "dead"}[s.State]
	}
	if old := before[u.name]; old != nil && old.cause != "" {
		u.cause = old.cause
		u.fail()
	}
	if old := before[u.name]; old != nil && len(m.units) > 0 && m.units[u.name] == old {
		m.quit(old)
	}
	m.units[u.name] = u
	m.run(u)
}

func (u *unit) fail() { u.state, u.sub, u.code = "failed", "failed", 1 }

// restart is what a package's own script does after an upgrade.
func (m *Machine) restart(p Package) {
	if p.Service == "" {
		return
	}
	name := m.serviceName(p.Service) + ".service"
	if u := m.units[name]; u != nil && u.cause == "" {
		u.state, u.sub, u.listen, u.uses = "active", "running", p.Listen, p.Uses
		m.run(u)
		return
	}
	m.start(Service{Name: m.serviceName(p.Service), Listen: p.Listen, Uses: p.Uses}, m.units)
}

// breakServices makes the package's service, or the host's first one with a port,
// fail from now on.
func (m *Machine) breakServices(p Package) {
	victim := m.units[m.serviceName(p.Service)+".service"]
	for _, name := range m.unitNames() {
		u := m.units[name]
		if victim == nil && len(u.listen) > 0 && u.name != "ssh.service" && u.name != "sshd.service" {
			victim = u
		}
	}
	if victim == nil {
		victim = &unit{name: "app.service", enabled: true}
		m.units[victim.name] = victim
	}
	victim.cause = p.Name + " " + p.Version
	victim.fail()
}

// mendServices: the version that broke them is gone.
func (m *Machine) mendServices(cause string) {
	for _, name := range m.unitNames() {
		if u := m.units[name]; u.cause == cause {
			u.cause, u.state, u.sub = "", "active", "running"
			m.run(u)
		}
	}
}

func (m *Machine) unitNames() []string {
	names := make([]string, 0, len(m.units))
	for name := range m.units {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func unitName(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return name + ".service"
}

// open lists the ports that something listens on.
func (m *Machine) open(udp bool) []int {
	var ports []int
	for _, u := range m.units {
		if u.state != "active" {
			continue
		}
		if udp {
			ports = append(ports, u.udp...)
		} else {
			ports = append(ports, u.listen...)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
