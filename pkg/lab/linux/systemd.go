package linux

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

func (m *Machine) systemdTools() map[string]posix.Tool {
	return map[string]posix.Tool{
		"systemctl": m.systemctl, "systemd-run": m.systemdRun, "systemd-inhibit": m.systemdInhibit,
		"systemd-detect-virt": m.detectVirt, "timedatectl": m.timedatectl, "journalctl": m.journalctl,
	}
}

func (m *Machine) systemdRun(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.ParseFirst(args, "u:p:GqrE:", "unit=|u", "property=|p", "collect|G", "quiet|q", "no-block", "description=", "service-type=",
		"setenv=|E", "working-directory=", "on-active=", "timer-property=", "system", "no-ask-password", "slice=", "remain-after-exit|r", "wait", "uid=")
	if !ok || len(o.Args) == 0 {
		return posix.Usage
	}
	if p.UID != memfs.Root {
		fmt.Fprintln(p.Err, "Failed to start transient service unit: Interactive authentication required.")
		return 1
	}
	child, bad := m.jobProcess(p, o)
	if bad != "" {
		p.Lacks("systemd-run: %s is not simulated", bad)
		return posix.Usage
	}
	if _, code := child.Lookup(o.Args[0]); code != 0 {
		fmt.Fprintf(p.Err, "Failed to find executable %s: No such file or directory\n", o.Args[0])
		return 1
	}
	delay, err := span(o.Value("on-active"))
	if err != nil {
		fmt.Fprintf(p.Err, "Failed to parse timer value: %s\n", o.Value("on-active"))
		return 1
	}
	return m.launch(ctx, p, child, o, delay)
}

// launch starts a transient unit, at once or later.
func (m *Machine) launch(ctx context.Context, p, child *posix.Proc, o posix.Options, delay time.Duration) int {
	name := o.Value("u")
	if name == "" {
		name = "run-r" + strings.ReplaceAll(uuid(), "-", "")
	}
	name = unitName(name)
	u, ok := m.enroll(name, o.Has("G"))
	if !ok {
		fmt.Fprintf(p.Err, "Failed to start transient service unit: Unit %s was already loaded or has a fragment file.\n", name)
		return 1
	}
	timer := m.arrange(u, o.Has("on-active"))
	done := make(chan struct{})
	m.Spawn(func(ctx context.Context) {
		defer close(done)
		if posix.Pause(ctx, delay) {
			m.drop(timer)
			m.finish(u, child.Exec(ctx, o.Args))
		}
	})
	if !o.Has("q") {
		fmt.Fprintf(p.Err, "Running as unit: %s\n", name)
	}
	if !o.Has("wait") {
		return 0
	}
	select {
	case <-done:
		return u.code
	case <-ctx.Done():
		return 1
	}
}

// span parses systemd's time spans: "5", "5s", "2min", "100ms".
func span(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	text = strings.Replace(text, "min", "m", 1)
	if strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("time span %q: %w", text, err)
	}
	return d, nil
}

// enroll lists a transient unit as running, unless one of that name is loaded.
func (m *Machine) enroll(name string, collect bool) (*unit, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.units[name] != nil {
		return nil, false
	}
	u := &unit{name: name, state: "active", sub: "running", transient: true, collect: collect, pid: m.nextPID}
	m.units[name] = u
	m.effects.Jobs++
	return u, true
}

