package linux

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

func (m *Machine) systemctl(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "qap:t:lfn:", "quiet|q", "all|a", "property=|p", "type=|t", "state=", "failed", "no-legend", "plain", "no-pager",
		"full|l", "value", "no-block", "force|f", "no-wall", "now", "legend=", "no-ask-password", "system", "when=", "lines=|n")
	if !ok {
		return posix.Usage
	}
	command, units := "list-units", []string(nil)
	if len(o.Args) > 0 {
		command, units = o.Args[0], o.Args[1:]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch command {
	case "is-system-running":
		return m.systemState(p, o)
	case "list-units":
		m.listUnits(p, o, units)
		return 0
	case "is-active", "is-failed", "is-enabled":
		return m.unitState(p, o, command, units)
	case "show":
		return m.showUnits(p, o, units)
	case "list-unit-files":
		return m.listUnitFiles(p, units)
	}
	if p.UID != memfs.Root {
		fmt.Fprintf(p.Err, "Failed to %s: Interactive authentication required.\n", command)
		return 1
	}
	return m.manage(p, command, units)
}

func (m *Machine) systemState(p *posix.Proc, o posix.Options) int {
	state := "running"
	for _, u := range m.units {
		if u.state == "failed" {
			state = "degraded"
		}
	}
	if !o.Has("q") {
		p.Printf("%s\n", state)
	}
	if state != "running" {
		return 1
	}
	return 0
}

// matching lists the units that patterns name; all of them without patterns.
func (m *Machine) matching(patterns []string) []*unit {
	var list []*unit
	for _, name := range m.unitNames() {
		if len(patterns) == 0 || slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, err := path.Match(unitName(pattern), name)
			return ok && err == nil
		}) {
			list = append(list, m.units[name])
		}
	}
	return list
}

func (m *Machine) listUnits(p *posix.Proc, o posix.Options, patterns []string) {
	states := strings.Split(o.Value("state"), ",")
	if o.Has("failed") {
		states = []string{"failed"}
	}
	var list []*unit
	width := len("UNIT")
	for _, u := range m.matching(patterns) {
		if u.wanted(states, o) {
			list = append(list, u)
			width = max(width, len(u.name))
		}
	}
	legend := !o.Has("no-legend") && o.Value("legend") != "false" && o.Value("legend") != "no"
	if legend && len(list) > 0 {
		p.Printf("  %-*s LOAD   ACTIVE SUB     DESCRIPTION\n", width, "UNIT")
	}
	for _, u := range list {
		p.Printf("%s%-*s loaded %s %-7s %s\n", u.mark(o), width, u.name, u.state, u.sub, u.description())
	}
	if legend {
		p.Printf("\n%d loaded units listed.\n", len(list))
	}
}

// wanted tells whether list-units shows the unit. All of them here are services.
func (u *unit) wanted(states []string, o posix.Options) bool {
	if o.Has("t") && !slices.Contains(strings.Split(o.Value("t"), ","), "service") {
		return false
	}
	if states[0] == "" {
		return u.state != "inactive" || o.Has("a")
	}
	return slices.Contains(states, u.state) || slices.Contains(states, u.sub)
}

func (u *unit) mark(o posix.Options) string {
	switch {
	case o.Has("plain"):
		return ""
	case u.state == "failed":
		return "● "
	}
	return "  "
}

func (u *unit) description() string { return strings.TrimSuffix(u.name, ".service") + " (simulated)" }

func (m *Machine) unitState(p *posix.Proc, o posix.Options, command string, names []string) int {
	code := 0
	for _, name := range names {
		state := "inactive"
		u := m.units[unitName(name)]
		if u != nil {
			state = u.state
		}
		good := state == strings.TrimPrefix(command, "is-")
		if command == "is-enabled" {
			if u == nil {
				fmt.Fprintf(p.Err, "Failed to get unit file state for %s: No such file or directory\n", unitName(name))
				code = 1
				continue
			}
			state, good = "enabled", true
		}
		if !o.Has("q") {
			p.Printf("%s\n", state)
		}
		if !good {
			code = map[string]int{"is-active": 3, "is-failed": 1, "is-enabled": 1}[command]
		}
	}
	return code
}

