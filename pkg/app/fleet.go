package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/engine/local"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/provenance"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/vault"
)

// fleet opens connections to the hosts of one inventory.
type fleet struct {
	ssh   *connect.Fleet
	inv   *inventory.Inventory
	hosts map[fact.HostID]inventory.Host
	vault *vault.Vault
	quiet *secret.Filter // of what hosts print, before it comes into a plan
	marks marks          // that looks have found
	keys  map[fact.HostID]*provenance.Keys
	// drivers of this run, the user's own definitions among them.
	drivers drivers.Set
	// known are the platforms that devices had the last time, by the state folder.
	known map[fact.HostID]fact.Platform
	state Options
}

func (e Env) fleet(o Options, inv *inventory.Inventory) (*fleet, error) {
	set, err := o.drivers()
	if err != nil {
		return nil, err
	}
	secrets, err := e.newVault(o, inv)
	if err != nil {
		return nil, err
	}
	f := &fleet{quiet: e.Secrets.Filter, inv: inv, hosts: map[fact.HostID]inventory.Host{}, vault: secrets, drivers: set, known: o.knownPlatforms(), state: o}
	for _, h := range inv.Hosts {
		f.hosts[h.ID] = h
	}
	if err := o.namedConfig(); err != nil {
		return nil, err
	}
	f.ssh = connect.New(connect.Options{
		KnownHosts:  knownHosts(e, o, inv),
		AcceptNew:   o.AcceptNew,
		SSHConfig:   sshConfig(e, o),
		AgentSocket: e.Agent,
		Secrets:     f.vault,
		Timeout:     o.ConnectTimeout,
		Warn:        warner(e.Err),
		Say:         func(text string) { e.say("%s", text) },
		Ask:         e.Secrets.Ask,
	})
	return f, nil
}

// knownPlatforms are those of the state folder, if there is one.
func (o Options) knownPlatforms() map[fact.HostID]fact.Platform {
	if _, err := os.Stat(o.statePath()); err != nil {
		return nil
	}
	dir, err := o.stateDir()
	if err != nil {
		return nil // whoever needs it says what is wrong with it
	}
	defer func() { _ = dir.Close() }()
	return dir.Platforms()
}

// drivers are those that are built in, with the user's own definitions of devices.
func (o Options) drivers() (drivers.Set, error) {
	set, err := drivers.Builtin()
	if err != nil || o.Platforms == "" {
		return set, err //nolint:wrapcheck // a test loads the definitions that are built in
	}
	info, err := os.Stat(o.Platforms)
	if err != nil || !info.IsDir() {
		return set, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "the folder of platforms " + o.Platforms + " can't be read", Hint: "--platforms names a folder of definitions, NAME.yaml; see: patchring schema platform", Err: err}
	}
	return set.With(os.DirFS(o.Platforms)) //nolint:wrapcheck // names file, line and column
}

// secret resolves a reference that stands in a plan.
func (f *fleet) secret(ctx context.Context, ref string) (secret.Secret, error) {
	parsed, err := secret.ParseRef(ref)
	if err != nil {
		return secret.Secret{}, err //nolint:wrapcheck // says what to write
	}
	return f.vault.Resolve(ctx, parsed, ref) //nolint:wrapcheck // names the reference
}

// Connect leases a connection, for package local.
func (f *fleet) Connect(ctx context.Context, id fact.HostID) (local.Link, error) {
	host, ok := f.hosts[id]
	if !ok {
		return nil, &fault.Error{Code: fault.Usage, Host: id.String(), Step: "connect", What: "not in the inventory"}
	}
	return f.ssh.Lease(ctx, host, f.inv.Sites[id.Site]) //nolint:wrapcheck // names host and step
}

func (f *fleet) Close() { _ = f.ssh.Close() }

// knownHosts are kept by site, since sixty clients all have a 10.0.0.5. Where the
// inventory has one site only, the user's own file counts as well.
func knownHosts(e Env, o Options, inv *inventory.Inventory) func(string) []string {
	return func(site string) []string {
		files := []string{filepath.Join(o.statePath(), "known_hosts", site)}
		if o.KnownHosts != "" {
			return append(files, o.KnownHosts)
		}
		if len(inv.Sites) == 1 && e.Home != "" {
			files = append(files, filepath.Join(e.Home, ".ssh", "known_hosts"))
		}
		return files
	}
}

// namedConfig: a file that somebody named must be there; ~/.ssh/config need not.
func (o Options) namedConfig() error {
	if o.SSHConfig == "" || o.SSHConfig == "none" {
		return nil
	}
	if _, err := os.Stat(o.SSHConfig); err != nil {
		return fault.Usagef("correct the path, or write --ssh-config none", "can't read the ssh_config that was named: %v", err)
	}
	return nil
}

func sshConfig(e Env, o Options) string {
	switch {
	case o.SSHConfig == "none":
		return ""
	case o.SSHConfig != "":
		return o.SSHConfig
	case e.Home == "":
		return ""
	}
	return filepath.Join(e.Home, ".ssh", "config")
}

// warner prints each warning once, one line each.
func warner(to io.Writer) func(string) {
	var mu sync.Mutex
	said := map[string]bool{}
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if !said[text] {
			said[text] = true
			_, _ = fmt.Fprintln(to, "warning:", text)
		}
	}
}
