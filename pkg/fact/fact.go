// Package fact holds what detection learned of one host: identity, versions,
// pending updates, boot, and what could not be learned.
package fact

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/patch"
)

// HostID is a host's identity: site and name, never an address.
type HostID struct{ Site, Name string }

func (h HostID) String() string { return h.Site + "/" + h.Name }

// MarshalText writes "site/name".
func (h HostID) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads "site/name".
func (h *HostID) UnmarshalText(b []byte) error {
	site, name, ok := strings.Cut(string(b), "/")
	if !ok || site == "" || name == "" || strings.Contains(name, "/") {
		return fmt.Errorf("want SITE/NAME, not %q", b)
	}
	h.Site, h.Name = site, name
	return nil
}

// Compare orders by site, then name, for slices.SortFunc.
func (h HostID) Compare(o HostID) int {
	if c := strings.Compare(h.Site, o.Site); c != 0 {
		return c
	}
	return strings.Compare(h.Name, o.Name)
}

// Class is the kind of thing a host is.
type Class string

const (
	ClassServer       Class = "server"
	ClassLoadBalancer Class = "load_balancer"
	ClassStorage      Class = "storage"
	ClassAppliance    Class = "appliance"
	ClassNetwork      Class = "network"
)

// Platform names a driver, e.g. "debian", "rhel", "cisco_iosxe"; "" is unknown.
type Platform string

// OS is what /etc/os-release says.
type OS struct {
	ID         string   `json:"id,omitempty"`
	VersionID  string   `json:"version_id,omitempty"`
	Codename   string   `json:"codename,omitempty"`
	PrettyName string   `json:"pretty_name,omitempty"`
	Like       []string `json:"like,omitempty"`
}

// Kernel is the running kernel and the newest one installed; they differ when a
// reboot is due.
type Kernel struct {
	Running string `json:"running,omitempty"`
	Newest  string `json:"newest,omitempty"`
	// Installed are all of the running one's kind, newest first.
	Installed []string `json:"installed,omitempty"`
}

// Reboot tells whether one is needed, and which signals said so.
type Reboot struct {
	Needed  patch.Tri `json:"needed"`
	Reasons []string  `json:"reasons,omitempty"`
}

// ManagerState is the package manager's health.
type ManagerState string

const (
	ManagerUnknown     ManagerState = ""
	ManagerOK          ManagerState = "ok"
	ManagerInterrupted ManagerState = "interrupted" // a transaction was cut; needs repair
	ManagerBroken      ManagerState = "broken"      // unmet dependencies
	ManagerLocked      ManagerState = "locked"      // somebody else is at work
)

// Manager is the package manager and its state.
type Manager struct {
	Name   string       `json:"name,omitempty"` // "apt", "dnf"
	State  ManagerState `json:"state"`
	Detail string       `json:"detail,omitempty"`
}

// Space is one file system as df sees it.
type Space struct {
	Mount      string `json:"mount"`
	FreeKiB    int64  `json:"free_kib"`
	TotalKiB   int64  `json:"total_kib"`
	ReadOnly   bool   `json:"read_only,omitempty"`
	InodeFree  int64  `json:"inode_free,omitempty"`
	InodeTotal int64  `json:"inode_total,omitempty"` // 0: it does not count them, or it is not known
}

// Package is one installed package.
type Package struct {
	Name    string `json:"name"`
	Arch    string `json:"arch,omitempty"`
	Version string `json:"version"`
	// Status is "installed", or what is wrong with it ("half-configured", …).
	Status string `json:"status"`
}

// Offer is a version of a package that the host's repositories have.
type Offer struct {
	Name       string `json:"name"`
	Arch       string `json:"arch,omitempty"`
	Version    string `json:"version"`
	Repository string `json:"repository,omitempty"`
}

// PackageFile is a package's file on the host. The digest is the host's word.
type PackageFile struct {
	Name    string       `json:"name"`
	Arch    string       `json:"arch,omitempty"`
	Version string       `json:"version"`
	Path    string       `json:"path"`
	Digest  patch.Digest `json:"digest"`
	Size    int64        `json:"size"`
}

