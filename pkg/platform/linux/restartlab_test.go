package linux_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
	"github.com/patchring/patchring/pkg/remote"
)

// follow is the interpreter in small where the host may be away: a look that it cuts
// short, or that finds nobody, is looked again.
func (m *machine) follow(s platform.Step) platform.Standing {
	m.t.Helper()
	did := false
	for until := time.Now().Add(s.Deadline); time.Now().Before(until); {
		boot := m.BootID()
		got := s.Look.Judge(m.answers(s))
		cut := m.BootID() != boot || got.State == platform.Unknown && s.Look.Reconnects
		switch {
		case cut, got.State == platform.Running, got.State == platform.NotDone && did:
		case got.State != platform.NotDone:
			return got
		default:
			did = true
			for _, op := range s.Do {
				if r := m.run(*op.Command); !r.OK() {
					m.t.Errorf("%s: %d %s%s", s.ID, r.Code, r.Out, r.Err)
				}
			}
		}
		<-time.After(time.Second) // the test's own time
	}
	return platform.Standing{Reasons: []string{"its time is over"}}
}

// standsOnce follows the step; what is done is found done again.
func (m *machine) standsOnce(s platform.Step) platform.Standing {
	m.t.Helper()
	got := m.follow(s)
	if again := m.follow(s); got.State == platform.Done && again.State != platform.Done {
		m.t.Errorf("%s again: %+v", s.ID, again)
	}
	return got
}

func usingHost(os string) lab.Config {
	return lab.Config{
		Name: "x", OS: os,
		Installed: []lab.Package{
			{Name: "libpr", Version: "1.0-1"},
			{Name: "openssh-server", Version: "1:9.2p1-2", Service: "ssh", Listen: []int{22}, Uses: []string{"libpr"}},
		},
		Repository: []lab.Package{{Name: "libpr", Version: "1.1-1", Suite: "security"}},
		Services:   []lab.Service{{Name: "shop", Listen: []int{80}, Uses: []string{"libpr"}}, {Name: "NetworkManager", Uses: []string{"libpr"}}, {Name: "dull"}},
	}
}

func libWork(rule patch.RestartRule) patch.Work {
	return patch.Work{ID: "r1-x", Reboot: patch.RebootNever, Restart: rule, Install: []patch.Update{{Name: "libpr", Arch: "amd64", From: "1.0-1", To: "1.1-1"}}}
}

// carry has the host install what is new by its own tools, as somebody else's tests hold
// the package managers, and performs the steps of these names.
func (m *machine) carry(d platform.Driver, w patch.Work, names ...platform.StepID) platform.Standing {
	m.t.Helper()
	f := m.detect()
	for _, u := range w.Install {
		line := "apt-get -qq update && apt-get -qq -y install " + u.Name
		if f.Manager.Name == "dnf" {
			line = "dnf -q -y install " + u.Name
		}
		if r := m.run(remote.Command{Argv: []string{"sh", "-c", line}}); !r.OK() {
			m.t.Fatalf("%s%s", r.Out, r.Err)
		}
	}
	var last platform.Standing
	for _, name := range names {
		if last = m.standsOnce(stepNamed(m.t, d, f, w, name)); last.State != platform.Done {
			return last
		}
	}
	return last
}

// TestLabServices: what used the library runs on the new one afterwards, the SSH server
// last, and what would cut the host off is told.
func TestLabServices(t *testing.T) {
	tests := map[string]struct {
		change func(*lab.Config)
		rule   patch.RestartRule
		want   platform.State
		say    string
		did    []string
	}{
		"told":           {func(*lab.Config) {}, patch.RestartNever, platform.Done, "shop.service, ssh.service", nil},
		"restarted":      {func(*lab.Config) {}, patch.RestartIfNeeded, platform.Done, "shop.service, ssh.service", []string{"shop.service", "ssh.service"}},
		"spared":         {func(*lab.Config) {}, patch.RestartIfNeeded, platform.Done, "NetworkManager.service still uses", []string{"shop.service", "ssh.service"}},
		"sshd -t":        {func(c *lab.Config) { c.Faults.BadSSHConfig = true }, patch.RestartIfNeeded, platform.Failed, "Bad configuration option", []string{"shop.service"}},
		"does not start": {func(c *lab.Config) { c.Faults.FailsRestart = "shop" }, patch.RestartIfNeeded, platform.Failed, "shop.service is failed", []string{"ssh.service"}},
		"no systemd":     {func(c *lab.Config) { c.NoSystemd = true }, patch.RestartIfNeeded, platform.Done, "", nil},
		"nothing uses it": {func(c *lab.Config) {
			c.Services, c.Installed[1].Uses = nil, nil
		}, patch.RestartIfNeeded, platform.Done, "", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conf := usingHost("debian-12")
				tt.change(&conf)
				m := newMachine(t, conf)
				linux.Standing(t, m.carry(driverOf(apt.Debian), libWork(tt.rule), "services"), tt.want, tt.say)
				if did := m.Effects().Restarts; !slices.Equal(did, tt.did) {
					t.Errorf("restarted %q", did)
				}
				if c := m.Complaints(); len(c) > 0 {
					t.Error(c)
				}
			})
		})
	}
}

