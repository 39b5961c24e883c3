package app

import (
	"context"
	"slices"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/vault"
)

// Secrets is what keeps secrets in, and how a person is asked for one. The zero value
// filters nothing and asks nobody.
type Secrets struct {
	// Filter is told of every value that is resolved. Env's Out and Err are to go through it.
	Filter *secret.Filter
	// Ask asks what a server wants to know at a login, such as a one-time code; with echo
	// where the server says that it may be seen. Nil: nobody can be asked.
	Ask func(ctx context.Context, label string, echo bool) (secret.Secret, error)
}

// newVault resolves the references of an inventory, and of the playbooks that work on it.
// inv may be nil.
func (e Env) newVault(o Options, inv *inventory.Inventory) (*vault.Vault, error) {
	e.public(e.publicNames(o, inv)...)
	v := vault.Options{Warn: warner(e.Err), Ask: e.Ask, Home: e.Home, Identity: o.AgeIdentity, Filter: e.Secrets.Filter, Withhold: secretVariables(inv)}
	if o.VaultPassword != "" {
		ref, err := secret.ParseRef(o.VaultPassword)
		if err != nil {
			return nil, fault.Usagef("write "+secret.Forms(), "--vault-password is no reference: a secret itself must not stand there, only where it is to be had")
		}
		v.Password = ref
	}
	return vault.New(v), nil
}

// public makes names known that stay legible, and says what that costs.
func (e Env) public(names ...string) {
	if n := e.Secrets.Filter.Public(names...); n > 0 {
		e.say("warning: %d of the secrets can also be read in a name here (of a host, group, site, ring, playbook or rollout): should a host print it, patchring can't keep it out of what it shows and writes", n)
	}
}

// publicNames are what a person reads in every output, and so is not taken out of it.
func (e Env) publicNames(o Options, inv *inventory.Inventory) []string {
	names := []string{e.Actor, e.Home, absolute(o.inventoryPath()), absolute(o.statePath())}
	if inv == nil {
		return names
	}
	for name := range inv.Sites {
		names = append(names, name)
	}
	for _, h := range inv.Hosts {
		names = append(append(names, h.ID.Name, h.Address, h.User), h.Groups...)
	}
	return names
}

// secretVariables are those of the environment that an inventory names as secrets.
func secretVariables(inv *inventory.Inventory) []string {
	if inv == nil {
		return nil
	}
	var names []string
	for _, h := range inv.Hosts {
		c := h.Credentials
		for _, ref := range []secret.Ref{c.Password, c.Passphrase, c.Become, c.Enable} {
			if ref.Scheme() == "env" {
				names = append(names, ref.Target())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
