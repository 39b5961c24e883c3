package linux

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

func (m *Machine) systemTools() map[string]posix.Tool {
	return map[string]posix.Tool{
		"uname": m.uname, "hostname": m.hostname, "df": m.df, "ss": m.ss, "ip": m.ip, "pidof": m.pidof, "findmnt": m.findmnt,
		"reboot": m.reboot, "sshd": m.sshd, "shutdown": m.shutdown, "poweroff": m.reboot, "sudo": m.sudo, "su": m.su, "doas": m.doas, "curl": m.curl, "nproc": m.nproc, "nc": m.nc,
		"lab-event": m.event, "lab-count": m.count, "lab-mend": m.mend, "lab-connections": m.connections,
		"lab-withdraw": m.withdraw, "lab-publish": m.publish,
	}
}

func (m *Machine) uname(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "asnrvmo", "machine|m", "kernel-release|r", "nodename|n")
	if !ok || len(o.Args) > 0 {
		return posix.Usage
	}
	parts := []struct{ flag, text string }{
		{"s", "Linux"}, {"n", m.conf.Name}, {"r", m.Kernel()}, {"v", "#1 SMP PREEMPT_DYNAMIC lab"}, {"m", rpmArch(m.conf.Arch)}, {"o", "GNU/Linux"},
	}
	var out []string
	for _, part := range parts {
		if o.Has(part.flag, "a") || part.flag == "s" && len(args) == 1 {
			out = append(out, part.text)
		}
	}
	p.Printf("%s\n", strings.Join(out, " "))
	return 0
}

func (m *Machine) hostname(_ context.Context, p *posix.Proc, args []string) int {
	if _, ok := p.Parse(args, "sf"); !ok {
		return posix.Usage
	}
	p.Printf("%s\n", m.conf.Name)
	return 0
}

func (m *Machine) nproc(_ context.Context, p *posix.Proc, _ []string) int {
	p.Printf("2\n")
	return 0
}

func (m *Machine) pidof(_ context.Context, p *posix.Proc, args []string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []string
	for pid, proc := range m.procs {
		if len(args) > 1 && proc.argv[0] == args[len(args)-1] {
			found = append(found, strconv.Itoa(pid))
		}
	}
	if len(found) == 0 {
		return 1
	}
	slices.Sort(found)
	p.Printf("%s\n", strings.Join(found, " "))
	return 0
}

func (m *Machine) reboot(_ context.Context, p *posix.Proc, args []string) int {
	if _, ok := p.Parse(args, "f", "no-wall", "force|f", "no-wtmp"); !ok {
		return posix.Usage
	}
	if p.UID != memfs.Root {
		fmt.Fprintln(p.Err, "Failed to set wall message, ignoring: Interactive authentication required.\nCall to Reboot failed: Interactive authentication required.")
		return 1
	}
	m.restartHost(strings.HasSuffix(args[0], "poweroff"))
	return 0
}

func (m *Machine) shutdown(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "rhPHc", "reboot|r", "poweroff|P", "halt|H", "no-wall")
	switch {
	case !ok || o.Has("c"):
		return posix.Usage
	case p.UID != memfs.Root:
		fmt.Fprintln(p.Err, "Failed to set wall message, ignoring: Interactive authentication required.\nFailed to call ScheduleShutdown in logind, proceeding with immediate shutdown: Interactive authentication required.")
		return 1
	}
	m.restartHost(!o.Has("r"))
	return 0
}

// event lets a script of a test mark a moment.
func (m *Machine) event(_ context.Context, _ *posix.Proc, args []string) int {
	m.power.Event(strings.Join(args[1:], " "))
	return 0
}
