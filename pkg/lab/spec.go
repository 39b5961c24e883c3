package lab

import (
	_ "embed"
	"encoding"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/lab/linux"
)

//go:embed fleets/demo.yaml
var demo []byte

// Spec is a fleet file.
type Spec struct {
	Version  int      `yaml:"version" flags:"required" doc:"format of this file: write version: 1" min:"1" max:"1"`
	User     string   `yaml:"user" doc:"who logs in; left out: patch"`
	Reboot   Duration `yaml:"reboot" doc:"how long a reboot refuses connections; left out: 300ms"`
	Install  Duration `yaml:"install" doc:"how long one package takes; left out: 50ms"`
	Password string   `yaml:"password" doc:"of the user, for login, sudo and su; left out: none"`
	Enable   string   `yaml:"enable" doc:"enable secret of devices; left out: who logs in has all privileges"`
	Speed    float64  `yaml:"speed" doc:"how many times as fast the time of devices runs while they are at work; left out: 2000" min:"1"`
	// Files are beside the fleet file: device files of the user's own.
	Files fs.FS
	// Repositories are what hosts of a distribution can install, by the name of the OS.
	Repositories map[string][]linux.Package `yaml:"repositories" doc:"what the hosts of a distribution are offered"`
	Hosts        []HostSpec                 `yaml:"hosts" flags:"required" doc:"the hosts" count:"1"`
}

// HostSpec is one simulated host.
type HostSpec struct {
	Name    string   `yaml:"name" flags:"required" doc:"name in the inventory"`
	OS      string   `yaml:"os" doc:"what it runs" enum:"debian-12|ubuntu-24.04|rocky-9|cisco-iosxe"`
	Device  string   `yaml:"device" doc:"instead of os: a device file that is built in, or one beside the fleet file"`
	Groups  []string `yaml:"groups" doc:"groups in the inventory"`
	Unit    string   `yaml:"unit" doc:"the pair in the inventory that it is a member of"`
	Via     []string `yaml:"via" doc:"hosts of the inventory on whose path it depends"`
	Arch    string   `yaml:"arch" doc:"left out: amd64" enum:"amd64|arm64"`
	Model   string   `yaml:"model" doc:"of a device"`
	Release string   `yaml:"release" doc:"software of a device; left out: what its file says"`
	Serial  string   `yaml:"serial" doc:"of a device; left out: one that follows from its name"`
	Cluster string   `yaml:"cluster" doc:"devices with the same word know each other: a pair, a device group"`
	// Values are written over those of the device file; ID/NAME is a member's.
	Values       map[string]string          `yaml:"values" doc:"values of the device file that differ here"`
	Timing       map[string]device.Duration `yaml:"timing" doc:"durations of the device file that differ here"`
	DeviceFaults []device.Fault             `yaml:"device_faults" doc:"what goes wrong with a device"`
	Installed    []linux.Package            `yaml:"installed" doc:"packages beside the distribution's own"`
	Repository   []linux.Package            `yaml:"repository" doc:"what this host is offered beside its distribution's repository"`
	Held         []string                   `yaml:"held" doc:"packages on hold"`
	Services     []linux.Service            `yaml:"services" doc:"units that no package brings"`
	Mounts       []linux.Mount              `yaml:"mounts" doc:"file systems beside / and /boot"`
	Sudo         string                     `yaml:"sudo" doc:"left out: nopasswd" enum:"nopasswd|password|none"`
	Init         string                     `yaml:"init" doc:"left out: systemd" enum:"systemd|other"`
	Container    string                     `yaml:"container" doc:"what kind of container it is, if it is one"`
	Load         string                     `yaml:"load" doc:"content of /proc/loadavg"`
	// Connections can be changed with the program lab-connections.
	Connections int      `yaml:"connections" doc:"how many others are connected to its first service" min:"0"`
	Unsynced    bool     `yaml:"unsynced" doc:"its clock is not synchronised"`
	Grub        bool     `yaml:"grub" doc:"its boot loader is GRUB, which starts what is saved"`
	Install     Duration `yaml:"install" doc:"how long one package takes here"`
	Reboot      Duration `yaml:"reboot" doc:"how long a reboot takes here"`
	Faults      Faults   `yaml:"faults" doc:"what goes wrong"`
	// Hostile hosts attack who manages them; see Hostilities.
	Hostile []Hostility `yaml:"hostile" doc:"how it attacks who manages it"`
}

// ExactlyOne says what a host is.
func (HostSpec) ExactlyOne() []string { return []string{"os", "device"} }