func (m *Machine) showUnits(p *posix.Proc, o posix.Options, names []string) int {
	if len(names) == 0 {
		names = []string{""}
	}
	for i, name := range names {
		if i > 0 {
			p.Printf("\n")
		}
		values := m.unitProperties(name)
		for _, list := range o.All("p") {
			for property := range strings.SplitSeq(list, ",") {
				value, ok := values[property]
				if !ok {
					p.Lacks("systemctl show: property %s is not simulated", property)
					return posix.Usage
				}
				if !o.Has("value") {
					value = property + "=" + value
				}
				p.Printf("%s\n", value)
			}
		}
		if !o.Has("p") {
			p.Lacks("systemctl show without -p is not simulated")
			return posix.Usage
		}
	}
	return 0
}

func (m *Machine) unitProperties(name string) map[string]string {
	if name == "" {
		failed := 0
		for _, u := range m.units {
			if u.state == "failed" {
				failed++
			}
		}
		return map[string]string{"NFailedUnits": fmt.Sprint(failed), "Version": "252", "NNames": fmt.Sprint(len(m.units)), "NJobs": "0"}
	}
	u := m.units[unitName(name)]
	if u == nil {
		u = &unit{name: unitName(name), state: "inactive", sub: "dead"}
	}
	load, result, enabled := "loaded", "success", "enabled"
	if m.units[u.name] == nil {
		load, enabled = "not-found", ""
	}
	if u.state == "failed" {
		result = "exit-code"
	}
	if u.transient {
		enabled = "transient"
	}
	return map[string]string{
		"Id": u.name, "Names": u.name, "LoadState": load, "ActiveState": u.state, "SubState": u.sub, "Result": result, "UnitFileState": enabled,
		"ExecMainStatus": fmt.Sprint(u.code), "ExecMainCode": "1", "MainPID": fmt.Sprint(u.pid), "NRestarts": "0", "Description": u.description(),
		"Type": "simple", "InvocationID": "", "RefuseManualStop": refusesStop(u.name),
	}
}

// refusesStop is of units without which nothing works.
func refusesStop(name string) string {
	if name == "dbus.service" {
		return "yes"
	}
	return "no"
}

func (m *Machine) listUnitFiles(p *posix.Proc, patterns []string) int {
	list := m.matching(patterns)
	for _, u := range list {
		p.Printf("%s enabled enabled\n", u.name)
	}
	if len(list) == 0 {
		return 1
	}
	return 0
}

// manage is what changes the host. The caller holds mu and is root.
func (m *Machine) manage(p *posix.Proc, command string, names []string) int {
	switch command {
	case "daemon-reload", "daemon-reexec", "enable", "disable", "mask", "unmask":
		return 0
	case "reboot", "poweroff", "halt":
		m.restartHost(command != "reboot")
		return 0
	case "reset-failed":
		return m.resetFailed(p, names)
	case "start", "stop", "restart", "try-restart", "reload", "reload-or-restart", "kill":
	default:
		p.Lacks("systemctl %s is not simulated", command)
		return posix.Usage
	}
	code := 0
	for _, name := range names {
		u := m.units[unitName(name)]
		switch {
		case u == nil:
			fmt.Fprintf(p.Err, "Failed to %s %s: Unit %s not found.\n", command, unitName(name), unitName(name))
			code = 5
		case command == "stop" || command == "kill":
			u.state, u.sub = "inactive", "dead"
			m.quit(u)
		case u.cause != "", strings.Contains(command, "restart") && u.name == m.conf.Faults.FailsRestart+".service":
			m.quit(u)
			u.fail()
			fmt.Fprintf(p.Err, "Job for %s failed because the control process exited with error code.\nSee \"systemctl status %s\" and \"journalctl -xeu %s\" for details.\n", u.name, u.name, u.name)
			code = 1
		default:
			u.state, u.sub, u.code = "active", "running", 0
			m.run(u)
			m.effects.Restarts = append(m.effects.Restarts, u.name)
		}
	}
	return code
}

func (m *Machine) resetFailed(p *posix.Proc, names []string) int {
	code := 0
	for _, name := range names {
		if m.units[unitName(name)] == nil {
			fmt.Fprintf(p.Err, "Failed to reset failed state of unit %s: Unit %s not loaded.\n", unitName(name), unitName(name))
			code = 1
		}
	}
	for _, u := range m.matching(names) {
		if u.state == "failed" {
			u.state, u.sub = "inactive", "dead"
		}
		if u.transient && u.state == "inactive" {
			delete(m.units, u.name)
		}
	}
	return code
}
