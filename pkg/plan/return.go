package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// OnFailure says what becomes of a host that has failed for sure.
type OnFailure struct {
	// Rollback: it is taken back to its former versions, where it can be. Else the rollout
	// goes by its failure limits, and a person looks.
	Rollback bool `json:"rollback,omitempty"`
	// Window in which that may begin: a name in the calendar; empty: any.
	Window string `json:"window,omitempty"`
}

func onFailure(b *playbook.Playbook) OnFailure {
	if b.OnFailure != playbook.OnFailureRollback {
		return OnFailure{}
	}
	window := b.RollbackWindow
	if window == schedule.Any {
		window = ""
	}
	return OnFailure{Rollback: true, Window: window}
}

// snapshotTime is how archives of old versions write a time.
const snapshotTime = "20060102T150405Z"

// settingsOf are what the inventory says of the work on a host.
func (in Input) settingsOf(id fact.HostID) (snapshots []string, reboot time.Duration) {
	h, err := in.Inventory.Find(id.String())
	if err != nil {
		return nil, 0 // it is in the inventory: the rings' patterns gave it
	}
	for _, address := range h.Snapshots {
		snapshots = append(snapshots, strings.ReplaceAll(address, "{time}", in.Now.UTC().Format(snapshotTime)))
	}
	return snapshots, h.RebootWithin
}

// Light says whether a host could be taken back after its work. The zero value is the worst.
type Light string

const (
	Red   Light = ""      // no, or it can't be told
	Amber Light = "amber" // probably: something about it can't be promised
	Green Light = "green" // every outgoing version can be had, and goes back
)

func (l Light) String() string {
	if l == Red {
		return "red"
	}
	return string(l)
}

// Return is what is known, before a host is changed, of the way back.
type Return struct {
	Light   Light    `json:"light,omitempty"`
	Reasons []string `json:"reasons,omitempty"`
}

// Possible tells that taking the host back by itself is not hopeless.
func (r *Return) Possible() bool { return r.Light == Green || r.Light == Amber }

// WayBack judges whether a host could be taken back from these updates. offers and files
// are where outgoing versions can be had; unsure says why that is not known.
func WayBack(updates []patch.Update, offers []fact.Offer, files []fact.PackageFile, unsure string) Return {
	back := Return{Light: Green}
	if unsure != "" {
		back.lower(Red, "whether the outgoing versions can be had is not known: "+unsure)
	}
	for _, u := range updates {
		if why := oneWay(u.Name); why != "" {
			back.lower(Red, fmt.Sprintf("%s does not go back: %s", u.Name, why))
		} else if why := delicate(u.Name); why != "" {
			back.lower(Amber, fmt.Sprintf("%s: %s", u.Name, why))
		}
		if u.From != "" && unsure == "" && !had(u, offers, files) {
			back.lower(Red, fmt.Sprintf("%s %s can't be had any more", u.Key(), u.From))
		}
	}
	return back
}

// had: the outgoing version is in a repository of the host, or kept on it.
func had(u patch.Update, offers []fact.Offer, files []fact.PackageFile) bool {
	return slices.ContainsFunc(offers, func(o fact.Offer) bool {
		return o.Name == u.Name && o.Version == u.From && Alike(o.Arch, u.Arch)
	}) || slices.ContainsFunc(files, func(f fact.PackageFile) bool {
		return f.Name == u.Name && f.Version == u.From && Alike(f.Arch, u.Arch)
	})
}

// Alike tells that one architecture is not told, or they are the same. A package may turn from the
// native one to one for all.
func Alike(a, b string) bool {
	every := func(arch string) bool { return arch == "" || arch == "all" || arch == "noarch" || arch == "any" }
	return a == b || every(a) || every(b)
}

const maxReturnReasons = 5

func (r *Return) lower(to Light, why string) {
	if to == Red || r.Light == Green {
		r.Light = to
	}
	if len(r.Reasons) < maxReturnReasons {
		r.Reasons = append(r.Reasons, why)
	}
}

// oneWay says why a package is not taken back: its older version can't read what the
// newer one has written, or everything else was started against it. After Red Hat's list
// of what "dnf history undo" does not support, and the databases' own upgrade notes.
func oneWay(name string) string {
	name = strings.ToLower(name) // MariaDB-server
	for _, group := range []struct {
		why   string
		names []string // whole, or with "*" their beginning
	}{
		{"everything that runs is bound to it", []string{"glibc", "glibc-*", "libc6*", "libc-bin", "musl"}},
		{"the running system bus can't be replaced by an older one", []string{"dbus*", "libdbus-1*"}},
		{"it is installed beside the former kernel; boot that one, and remove this one, by hand", []string{"kernel", "kernel-core", "kernel-modules*", "kernel-default*", "kernel-rt*", "kernel-uek*", "kernel-debug*"}},
		{"its policy store is converted", []string{"selinux-policy", "selinux-policy-*"}},
		{"units and journals of the newer one may not be read by the older", []string{"systemd", "systemd-*", "libsystemd0", "udev"}},
		{"the database may have been converted", []string{
			"postgresql*", "mysql*", "mariadb*", "mongodb*", "percona*", "389-ds*", "slapd", "openldap*server*", "openldap2",
			"redis*", "valkey*", "influxdb*", "couchdb*", "elasticsearch*", "opensearch*", "cassandra*",
		}},
		{"it sets which release this is", []string{"*-release", "base-files"}},
	} {
		if slices.ContainsFunc(group.names, func(pattern string) bool { return matchesName(pattern, name) }) {
			return group.why
		}
	}
	return ""
}

// delicate says what can't be promised of a package's way back.
func delicate(name string) string {
	for _, prefix := range []string{"linux-image", "kernel", "initramfs", "dracut", "grub", "shim"} {
		if strings.HasPrefix(name, prefix) {
			return "the host boots from it: it goes back only where GRUB can start the former kernel by itself (GRUB_DEFAULT=saved)"
		}
	}
	return ""
}

func matchesName(pattern, name string) bool {
	is, err := path.Match(pattern, name)
	return is && err == nil
}