// Faults are what goes wrong with a host, or on the way to it.
type Faults struct {
	Unreachable     bool     `yaml:"unreachable" doc:"nothing listens on its port"`
	Silent          bool     `yaml:"silent" doc:"it accepts connections and says nothing"`
	Slow            Duration `yaml:"slow" doc:"each command begins so much later"`
	DiesDuring      string   `yaml:"dies_during" doc:"connections are cut in the middle of the first of these; the host goes on" enum:"install"`
	CutAfter        int64    `yaml:"cut_after_bytes" doc:"the first connection ends after so many bytes of output" min:"1"`
	FullDisk        string   `yaml:"full_disk" doc:"mount point that has no room left"`
	UnhealthyAfter  string   `yaml:"unhealthy_after" doc:"package whose update breaks its service"`
	SickAfterPatch  Duration `yaml:"sick_after_patch" doc:"so long after its packages changed, a service fails for good"`
	FailingPostinst string   `yaml:"failing_postinst" doc:"package whose post-installation script fails"`
	Interrupted     bool     `yaml:"dpkg_interrupted" doc:"a package run was cut off long ago"`
	Locked          Hold     `yaml:"apt_locked" doc:"another program holds the package manager: a duration, or forever"`
	WrongHostKey    bool     `yaml:"wrong_host_key" doc:"known_hosts and inventory carry another key than it shows"`
	RejectsKey      bool     `yaml:"rejects_key" doc:"it does not accept the user's key"`
	NoSudo          bool     `yaml:"no_sudo" doc:"the user may not become root"`
	NeverReturns    bool     `yaml:"reboot_never_returns" doc:"it does not come back from a reboot"`
	BootsOldKernel  bool     `yaml:"boots_old_kernel" doc:"a new kernel does not come up, and the one before does"`
	BootLoop        bool     `yaml:"boot_loop" doc:"after its first reboot it restarts again and again"`
	NeverGoesDown   bool     `yaml:"never_goes_down" doc:"something holds off every reboot"`
	Degraded        bool     `yaml:"degraded_after_boot" doc:"a service fails from the first reboot on"`
	BadSSHConfig    bool     `yaml:"bad_ssh_config" doc:"sshd -t finds a mistake"`
	FailsRestart    string   `yaml:"fails_restart" doc:"service that does not come back when it is restarted by hand"`
	Vanished        string   `yaml:"vanished_version" doc:"package whose newest version leaves the repository after the first simulation"`
	Tampered        string   `yaml:"tampered_file" doc:"package of which the mirror serves another file than the lists promise"`
	Hostile         bool     `yaml:"hostile_output" doc:"every command prints control characters and megabytes"`
}

// Duration is written as Go writes it: 300ms, 2s, 1m30s.
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("want a duration such as 300ms or 2s, not %q", text)
	}
	*d = Duration(parsed)
	return nil
}

// Hold is a Duration, or "forever".
type Hold time.Duration

// Forever is a Hold that never ends.
const Forever Hold = -1

// UnmarshalText reads a duration or "forever".
func (h *Hold) UnmarshalText(text []byte) error {
	if strings.TrimSpace(string(text)) == "forever" {
		*h = Forever
		return nil
	}
	return (*Duration)(h).UnmarshalText(text)
}

var (
	_ encoding.TextUnmarshaler = (*Duration)(nil)
	_ encoding.TextUnmarshaler = (*Hold)(nil)
)

// Load reads a fleet file. Its error names every mistake with line and column.
func Load(src []byte) (Spec, error) {
	var spec Spec
	if err := document.Decode("fleet.yaml", src, &spec).Err(); err != nil {
		return Spec{}, fmt.Errorf("the simulated fleet: %w", err)
	}
	seen := map[string]bool{}
	for _, h := range spec.Hosts {
		if seen[h.Name] {
			return Spec{}, fmt.Errorf("the simulated fleet: host %s stands twice", h.Name)
		}
		seen[h.Name] = true
	}
	return spec, nil
}

// Demo is the fleet of `patchring demo`: test and production rings, three
// distributions, two switches, one host that can't be reached, one that turns
// unhealthy after its patch.
func Demo() Spec {
	spec, err := Load(demo)
	if err != nil {
		panic("the embedded fleet file is broken: " + err.Error()) // a test loads it
	}
	return spec
}

func (s Spec) machine(h HostSpec) linux.Config {
	pace := h.Install
	if pace == 0 {
		pace = s.Install
	}
	if pace == 0 {
		pace = Duration(50 * time.Millisecond)
	}
	sudo := h.Sudo
	if h.Faults.NoSudo {
		sudo = "none"
	}
	conf := linux.Config{
		Name: h.Name, OS: h.OS, Arch: h.Arch, User: s.user(), Sudo: sudo, Password: s.Password,
		Installed: h.Installed, Repository: append(append([]linux.Package(nil), s.Repositories[h.OS]...), h.Repository...),
		Held: h.Held, Services: h.Services, Mounts: h.Mounts, Pace: time.Duration(pace),
		NoSystemd: h.Init == "other", Container: h.Container, Load: h.Load, Unsynced: h.Unsynced, Connections: h.Connections, Grub: h.Grub, Start: startup(h.Faults),
		Faults: linux.Faults{
			FullDisk: h.Faults.FullDisk, UnhealthyAfter: h.Faults.UnhealthyAfter, SickAfter: time.Duration(h.Faults.SickAfterPatch), FailingPostinst: h.Faults.FailingPostinst,
			Interrupted: h.Faults.Interrupted, Locked: time.Duration(h.Faults.Locked), Vanished: h.Faults.Vanished, Tampered: h.Faults.Tampered, Hostile: h.Faults.Hostile,
			BootsOldKernel: h.Faults.BootsOldKernel, BootLoop: h.Faults.BootLoop, NeverGoesDown: h.Faults.NeverGoesDown,
			DegradedAfterBoot: h.Faults.Degraded, BadSSHConfig: h.Faults.BadSSHConfig, FailsRestart: h.Faults.FailsRestart,
		},
	}
	if len(h.Hostile) > 0 {
		conf.Wrap = h.wrap
	}
	return conf
}

// startup: hosts of a fleet take no real time to start, and say that they did, so that
// nobody waits to see whether they stay up; but for one that does not.
func startup(f Faults) time.Duration {
	if f.BootLoop {
		return 0
	}
	return 30 * time.Second
}

func (s Spec) user() string {
	if s.User == "" {
		return "patch"
	}
	return s.User
}

func (s Spec) downtime(h HostSpec) time.Duration {
	switch {
	case h.Reboot > 0:
		return time.Duration(h.Reboot)
	case s.Reboot > 0:
		return time.Duration(s.Reboot)
	}
	return 300 * time.Millisecond
}
