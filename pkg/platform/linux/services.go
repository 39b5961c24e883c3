package linux

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed services.sh
var servicesScript string

//go:embed services_look.sh
var servicesLookScript string

//go:embed services_act.sh
var servicesActScript string

// spared is a kind of unit that is told and never restarted.
type spared struct {
	code, why string
	units     []string // patterns of the shell
}

// sparedUnits says why for each. What is not here may be restarted, systemd-journald
// too: its streams wait in systemd's descriptor store meanwhile. systemd itself is
// started anew in place (daemon-reexec). The SSH server comes last: its sessions go on.
func sparedUnits() []spared {
	return []spared{
		{"login", "logins and services hang on it: it takes a reboot", []string{
			"dbus.service", "dbus-*.service", "systemd-logind.service", "elogind.service", "user@*.service", "user-runtime-dir@*.service",
			"getty@*.service", "serial-getty@*.service", "console-getty.service", "container-getty@*.service", "autovt@*.service",
			"display-manager.service", "gdm*.service", "lightdm.service", "sddm.service", "lxdm.service", "xdm.service", "greetd.service",
		}},
		{"connection", "it is somebody's connection, perhaps ours", []string{"ssh@*.service", "sshd@*.service"}},
		// Most leave addresses and routes alone while they restart; bonds, leases, tunnels and
		// rules that others added may still go, and with them the way to the host.
		{"network", "it holds the host's network, and a restart might cut it off: it takes a reboot", []string{
			"NetworkManager*.service", "systemd-networkd*.service", "networking.service", "network.service", "ifup@*.service", "wicked*.service",
			"dhcpcd*.service", "wpa_supplicant*.service", "iwd.service", "connman.service", "firewalld.service", "nftables.service", "ufw.service",
			"openvpn*.service", "wg-quick@*.service", "strongswan*.service", "ipsec.service", "tinc*.service", "tailscaled.service",
			"zerotier-one.service", "openvswitch*.service", "ovs*.service", "frr.service", "bird*.service", "keepalived.service",
		}},
		{"guests", "containers or virtual machines may end with it", []string{
			"docker.service", "containerd.service", "crio.service", "libvirtd.service", "virt*.service", "lxc*.service", "lxd.service",
			"incus*.service", "xen*.service", "snap.lxd.daemon.service",
		}},
		{"cluster", "a cluster watches it and may take the host out", []string{
			"corosync*.service", "pacemaker*.service", "sbd.service", "dlm.service", "pve-cluster.service",
		}},
		{"storage", "file systems hang on it: it takes a reboot", []string{
			"iscsid.service", "multipathd.service", "lvm2-*.service", "dm-event.service", "zfs-*.service", "drbd*.service", "glusterd.service",
			"rpc-*.service", "autofs.service",
		}},
		{"own", "it is patchring's own", []string{"patchring-*.service"}},
	}
}

// otherWhys are those of services.sh.
func otherWhys() map[string]string {
	return map[string]string{
		"manual":    "it refuses to be restarted by hand: it takes a reboot",
		"oneshot":   "it is at work on something that a restart would cut",
		"transient": "it is a command that somebody runs",
		"gone":      "its unit is no longer known",
		"session":   "it belongs to somebody's session",
		"guest":     "it is a virtual machine",
		"process":   "it belongs to no service",
	}
}

// neverWords are the words of services.sh.
func neverWords() string {
	var words []string
	for _, s := range sparedUnits() {
		for _, unit := range s.units {
			words = append(words, s.code+"="+unit)
		}
	}
	return strings.Join(words, " ")
}

// services is the step that restarts, where the work says so, what still runs code from
// replaced files: after the reboot, so that it finds nothing where there was one.
func (m Manager) services(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	if len(w.Install)+len(w.Remove) == 0 || f.Platform == "freebsd" || f.Platform == "openbsd" {
		return nil, nil
	}
	never := neverWords()
	restart := job.Spec{ID: jobID(w, "services"), Argv: []string{"sh", "-c", servicesText(), "patchring-services", never}}
	start, err := job.Start(restart)
	if err != nil {
		return nil, Refuse(f, "", "%v", err)
	}
	status := job.Look(restart.ID, lookWait)
	left := look(remote.Reads, maxReport, []string{nonce("services "+w.ID, f, nil), never}, frameScript, servicesScript, servicesLookScript)
	step := platform.Step{
		ID: "services", On: f.Host, Title: "look for services on replaced files", Deadline: 30 * time.Minute, Rest: true,
		Look: platform.Look{
			Do:    []platform.Operation{{Command: &status}, {Command: &left}},
			Judge: func(r []remote.Result) platform.Standing { return judgeServices(f, w, r) },
		},
	}
	if w.Restart == patch.RestartIfNeeded && f.Init == "systemd" {
		step.Title, step.Changes = "restart services on replaced files", true
		step.Do = []platform.Operation{{Command: &start}}
	}
	return []platform.Step{step}, nil
}

// servicesText is what the job runs.
func servicesText() string { return "never=''\n" + servicesScript + servicesActScript }

