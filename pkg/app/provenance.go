package app

import (
	"path/filepath"
	"strings"

	"github.com/patchring/patchring/pkg/engine/local"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/provenance"
)

// keyrings reads the public keys that the inventory names, by host; hosts for which it
// names none are left out. One that can't be read is a mistake in the inventory: a host
// must not be trusted instead, without a word.
func (e Env) keyrings(inv *inventory.Inventory) (map[fact.HostID]*provenance.Keys, error) {
	read := map[string]*provenance.Keys{} // hosts share them
	keys := map[fact.HostID]*provenance.Keys{}
	for _, h := range inv.Hosts {
		if len(h.Keyrings) == 0 {
			continue
		}
		set := strings.Join(h.Keyrings, "\x00")
		if read[set] == nil {
			made, err := e.keyring(inv.Path, h)
			if err != nil {
				return nil, err
			}
			read[set] = made
		}
		keys[h.ID] = read[set]
	}
	return keys, nil
}

// keyring reads the files of one setting. Each is looked at by itself first, so that the
// one that is no keyring can be named.
func (e Env) keyring(inventoryPath string, h inventory.Host) (*provenance.Keys, error) {
	var files [][]byte
	for _, name := range h.Keyrings {
		content, err := beside(inventoryPath)(e.inHome(name))
		if err == nil {
			_, err = provenance.ParseKeys(content)
		}
		if err != nil {
			return nil, &fault.Error{
				Kind: fault.GiveUp, Code: fault.Usage, What: h.Where["keyrings"] + ": keyrings: " + name + " is no file of public keys", Err: err,
				Hint: "export the keys of the repositories' signers into it: gpg --export KEY > FILE; or leave it out: then digests are the hosts' word",
			}
		}
		files = append(files, content)
	}
	return provenance.ParseKeys(files...) //nolint:wrapcheck // each was parsed above
}

// inHome replaces a leading "~/".
func (e Env) inHome(name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok && e.Home != "" {
		return filepath.Join(e.Home, rest)
	}
	return name
}

// verifies tells which hosts the inventory names keys for.
func (f *fleet) verifies(id fact.HostID) bool { return f.keys[id] != nil }

// signed looks digests up in the signed indexes of hosts, by the inventory's keyrings.
func (e Env) signed(f *fleet, store provenance.Store) local.Signed {
	keys := func(id fact.HostID) *provenance.Keys { return f.keys[id] }
	return provenance.New(store, keys, e.Now).Signed
}
