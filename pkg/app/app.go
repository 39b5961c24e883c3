// Package app holds the use cases: one file each, named like the command that calls
// it. It knows no cobra and no process globals: everything from outside comes in
// through Env, everything a person chose through options.
package app

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/secret"
)

// Env is the world as a use case sees it.
type Env struct {
	In       io.Reader
	Out      io.Writer // documents and tables
	Err      io.Writer // live lines, notes, questions
	Terminal bool      // a person can be asked
	OutTTY   bool      // Out is a terminal that can move its cursor
	ErrTTY   bool      // so is Err
	Plain    bool      // stable lines even on a terminal
	Size     func() (width, height int)
	Width    int // columns of the terminal; 0: unknown
	Height   int
	Color    bool
	Home     string
	Actor    string // user@machine, for the journal and the host's lock
	Agent    string // SSH agent's socket
	Now      func() time.Time
	Random   io.Reader
	// Ask asks a person for a secret without echo; nil where nobody can be asked.
	Ask func(ctx context.Context, label string) (secret.Secret, error)
	// Secrets keeps known secrets out of all that is written.
	Secrets Secrets
	// Stop is closed at the first Ctrl-C: finish what runs, start nothing.
	Stop <-chan struct{}
	// Version of this build, for documents and for `version`.
	Version string
}

// Options are what every command that reads an inventory shares.
type Options struct {
	Inventory      string // path; "" is inventory.yaml
	State          string // state folder; "" is .patchring beside the inventory
	Site           string
	AllSites       bool
	Limit          string // host pattern
	JSON           bool
	Yes            bool
	AcceptNew      bool // record the keys of unknown hosts
	KnownHosts     string
	Platforms      string // folder of the user's own definitions of devices; "": none
	SSHConfig      string // path; "none" for none; "" is ~/.ssh/config
	SignKey        string // path of the SSH key that signs approvals, checkpoints, plans and evidence; "": none
	AgeIdentity    string // path of the keys that open age: and sops: secrets; "": the usual file
	VaultPassword  string // reference to the password of ansible-vault: secrets; "": a person is asked
	Concurrency    int    // hosts looked at in parallel
	ConnectTimeout time.Duration
	Today          time.Time // when the command was called
}

// defaults of the options that a flag or variable left empty.
const (
	defaultInventory   = "inventory.yaml"
	defaultConcurrency = 50
	stateFolder        = ".patchring"
)

func (o Options) inventoryPath() string {
	if o.Inventory == "" {
		return defaultInventory
	}
	return o.Inventory
}

func (o Options) statePath() string {
	if o.State != "" {
		return o.State
	}
	return filepath.Join(filepath.Dir(o.inventoryPath()), stateFolder)
}

func (o Options) concurrency() int {
	if o.Concurrency > 0 {
		return o.Concurrency
	}
	return defaultConcurrency
}

// maxConfig bounds a configuration file: 10,000 hosts take about 2 MiB.
const maxConfig = 64 << 20

// readConfig reads a file that the user named.
func readConfig(path, hint string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "can't read " + path, Err: err, Hint: hint}
	}
	defer func() { _ = f.Close() }()
	src, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "can't read " + path, Err: err}
	}
	if len(src) > maxConfig {
		return nil, fault.Usagef("is it the right file? An inventory of that size is better split, one for each client", "%s is larger than %d MiB", path, maxConfig>>20)
	}
	return src, nil
}

func (o Options) loadInventory() (*inventory.Inventory, error) {
	if o.Concurrency < 0 || o.ConnectTimeout < 0 {
		return nil, fault.Usagef("leave it out for the default", "--concurrency and --connect-timeout can't be negative")
	}
	path := o.inventoryPath()
	src, err := readConfig(path, "write one with: patchring init, or name another with --inventory FILE")
	if err != nil {
		return nil, err
	}
	return inventory.ParseFiles(path, src, beside(path), o.calendarFrom()) //nolint:wrapcheck // carries file, line and hint
}

// beside reads the files that a configuration file names, relative to itself.
func beside(path string) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return readConfig(name, "it is named in "+path)
	}
}

// calendarFrom is the day from which iCalendar files are worked out: the first of the
// month, so that the calendar of a rollout is not another one each day.
func (o Options) calendarFrom() time.Time {
	return time.Date(o.Today.Year(), o.Today.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// selected gives the hosts that --site and --limit leave.
func (o Options) selected(inv *inventory.Inventory, pattern string) ([]inventory.Host, error) {
	if pattern == "" {
		pattern = "*"
	}
	hosts, err := inv.Select(pattern, readList)
	if err != nil {
		return nil, err //nolint:wrapcheck // carries a hint
	}
	if o.Limit != "" {
		limited, err := inv.Select(o.Limit, readList)
		if err != nil {
			return nil, err //nolint:wrapcheck // carries a hint
		}
		hosts = intersect(hosts, limited)
	}
	if o.Site != "" {
		if _, ok := inv.Sites[o.Site]; !ok {
			return nil, fault.Usagef("see: patchring inventory list", "no site %q in %s", o.Site, inv.Path)
		}
		hosts = ofSite(hosts, o.Site)
	}
	return hosts, nil
}

func readList(path string) ([]byte, error) {
	return readConfig(path, "the file behind @ holds one host pattern a line")
}

func intersect(a, b []inventory.Host) []inventory.Host {
	in := map[string]bool{}
	for _, h := range b {
		in[h.ID.String()] = true
	}
	return filter(a, func(h inventory.Host) bool { return in[h.ID.String()] })
}

func ofSite(hosts []inventory.Host, site string) []inventory.Host {
	return filter(hosts, func(h inventory.Host) bool { return h.ID.Site == site })
}

func filter(hosts []inventory.Host, keep func(inventory.Host) bool) []inventory.Host {
	var kept []inventory.Host
	for _, h := range hosts {
		if keep(h) {
			kept = append(kept, h)
		}
	}
	return kept
}

// sites are those a changing command may work on, one rollout each: the only one, the
// one named, or all where that was said.
func (o Options) sites(inv *inventory.Inventory) ([]string, error) {
	names := sortedKeys(inv.Sites)
	switch {
	case o.Site != "":
		if _, ok := inv.Sites[o.Site]; !ok {
			return nil, fault.Usagef("see: patchring inventory list", "no site %q in %s", o.Site, inv.Path)
		}
		return []string{o.Site}, nil
	case len(names) == 1 || o.AllSites:
		return names, nil
	}
	return nil, fault.Usagef("add --site NAME, or --all-sites for one rollout each",
		"the inventory has %d sites, and a command that changes anything works on one", len(names))
}