// arrange lists the timer of a unit that is to begin later.
func (m *Machine) arrange(u *unit, later bool) *unit {
	if !later {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	timer := &unit{name: strings.TrimSuffix(u.name, ".service") + ".timer", state: "active", sub: "waiting", transient: true}
	m.units[timer.name] = timer
	u.state, u.sub = "inactive", "dead"
	return timer
}

func (m *Machine) drop(timer *unit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if timer != nil {
		delete(m.units, timer.name)
	}
}

// finish unloads the unit. One that failed stays listed, unless it is to be collected.
func (m *Machine) finish(u *unit, code int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u.code = code
	if code != 0 && !u.collect {
		u.fail()
		return
	}
	u.state, u.sub = "inactive", "dead"
	if m.units[u.name] == u {
		delete(m.units, u.name)
	}
}

// jobProcess is the clean surroundings of a transient unit; bad is the first
// property that it doesn't know.
func (m *Machine) jobProcess(p *posix.Proc, o posix.Options) (child *posix.Proc, bad string) {
	child = p.Child()
	child.Dir, child.In = "/", nil
	null, err := m.FS.Open(memfs.Root, "/dev/null", os.O_WRONLY, 0)
	if err != nil {
		return nil, "/dev/null"
	}
	child.Out, child.Err = null, null
	child.Env = map[string]string{"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
	for _, pair := range o.All("E") {
		name, value, _ := strings.Cut(pair, "=")
		child.Env[name] = value
	}
	if dir := o.Value("working-directory"); dir != "" {
		child.Dir = dir
	}
	for _, property := range o.All("p") {
		if !m.property(child, property) {
			return nil, property
		}
	}
	return child, ""
}

// property applies one -p. Those that only matter to real processes are accepted.
func (m *Machine) property(child *posix.Proc, property string) bool {
	name, value, _ := strings.Cut(property, "=")
	switch name {
	case "KillMode", "TimeoutStopSec", "SendSIGKILL", "Type", "StandardInput", "Description", "CollectMode", "OOMScoreAdjust", "Nice", "IgnoreSIGPIPE", "SuccessExitStatus", "DefaultDependencies", "Before", "Conflicts":
		return true
	case "StandardOutput", "StandardError":
		if value == "journal" || value == "null" {
			return true
		}
		how, file, ok := strings.Cut(value, ":")
		flag := map[string]int{"append": os.O_APPEND, "truncate": os.O_TRUNC, "file": 0}[how]
		out, err := m.FS.Open(memfs.Root, file, os.O_WRONLY|os.O_CREATE|flag, 0o644)
		if !ok || err != nil {
			return false
		}
		if name == "StandardOutput" {
			child.Out = out
		}
		child.Err = out
		return true
	case "WorkingDirectory":
		child.Dir = value
		return true
	}
	return false
}

func (m *Machine) systemdInhibit(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.ParseFirst(args, "", "what=", "who=", "why=", "mode=", "list", "no-legend", "no-pager")
	if !ok {
		return posix.Usage
	}
	if o.Has("list") || len(o.Args) == 0 {
		return m.inhibitors(p, !o.Has("no-legend"))
	}
	return p.Exec(ctx, o.Args)
}

func (m *Machine) detectVirt(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "cvq", "container|c", "vm|v", "quiet|q")
	if !ok {
		return posix.Usage
	}
	kind := m.conf.Container
	if kind == "" {
		kind = "kvm"
		if o.Has("c") {
			kind = "none"
		}
	} else if o.Has("v") {
		kind = "none"
	}
	if !o.Has("q") {
		p.Printf("%s\n", kind)
	}
	if kind == "none" {
		return 1
	}
	return 0
}

func (m *Machine) timedatectl(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "p:", "property=|p", "value", "no-pager")
	if !ok || len(o.Args) != 1 || o.Args[0] != "show" {
		p.Lacks("only timedatectl show is simulated")
		return posix.Usage
	}
	synced := "yes"
	if m.conf.Unsynced {
		synced = "no"
	}
	all := []string{"Timezone=Etc/UTC", "LocalRTC=no", "CanNTP=yes", "NTP=yes", "NTPSynchronized=" + synced}
	for _, line := range all {
		name, value, _ := strings.Cut(line, "=")
		if o.Has("p") && !slices.Contains(o.All("p"), name) {
			continue
		}
		if o.Has("value") {
			line = value
		}
		p.Printf("%s\n", line)
	}
	return 0
}

func (m *Machine) journalctl(_ context.Context, p *posix.Proc, _ []string) int {
	p.Printf("-- No entries --\n")
	return 0
}