// Problem is something that could not be learned. It is never silently "no".
type Problem struct {
	What   string `json:"what"` // the field: "updates", "reboot", "kernel" …
	Detail string `json:"detail"`
}

// Marker is what a rollout that has begun work on the host leaves there until it is
// over, at work or not; one for each playbook and site. It is the host's word: well-formed and clean, but no proof.
type Marker struct {
	Rollout  string    `json:"rollout"` // fit to stand in a command that a person copies
	Playbook string    `json:"playbook"`
	Site     string    `json:"site"`
	By       string    `json:"by,omitempty"` // user@machine
	Since    time.Time `json:"since"`
}

// Facts is what one detection learned.
type Facts struct {
	Host      HostID         `json:"host"`
	Seen      time.Time      `json:"seen"` // the controller's clock
	Platform  Platform       `json:"platform"`
	Class     Class          `json:"class,omitempty"`
	Vendor    string         `json:"vendor,omitempty"`
	Model     string         `json:"model,omitempty"`
	Version   string         `json:"version,omitempty"` // the OS version in the platform's own words
	Serial    string         `json:"serial,omitempty"`
	Hostname  string         `json:"hostname,omitempty"`
	OS        OS             `json:"os,omitzero"`
	Arch      string         `json:"arch,omitempty"` // as the package manager names it: "amd64", "x86_64"
	Kernel    Kernel         `json:"kernel,omitzero"`
	BootID    string         `json:"boot_id,omitempty"`
	Clock     time.Time      `json:"clock,omitzero"`      // the host's own clock, seconds
	Container string         `json:"container,omitempty"` // "docker", "systemd-nspawn" …; empty: none seen
	Reboot    Reboot         `json:"reboot"`
	Manager   Manager        `json:"manager"`
	Refreshed time.Time      `json:"refreshed,omitzero"` // when the package lists were last fetched
	Updates   []patch.Update `json:"updates,omitempty"`
	KeptBack  []patch.Left   `json:"kept_back,omitempty"` // pending, but held, phased or kept back
	Packages  []Package      `json:"packages,omitempty"`  // only those the query asked for
	Holds     []string       `json:"holds,omitempty"`
	Spaces    []Space        `json:"spaces,omitempty"`
	Init      string         `json:"init,omitempty"`   // "systemd", or empty
	System    string         `json:"system,omitempty"` // what systemctl is-system-running says: "running", "degraded" …
	Offers    []Offer        `json:"offers,omitempty"` // only where the query asked for them
	Files     []PackageFile  `json:"files,omitempty"`  // package files that patchring keeps on the host; as Offers
	// OffersKnown: Offers and Files were asked for, and are all there is.
	OffersKnown bool      `json:"offers_known,omitempty"`
	Device      *Device   `json:"device,omitempty"`  // what has no shell, or is no server
	Markers     []Marker  `json:"markers,omitempty"` // of open rollouts; where it can't be told, a Problem says so
	Problems    []Problem `json:"problems,omitempty"`
}

// Domain is what must be alike for a proof to carry over from one host to
// another: distribution, its release and the architecture, e.g. "debian 12 amd64". It is
// the full minor release where the distribution freezes packages per minor ("rocky 9.4
// x86_64"). A host whose distribution is not known has none.
func (f Facts) Domain() string {
	if f.Device != nil && f.Platform != "" && f.Device.Family != "" {
		return string(f.Platform) + " " + f.Device.Family
	}
	if f.OS.ID == "" {
		return ""
	}
	return strings.Join(strings.Fields(f.OS.ID+" "+f.OS.VersionID+" "+f.Arch), " ")
}

// Installed finds a package that the query asked for. Of several versions side by
// side (kernels on rpm systems) it is the first that the host named.
func (f Facts) Installed(name, arch string) (Package, bool) {
	all := f.AllInstalled(name, arch)
	if len(all) == 0 {
		return Package{}, false
	}
	return all[0], true
}

// AllInstalled gives every installed version of a package that the query asked for.
// rpm systems keep several kernels beside each other.
func (f Facts) AllInstalled(name, arch string) []Package {
	var all []Package
	for _, p := range f.Packages {
		if p.Name == name && (arch == "" || p.Arch == "" || p.Arch == arch) {
			all = append(all, p)
		}
	}
	return all
}
