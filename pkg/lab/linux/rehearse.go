package linux

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// SSHPort is where the host itself sees its SSH server listen, whatever port of
// loopback stands for it.
const SSHPort = 22

// count lets a hook be counted: by its words, and by whom it was called for.
func (m *Machine) count(_ context.Context, p *posix.Proc, args []string) int {
	key := strings.TrimSpace(strings.Join(args[1:], " ") + " " + p.Env["PATCHRING_HOST"])
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.effects.Counts == nil {
		m.effects.Counts = map[string]int{}
	}
	m.effects.Counts[key]++
	return 0
}

// mend is the person who repairs the host: what a fault broke works from now on.
func (m *Machine) mend(_ context.Context, p *posix.Proc, _ []string) int {
	if p.UID != memfs.Root {
		p.Errorf("lab-mend", "only root may")
		return 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conf.Faults.UnhealthyAfter, m.conf.Faults.SickAfter = "", 0
	for _, u := range m.units {
		if u.cause != "" {
			u.cause, u.state, u.sub, u.code = "", "active", "running", 0
		}
	}
	return 0
}

// connections sets how many others are connected to the host's first listener.
func (m *Machine) connections(_ context.Context, p *posix.Proc, args []string) int {
	if len(args) != 2 {
		return posix.Usage
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || n < 0 {
		p.Errorf("lab-connections", "not a number: %s", args[1])
		return posix.Usage
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.visitors = n
	return 0
}

// socketTable is /proc/net/tcp, as a little-endian machine prints it.
func (m *Machine) socketTable() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out strings.Builder
	out.WriteString("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n")
	row := 0
	add := func(local, remote, state string) {
		fmt.Fprintf(&out, "%4d: %s %s %s 00000000:00000000 00:00000000 00000000     0        0 %d 1 0000000000000000 100 0 0 10 0\n",
			row, local, remote, state, 20_000+row)
		row++
	}
	busy := 0
	for _, port := range m.open(false) {
		add(fmt.Sprintf("00000000:%04X", port), "00000000:0000", "0A")
		if busy == 0 && port != SSHPort {
			busy = port
		}
	}
	for n := range m.visitors {
		if busy != 0 {
			add(fmt.Sprintf("0A00000A:%04X", busy), fmt.Sprintf("6401000A:%04X", 40_000+n), "01")
		}
	}
	return out.String()
}

// sicken lets the fault strike when its time has come. The caller holds mu.
func (m *Machine) sicken() {
	if m.sickAt.IsZero() {
		return
	}
	b := m.boot
	b.jobs.Go(func() {
		if !posix.Pause(b.ctx, time.Until(m.sickAt)) {
			return // it went down; the next boot begins to wait again
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.conf.Faults.SickAfter > 0 {
			m.breakServices(Package{Name: "fault", Version: "sick_after_patch"})
		}
	})
}

// begins notes that the host is being worked on, ends that it no longer is.
func (m *Machine) begins() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.effects.Work = append(m.effects.Work, Span{From: time.Now()})
}

// ends closes what begins has opened last. The caller holds mu.
func (m *Machine) ends() {
	for i := len(m.effects.Work) - 1; i >= 0; i-- {
		if m.effects.Work[i].To.IsZero() {
			m.effects.Work[i].To = time.Now()
			return
		}
	}
}

// working is the time of one transaction.
func (m *Machine) working() (done func()) {
	m.begins()
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.ends()
	}
}
