package linux

import (
	"context"
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// nextKernel is the one that a boot starts. A new one that does not come up leaves the
// machine to what the boot loader falls back to: its default, else the one before. The
// caller holds mu.
func (m *Machine) nextKernel() string {
	before := m.boot.kernel
	chosen := m.newestKernel()
	if m.conf.Grub {
		chosen = m.grub.start(m.kernels(), chosen)
	}
	if m.conf.Faults.BootsOldKernel && before != "" && chosen != before {
		if chosen = before; m.conf.Grub {
			chosen = m.grub.start(m.kernels(), before)
		}
	}
	return chosen
}

// strike is what goes wrong with a boot that is not the first. The caller holds mu.
func (m *Machine) strike() {
	faults, boot := m.conf.Faults, m.boot
	if boot.count < 2 {
		return
	}
	if faults.DegradedAfterBoot {
		u := &unit{name: "late.service", enabled: true, cause: "the boot"}
		u.fail()
		m.units[u.name] = u
	}
	if faults.BootLoop {
		boot.jobs.Go(func() {
			if posix.Pause(boot.ctx, loopsAfter) {
				m.power.Reboot(false)
			}
		})
	}
}

// loopsAfter is how long each boot of a loop lasts.
const loopsAfter = 8 * time.Second

// restartHost is what an order to restart comes to.
func (m *Machine) restartHost(off bool) {
	if m.conf.Faults.NeverGoesDown && !off {
		return
	}
	m.power.Reboot(off)
}

// inhibitors are who holds off a shutdown.
func (m *Machine) inhibitors(p *posix.Proc, legend bool) int {
	if legend {
		p.Printf("WHO            UID USER PID  COMM        WHAT     WHY                    MODE\n")
	}
	if m.conf.Faults.NeverGoesDown {
		p.Printf("backup-agent   0   root 4242 backup      shutdown the nightly backup     block\n")
	}
	return 0
}

// sshd only checks its configuration.
func (m *Machine) sshd(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "t")
	if !ok || !o.Has("t") {
		p.Lacks("only sshd -t is simulated")
		return posix.Usage
	}
	if m.conf.Faults.BadSSHConfig {
		fmt.Fprintln(p.Err, "/etc/ssh/sshd_config line 3: Bad configuration option: PermitRotLogin")
		return 255
	}
	return 0
}
