package inventory

// Default is one line of the table of defaults.
type Default struct {
	Key     string `json:"key"`
	Value   string `json:"value"` // "" where nothing holds
	Meaning string `json:"meaning"`
}

// Defaults is the table of every default of inventory.yaml, in the order of Explain.
func Defaults() []Default {
	return []Default{
		{"address", "the host's name", "ssh_config's HostName holds where it has one"},
		{"port", "22", "ssh_config's Port holds where it has one"},
		{"user", "", "ssh_config's User holds where it has one, else who runs patchring"},
		{"become", string(BecomeNone), "commands run as the user who logs in"},
		{"jump", "", "ssh_config's ProxyJump holds where it has one, else the connection is direct"},
		{"host_keys", "", "the site's known_hosts decides"},
		{"platform", "", "it is detected"},
		{"class", "", "it is detected"},
		{"criticality", "", "not said"},
		{"exposure", "", "not said"},
		{"unit", "", "the host is counted by itself"},
		{"via", "", "it depends on no device of the inventory, but for the bastions of its jump"},
		{"snapshots", "", "what its repositories no longer have comes from the controller's store alone"},
		{"keyrings", "", "digests of packages are the host's word; a patch set says so"},
		{"reboot_within", "", "20m for servers, until the host is back with its services started"},
		{"ssh_legacy", "", "old SSH algorithms are not used"},
		{"control_master", "", "patchring logs in itself"},
		{"serve", "", "no host pulls anything from here; images are pushed over SSH"},
		{"credentials.password", "", "no password login"},
		{"credentials.key", "", "the SSH agent, then ssh_config's IdentityFile, then the usual files in ~/.ssh"},
		{"credentials.passphrase", "", "keys with a passphrase are left to the agent"},
		{"credentials.become", "", "become needs no password"},
		{"credentials.enable", "", "no enable password"},
		{"site.timezone", "UTC", "the site's clock"},
		{"site.max_connections", "0", "the program's own limit holds"},
		{"site.owner", "", "nobody is named"},
		{"site.windows", "", "its hosts may be started at any time; a ring that names a window is refused"},
		{"site.freezes", "", "nothing is frozen, but for what a playbook says"},
		{"site.approvers", "", "nobody; a gate that asks for an approval is refused"},
		{"site.trust", "", "nothing must be signed; approvals are names that somebody typed, and say so"},
		{"site.budget", "", "no limit but those of the playbook's rings and of other budgets"},
		{"groups.budget", "", "no limit but those of the playbook's rings and of other budgets"},
		{"budgets", "", "no limit but those of the playbook's rings and of other budgets"},
	}
}
