// Package inventory reads inventory.yaml: hosts, groups, sites and their settings;
// it selects hosts by pattern and explains where each setting came from.
//
// file.go is what may be written, parse.go the way from bytes to an Inventory: ranges
// are expanded, groups closed over their parents, and each host's settings resolved,
// each with the file:line that won. Nothing here connects or resolves a secret.
package inventory

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/schedule"
	"github.com/patchring/patchring/pkg/secret"
)

// Inventory is every host of every site, resolved. Hosts are sorted by ID.
type Inventory struct {
	Path string
	// Source is the digest of the file's bytes.
	Source patch.Digest
	Sites  map[string]Site
	Hosts  []Host
	// Budgets of groups, labels, sites and patterns, in the order of the file.
	Budgets []Budget
	// Notes are things that are allowed, but look like slips: "file:line: text".
	Notes []string

	groups map[string]*group // as declared; nil in an Inventory that Parse didn't make
	index  *index
}

// Site is a place or client.
type Site struct {
	Name           string
	Timezone       *time.Location // UTC where the file says nothing
	Jump           []string       // default chain of bastions for its hosts: [user@]host[:port]
	MaxConnections int            // 0: the program's default
	Owner          string
	// Windows and Freezes are on this site's clock; iCalendar files are read in.
	Windows   map[string]schedule.Window
	Freezes   []schedule.Freeze
	Approvers map[string][]string // lists by name
	Trust     Trust
}

// Budget is the most units of some hosts that may be out at once, as it is written.
// One that stands at a group, a label or a site counts the hosts of each site apart.
type Budget struct {
	Name  string // "group web", "site hq", "label tier=db", or the pattern
	Hosts string // pattern
	Most  Size   // of the units; never less than one
	Where string // file:line
}

// Size is a count or a percentage.
type Size struct {
	N       int
	Percent bool
}

// String is the size as it is written: "5" or "10%".
func (s Size) String() string {
	if s.Percent {
		return strconv.Itoa(s.N) + "%"
	}
	return strconv.Itoa(s.N)
}

// Host is one host with its settings as they hold for it.
type Host struct {
	ID     fact.HostID
	Groups []string // sorted, all levels, "all" not included
	Labels map[string]string
	// Settings hold the program's own default where no file says anything, as the
	// table of Defaults tells. Slices are shared between hosts: don't change them.
	Settings
	// Where says for each setting that is set by a file which file:line won,
	// keyed by the setting's name in YAML.
	Where map[string]string
	// Lost lists, per setting, the lines that lost, nearest first ("config explain"):
	// "file:line (group web: high)".
	Lost map[string][]string

	entry *hostYAML // only while Parse works
}

// Settings are what a host, group, site or the defaults may say.
type Settings struct {
	Address     string // empty: the name
	Port        int    // 0: ssh_config, else 22
	User        string
	Become      Become
	Jump        []string // nil: the site's; empty but not nil: none
	HostKeys    []string // pinned: "SHA256:…" fingerprints, any of which is right
	Platform    fact.Platform
	Class       fact.Class
	Criticality string   // low | medium | high | critical
	Exposure    string   // internal | internet
	Unit        string   // the pair, stack or cluster that it is a member of; empty: its own
	Via         []string // names of hosts of the same site on whose path it depends
	// Snapshots are addresses of archives of old package versions, with {time} in them.
	Snapshots []string
	Keyrings  []string // paths of files with public keys, as written; relative to the inventory
	// RebootWithin is how long a reboot may take; 0: the driver's default.
	RebootWithin time.Duration
	// SSHLegacy are old SSH algorithms that may be used where nothing better is in common:
	// names of LegacyAlgorithms.
	SSHLegacy []string
	// ControlMaster is the socket of the user's own OpenSSH master connection, with %h, %p,
	// %r and %n in it, or MasterFromConfig; empty: patchring logs in itself.
	ControlMaster string
	// Serve is where this controller serves an image that the host pulls; invalid: nowhere.
	// Port 0 is any free one.
	Serve       netip.AddrPort
	Credentials Credentials
}

// Become is how to get root, or the higher level of a device.
type Become string

const (
	BecomeNone Become = "none"
	BecomeSudo Become = "sudo"
	BecomeDoas Become = "doas"
	BecomeSu   Become = "su"
	// BecomeEnable is for devices: it runs no command on a host with a shell.
	BecomeEnable Become = "enable"
)

// Credentials are references; package vault resolves them.
type Credentials struct {
	Password   secret.Ref // SSH password and keyboard-interactive
	Key        string     // path of a private key; its certificate is looked for beside it (-cert.pub)
	Passphrase secret.Ref
	Become     secret.Ref // sudo or su password
	Enable     secret.Ref
}