func kernelHost(os string) lab.Config {
	conf := lab.Config{Name: "x", OS: os}
	if os == "rocky-9" {
		conf.Repository = []lab.Package{{Name: "kernel-core", Version: "5.14.0-570.1.1.el9_5", Kernel: "5.14.0-570.1.1.el9_5.x86_64"}}
	} else {
		conf.Repository = []lab.Package{{Name: "linux-image-6.1.0-38-amd64", Version: "6.1.147-1", Kernel: "6.1.0-38-amd64"}}
	}
	return conf
}

func kernelWork(os string) patch.Work {
	w := patch.Work{ID: "r1-x", Reboot: patch.RebootIfNeeded, RebootWithin: 8 * time.Minute}
	if os == "rocky-9" {
		w.Install = []patch.Update{{Name: "kernel-core", Arch: "x86_64", From: "5.14.0-503.14.1.el9_5", To: "5.14.0-570.1.1.el9_5"}}
	} else {
		w.Install = []patch.Update{{Name: "linux-image-6.1.0-38-amd64", Arch: "amd64", To: "6.1.147-1"}}
	}
	return w
}

// TestLabReboots: a host that comes back as it should not is no success.
func TestLabReboots(t *testing.T) {
	tests := map[string]struct {
		faults lab.Faults
		want   platform.State
		say    string
	}{
		"well":             {lab.Faults{}, platform.Done, "rebooted"},
		"old kernel":       {lab.Faults{BootsOldKernel: true}, platform.Failed, "6.1.0-38-amd64 was to run, 6.1.0-37-amd64 runs"},
		"degraded":         {lab.Faults{DegradedAfterBoot: true}, platform.Failed, "late.service"},
		"boot loop":        {lab.Faults{BootLoop: true}, platform.Unknown, "its time is over"},
		"never goes down":  {lab.Faults{NeverGoesDown: true}, platform.Failed, "backup-agent"},
		"degraded already": {lab.Faults{}, platform.Done, "rebooted"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conf := kernelHost("debian-12")
				conf.Faults = tt.faults
				if name == "degraded already" {
					conf.Services = []lab.Service{{Name: "old", State: "failed"}}
				}
				m := newMachine(t, conf)
				began := time.Now()
				linux.Standing(t, m.carry(driverOf(apt.Debian), kernelWork("debian-12"), "reboot"), tt.want, tt.say)
				if took := time.Since(began); tt.want == platform.Done && took < 15*time.Second {
					t.Errorf("after %s nobody knows whether it stays up", took)
				}
			})
		})
	}
}

// TestLabOneShot: a kernel that does not come up leaves the host with the old one, for
// good; one that does becomes the default.
func TestLabOneShot(t *testing.T) {
	for os, d := range map[string]platform.Driver{"debian-12": driverOf(apt.Debian), "rocky-9": driverOf(dnf.RHEL)} {
		for _, fails := range []bool{false, true} {
			t.Run(os+map[bool]string{true: ", fails"}[fails], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					conf := kernelHost(os)
					conf.Grub, conf.Faults.BootsOldKernel = true, fails
					m := newMachine(t, conf)
					was, w := m.Kernel(), kernelWork(os)
					w.OneShot = true
					got := m.carry(d, w, "one_shot", "reboot", "new_default")
					if fails {
						linux.Standing(t, got, platform.Failed, was+" runs")
					} else {
						linux.Standing(t, got, platform.Done, "is the default")
					}
					m.Halt()
					m.Boot(t.Context())
					if runs := m.Kernel(); (runs == was) != fails {
						t.Errorf("%s runs, after %s", runs, was)
					}
					for _, c := range m.Complaints() {
						if !strings.HasPrefix(c, "dnf") { // other tests are about those
							t.Error(c)
						}
					}
				})
			})
		}
	}
}

func TestLabOneShotWithoutGrub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, kernelHost("debian-12"))
		w := kernelWork("debian-12")
		w.OneShot = true
		linux.Standing(t, m.carry(driverOf(apt.Debian), w, "one_shot"), platform.Done, "no GRUB")
	})
}

// TestLabFormerKernel: before the running kernel is taken back, the one before runs.
func TestLabFormerKernel(t *testing.T) {
	for _, grub := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			conf := kernelHost("debian-12")
			conf.Grub = grub
			m := newMachine(t, conf)
			d := driverOf(apt.Debian)
			was := m.Kernel()
			linux.Standing(t, m.carry(d, kernelWork("debian-12"), "reboot"), platform.Done, "rebooted")
			back := patch.Work{ID: "r1-x-back", Back: true, Reboot: patch.RebootIfNeeded, Remove: []string{"linux-image-6.1.0-38-amd64"}}
			got := m.carry(d, back, "boot_former", "reboot_former")
			if !grub {
				linux.Standing(t, got, platform.Failed, "no GRUB")
				return
			}
			linux.Standing(t, got, platform.Done, "")
			if runs := m.Kernel(); runs != was || strings.Contains(strings.Join(m.Complaints(), ""), "grub") {
				t.Errorf("%s runs, %q", runs, m.Complaints())
			}
		})
	}
}

func (m *machine) answers(s platform.Step) []remote.Result {
	var results []remote.Result
	for _, op := range s.Look.Do {
		results = append(results, m.run(*op.Command))
	}
	return results
}