func judgeServices(f fact.Facts, w patch.Work, results []remote.Result) platform.Standing {
	if len(results) != 2 {
		return platform.Standing{Reasons: []string{"the host was not asked"}}
	}
	status := job.Read(results[0])
	switch status.State {
	case job.Running:
		return platform.Standing{State: platform.Running, Progress: status.Last()}
	case job.Unknown:
		return platform.Standing{Reasons: []string{status.Reason}}
	case job.Absent, job.Claimed, job.Exited, job.Interrupted, job.Revoked, job.TimedOut:
	}
	acts := w.Restart == patch.RestartIfNeeded && f.Init == "systemd"
	rep, trouble := WholeReport(results)
	section := rep.Get("judged")
	switch {
	case trouble != "":
		return platform.Standing{Reasons: []string{trouble}}
	case !section.OK() && acts:
		return platform.Standing{Reasons: []string{"which services use replaced files could not be seen: " + section.Why()}}
	case !section.OK():
		return platform.Standing{State: platform.Done, Notes: []string{"which services use replaced files could not be seen: " + section.Why()}}
	}
	left := readUsers(section.Lines())
	if acts {
		return afterRestarts(status, left)
	}
	return platform.Standing{State: platform.Done, Notes: slices.Concat(left.untold(f.Init == "systemd"), left.told)}
}

// afterRestarts: before the job exists, what is left decides; once it has ended, it does.
func afterRestarts(status job.Status, left users) platform.Standing {
	did, wrong := restartsOf(status.Log)
	switch status.State {
	case job.Exited:
		notes := slices.Concat(did, left.still(), left.told)
		if status.Code != 0 || len(wrong) > 0 {
			bad := failed(status, "not every service came back from its restart")
			if len(wrong) > 0 {
				bad.Reasons = append(bad.Reasons[:1], wrong...)
			}
			bad.Notes = notes
			return bad
		}
		return platform.Standing{State: platform.Done, Notes: notes}
	case job.Interrupted, job.TimedOut:
		if len(left.restart) > 0 {
			return platform.Standing{Reasons: append([]string{"the restarts were cut: " + status.Reason}, left.still()...), Notes: did}
		}
	case job.Revoked:
		if len(left.restart) > 0 {
			return failed(status, "the restarts did not begin: "+status.Reason)
		}
	case job.Absent, job.Claimed, job.Running, job.Unknown:
		if len(left.restart) > 0 {
			return platform.Standing{State: platform.NotDone, Progress: "restarting " + strings.Join(left.names(), ", ")}
		}
	}
	return platform.Standing{State: platform.Done, Notes: slices.Concat(did, left.told)}
}

// restartsOf reads what the job says of itself.
func restartsOf(log []string) (did, wrong []string) {
	var units []string
	for _, line := range log {
		line, ours := strings.CutPrefix(line, "patchring: ")
		if unit, ok := strings.CutPrefix(line, "restarted: "); ok && ours {
			units = append(units, unit)
		} else if why, ok := strings.CutPrefix(line, "failed: "); ok && ours {
			wrong = append(wrong, why)
		}
	}
	if len(units) > 0 {
		did = []string{"restarted, as replaced files were in use: " + strings.Join(units, ", ")}
	}
	return did, wrong
}

// users are what uses replaced files.
type users struct {
	restart []user
	told    []string // what is never restarted, in words
}

// user is a unit, and a file that it uses.
type user struct{ name, file string }

// maxTold bounds the lines of a report about one host.
const maxTold = 20

// readUsers reads the lines of judged in services.sh. A line that it does not
// understand is told as well: silence would say that all is well.
func readUsers(lines []string) users {
	var u users
	whys := otherWhys()
	for _, s := range sparedUnits() {
		whys[s.code] = s.why
	}
	sessions := map[string]bool{}
	for _, line := range lines {
		part := strings.Split(line, "\t")
		for i := range part {
			part[i] = remote.Clean(part[i], 200)
		}
		switch {
		case len(part) == 3 && (part[0] == "restart" || part[0] == "reexec") && part[1] != "":
			u.restart = append(u.restart, user{part[1], part[2]})
		case len(part) == 4 && part[0] == "tell" && whys[part[1]] != "":
			if key := part[1] + " " + part[2]; !sessions[key] {
				sessions[key] = true
				u.told = append(u.told, fmt.Sprintf("%s still uses the replaced %s: %s", part[2], part[3], whys[part[1]]))
			}
		default:
			u.told = append(u.told, "something uses replaced files: "+remote.Clean(line, 200))
		}
	}
	if more := len(u.told) - maxTold; more > 0 {
		u.told = append(u.told[:maxTold], fmt.Sprintf("and %d more use replaced files", more))
	}
	return u
}

func (u users) names() []string {
	var names []string
	for _, s := range u.restart {
		names = append(names, s.name)
	}
	return names
}

// still is of what was restarted and uses them nevertheless: processes that it leaves
// behind on purpose.
func (u users) still() []string {
	var notes []string
	for _, s := range u.restart {
		notes = append(notes, fmt.Sprintf("%s still uses the replaced %s", s.name, s.file))
	}
	return notes
}

// untold is of what could be restarted, where the work says not to.
func (u users) untold(systemd bool) []string {
	if len(u.restart) == 0 {
		return nil
	}
	advice := "set restart: if_needed, or restart by hand"
	if !systemd {
		advice = "restart by hand"
	}
	return []string{"still on replaced files until restarted: " + remote.Clean(strings.Join(u.names(), ", "), 2000) + " (" + advice + ")"}
}
