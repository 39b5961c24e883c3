package app

import (
	"errors"
	"io/fs"
	"os"
	"strconv"

	"github.com/patchring/patchring/pkg/document"
)

// settingsYAML is patchring.yaml: defaults of options, for the folder it lies in.
type settingsYAML struct {
	Inventory      document.Value[string] `yaml:"inventory" doc:"inventory file"`
	State          document.Value[string] `yaml:"state" doc:"state folder"`
	Site           document.Value[string] `yaml:"site" doc:"the site to work on"`
	KnownHosts     document.Value[string] `yaml:"known-hosts" doc:"a known_hosts file to read as well"`
	SSHConfig      document.Value[string] `yaml:"ssh-config" doc:"ssh_config file, or none"`
	SignKey        document.Value[string] `yaml:"sign-key" doc:"SSH key that signs approvals, checkpoints, plans and evidence"`
	AgeIdentity    document.Value[string] `yaml:"age-identity" doc:"file with the keys that open age: and sops: secrets"`
	VaultPassword  document.Value[string] `yaml:"vault-password" doc:"reference to the password of ansible-vault: secrets"`
	Concurrency    document.Value[int]    `yaml:"concurrency" doc:"hosts looked at at once" min:"1" max:"10000"`
	ConnectTimeout document.Value[string] `yaml:"connect-timeout" doc:"time for one hop to be connected and logged in to, e.g. 15s"`
}

const defaultSettings = "patchring.yaml"

// LoadSettings reads patchring.yaml as flag names and values. A missing file is no
// settings, unless it was named.
func LoadSettings(path string) (map[string]string, error) {
	name := path
	if name == "" {
		name = defaultSettings
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return map[string]string{}, nil
		}
	}
	src, err := readConfig(name, "check the path of --config")
	if err != nil {
		return nil, err
	}
	var s settingsYAML
	if err := document.Decode(name, src, &s).Err(); err != nil {
		return nil, err //nolint:wrapcheck // carries file, line and hint
	}
	return s.flags(), nil
}

func (s settingsYAML) flags() map[string]string {
	all := map[string]string{
		"inventory": s.Inventory.V, "state": s.State.V, "site": s.Site.V, "known-hosts": s.KnownHosts.V,
		"ssh-config": s.SSHConfig.V, "connect-timeout": s.ConnectTimeout.V,
		"sign-key": s.SignKey.V, "age-identity": s.AgeIdentity.V, "vault-password": s.VaultPassword.V,
	}
	if s.Concurrency.V != 0 {
		all["concurrency"] = strconv.Itoa(s.Concurrency.V)
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}
