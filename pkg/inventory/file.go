package inventory

import (
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
)

// fileYAML is inventory.yaml. What may be written is what these types say; the JSON
// Schema is made from them too.
type fileYAML struct {
	Version   document.Value[int]                                      `yaml:"version" doc:"format of this file: write version: 1" flags:"required" min:"1" max:"1"`
	Defaults  document.Value[defaultsYAML]                             `yaml:"defaults" doc:"settings of every host that nothing nearer says otherwise"`
	Hosts     document.Map[hostYAML]                                   `yaml:"hosts" doc:"all hosts, where there is only one site (it is named default)" keys:"^[A-Za-z0-9_\\[][A-Za-z0-9_.:\\[\\]-]*$"`
	Sites     document.Map[siteYAML]                                   `yaml:"sites" doc:"places or clients, each with its hosts" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"`
	Groups    document.Map[groupYAML]                                  `yaml:"groups" doc:"settings and children of groups; hosts name their groups themselves" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"`
	Budgets   document.Value[[]budgetsYAML]                            `yaml:"budgets" doc:"the most units of any pattern that may be out at once: budgets: [{hosts: \"tier=db\", max_unavailable: 1}]" count:"1"`
	Timezone  document.Value[zone]                                     `yaml:"timezone" doc:"with sites, each site has its own timezone: write it there" with:"hosts"`
	MaxConns  document.Value[int]                                      `yaml:"max_connections" doc:"with sites, each site has its own max_connections: write it there" with:"hosts" min:"1" max:"10000"`
	Owner     document.Value[string]                                   `yaml:"owner" doc:"with sites, each site has its own owner: write it there" with:"hosts"`
	Windows   document.Map[document.Many[windowYAML]]                  `yaml:"windows" doc:"when hosts may be started, by name: {weekend: {days: [sat, sun], start: \"22:00\", length: 6h}}; with sites, each site has its own" with:"hosts" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]*$" count:"1"`
	Freezes   document.Value[[]FreezeYAML]                             `yaml:"freezes" doc:"when no host is started, whatever the window says; with sites, each site has its own" with:"hosts"`
	Approvers document.Map[document.Value[[]document.Value[approver]]] `yaml:"approvers" doc:"lists of people, by name: {board: [jane@hq.example]}; with sites, each site has its own" with:"hosts" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]*$" count:"1"`
	Budget    document.Value[budgetYAML]                               `yaml:"budget" doc:"the most units of all that may be out at once: {max_unavailable: 10%}; with sites, each site has its own" with:"hosts"`
	Trust     document.Value[trustYAML]                                `yaml:"trust" doc:"whose signatures count, and what must be signed; with sites, each site has its own" with:"hosts"`
	Jump      document.Elsewhere                                       `yaml:"jump" doc:"write it in defaults: {jump: [...]}"`
	User      document.Elsewhere                                       `yaml:"user" doc:"write it in defaults: {user: NAME}"`
	Become    document.Elsewhere                                       `yaml:"become" doc:"write it in defaults: {become: sudo}"`
	Window    document.Elsewhere                                       `yaml:"window" doc:"write windows: {weekend: {days: [sat, sun], start: \"22:00\", length: 6h}}, and its name in the playbook's rings"`
}

// ExactlyOne tells document that hosts stand in sites or at the top, not both.
func (*fileYAML) ExactlyOne() []string { return []string{"hosts", "sites"} }

type siteYAML struct {
	Timezone  document.Value[zone]                                     `yaml:"timezone" doc:"IANA name, such as Europe/London"`
	MaxConns  document.Value[int]                                      `yaml:"max_connections" doc:"the most SSH connections open to this site at once" min:"1" max:"10000"`
	Owner     document.Value[string]                                   `yaml:"owner" doc:"who answers for the site"`
	Hosts     document.Map[hostYAML]                                   `yaml:"hosts" doc:"the hosts of this site; a name may hold ranges: web-[01:04]" keys:"^[A-Za-z0-9_\\[][A-Za-z0-9_.:\\[\\]-]*$"`
	Windows   document.Map[document.Many[windowYAML]]                  `yaml:"windows" doc:"when hosts may be started, by name; a playbook's rings name one of them" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]*$" count:"1"`
	Freezes   document.Value[[]FreezeYAML]                             `yaml:"freezes" doc:"when no host is started, whatever the window says"`
	Approvers document.Map[document.Value[[]document.Value[approver]]] `yaml:"approvers" doc:"lists of people, by name; a playbook's gates name one of them: approvers: {board: [jane@hq.example]}" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]*$" count:"1"`
	Budget    document.Value[budgetYAML]                               `yaml:"budget" doc:"the most units of the whole site that may be out at once: {max_unavailable: 10%}"`
	Trust     document.Value[trustYAML]                                `yaml:"trust" doc:"whose signatures count, and what must be signed: {allowed_signers: FILE, signed: [approvals, checkpoints]}"`
	Unit      document.Elsewhere                                       `yaml:"unit" doc:"a unit is a pair, stack or cluster: write it at its hosts, or at a group that holds nothing else"`
	Via       document.Elsewhere                                       `yaml:"via" doc:"write it at the hosts behind the device, or at a group of them"`
	commonYAML
}

// defaultsYAML is what holds everywhere; units and paths are not.
type defaultsYAML struct {
	Unit document.Elsewhere `yaml:"unit" doc:"a unit is a pair, stack or cluster: write it at its hosts, or at a group that holds nothing else"`
	Via  document.Elsewhere `yaml:"via" doc:"write it at the hosts behind the device, or at a group of them"`
	commonYAML
}

type groupYAML struct {
	Children document.Value[[]document.Value[string]] `yaml:"children" doc:"groups that are part of this one"`
	Budget   document.Value[budgetYAML]               `yaml:"budget" doc:"the most units of the group that may be out at once, in each site: {max_unavailable: 1}"`
	Hosts    document.Elsewhere                       `yaml:"hosts" doc:"a host is defined once, in hosts; there it names its groups: {groups: [web]}"`
	Vars     document.Elsewhere                       `yaml:"vars" doc:"write the settings directly into the group"`
	commonYAML
}

// budgetYAML is the budget of a group or a site.
type budgetYAML struct {
	Most document.Value[most] `yaml:"max_unavailable" doc:"a number of units (1), or a part of them (25%); one is always allowed" flags:"required"`
}

// budgetsYAML is the budget of any pattern.
type budgetsYAML struct {
	Hosts document.Value[string] `yaml:"hosts" doc:"pattern, such as tier=db; the hosts of each site are counted apart" flags:"required"`
	budgetYAML
}

type hostYAML struct {
	Address document.Value[address]                  `yaml:"address" doc:"IP address or DNS name; left out: the host's name. May hold a range when the name does"`
	Groups  document.Value[[]document.Value[string]] `yaml:"groups" doc:"groups of the host"`
	Host    document.Elsewhere                       `yaml:"host" doc:"write address"`
	Name    document.Elsewhere                       `yaml:"hostname" doc:"write address"`
	IP      document.Elsewhere                       `yaml:"ip" doc:"write address"`
	AHost   document.Elsewhere                       `yaml:"ansible_host" doc:"write address"`
	APort   document.Elsewhere                       `yaml:"ansible_port" doc:"write port"`
	AUser   document.Elsewhere                       `yaml:"ansible_user" doc:"write user"`
	commonYAML
}

// commonYAML is what every level may say.
type commonYAML struct {
	Port        document.Value[int]                           `yaml:"port" doc:"TCP port of the SSH server" min:"1" max:"65535"`
	User        document.Value[user]                          `yaml:"user" doc:"whom to log in as"`
	Become      document.Value[Become]                        `yaml:"become" doc:"how to get root; enable: the higher level of a device's command line" enum:"none|sudo|doas|su|enable"`
	Jump        document.Value[[]document.Value[hop]]         `yaml:"jump" doc:"chain of bastions, nearest first: [user@]host[:port]; [] is none"`
	HostKeys    document.Value[[]document.Value[fingerprint]] `yaml:"host_keys" doc:"pinned host keys, any of which is right: SHA256:... (ssh-keygen -lf)"`
	Platform    document.Value[platformName]                  `yaml:"platform" doc:"the driver, such as debian; left out: detected"`
	Class       document.Value[fact.Class]                    `yaml:"class" doc:"what kind of thing it is" enum:"server|load_balancer|storage|appliance|network"`
	Criticality document.Value[string]                        `yaml:"criticality" doc:"how bad an outage is" enum:"low|medium|high|critical"`
	Exposure    document.Value[string]                        `yaml:"exposure" doc:"who can reach it" enum:"internal|internet"`
	Credentials document.Value[credentialsYAML]               `yaml:"credentials" doc:"where secrets are to be had: env:NAME, file:PATH, exec:COMMAND, keyring:SERVICE/ACCOUNT, age:PATH, sops:PATH#KEY, ansible-vault:PATH or prompt"`
	Labels      document.Map[document.Value[labelValue]]      `yaml:"labels" doc:"free key: value pairs, to select hosts by label=value" keys:"^[A-Za-z0-9_][A-Za-z0-9_./-]*$"`
	Unit        document.Value[unitName]                      `yaml:"unit" doc:"the pair, stack or cluster of the site that the host is a member of: budgets and batches count it as one"`
	Via         document.Value[[]document.Value[string]]      `yaml:"via" doc:"hosts of the site on whose path this one depends: they are worked on after it, alone; [] is none"`
	Snapshots   document.Value[[]document.Value[archive]]     `yaml:"snapshots" doc:"archives of old package versions: addresses below which a repository's tree lies, {time} standing for the time of the plan: https://snapshot.example/debian/{time}/; [] is none"`
	Keyrings    document.Value[[]document.Value[keyringPath]] `yaml:"keyrings" doc:"files with the public keys of the repositories' signers: then digests in a patch set come from their signed index; [] is none"`
	RebootTime  document.Value[time.Duration]                 `yaml:"reboot_within" doc:"how long a reboot may take, until the host is back whole" min:"1m" max:"4h"`
	SSHLegacy   document.Value[[]document.Value[legacy]]      `yaml:"ssh_legacy" doc:"old SSH algorithms that may be used where nothing better is in common, for devices that have no others; [] is none"`
	Master      document.Value[masterPath]                    `yaml:"control_master" doc:"socket of your own OpenSSH master connection, which is used instead of logging in: a path with %h, %p, %r, %n, or ssh_config for what ControlPath says there; none is none"`
	Serve       document.Value[serving]                       `yaml:"serve" doc:"address of this controller that the host can reach: ADDRESS or ADDRESS:PORT. There patchring serves an image by HTTP while the host pulls it"`
	Budget      document.Elsewhere                            `yaml:"budget" doc:"a budget belongs to a group, a site or a pattern: groups: {web: {budget: {max_unavailable: 1}}}, or budgets: [{hosts: PATTERN, max_unavailable: 1}]"`
	Windows     document.Elsewhere                            `yaml:"windows" doc:"windows belong to a site: write them there; a playbook's ring names the one it keeps to"`
	Window      document.Elsewhere                            `yaml:"window" doc:"a playbook's ring names its window; here, a site has windows: {weekend: {days: [sat, sun], start: \"22:00\", length: 6h}}"`
	Freezes     document.Elsewhere                            `yaml:"freezes" doc:"freezes belong to a site or a playbook: write them there"`
	Approvers   document.Elsewhere                            `yaml:"approvers" doc:"approvers belong to a site: write them there; a playbook's gate names the list"`
	Quarantine  document.Elsewhere                            `yaml:"quarantine" doc:"say it to patchring, which keeps it in the state folder: patchring quarantine HOST --until DATE --reason TEXT"`
	MinPart     document.Elsewhere                            `yaml:"min_participation" doc:"write it in a gate of the playbook: gate: {min_participation: 95%}"`
	KnownHosts  document.Unsupported                          `yaml:"known_hosts" doc:"each site has its own known_hosts in the state folder; remove it, and pin keys with host_keys"`
	KeyAliases  document.Unsupported                          `yaml:"host_key_aliases" doc:"pin the key with host_keys instead"`
	Password    document.Elsewhere                            `yaml:"password" doc:"write credentials: {password: env:NAME}; never the password itself"`
	BecomePass  document.Elsewhere                            `yaml:"become_password" doc:"write credentials: {become: env:NAME}; never the password itself"`
	Key         document.Elsewhere                            `yaml:"key" doc:"write credentials: {key: PATH}"`
	KeyFile     document.Elsewhere                            `yaml:"identity_file" doc:"write credentials: {key: PATH}"`
	Bastion     document.Elsewhere                            `yaml:"bastion" doc:"write jump: [user@host]"`
	ProxyJump   document.Elsewhere                            `yaml:"proxy_jump" doc:"write jump: [user@host]"`
}

type credentialsYAML struct {
	Password   document.Value[ref]     `yaml:"password" doc:"SSH password"`
	Key        document.Value[keyPath] `yaml:"key" doc:"path of the private key"`
	Passphrase document.Value[ref]     `yaml:"passphrase" doc:"passphrase of the private key"`
	Become     document.Value[ref]     `yaml:"become" doc:"password for sudo, doas or su"`
	Enable     document.Value[ref]     `yaml:"enable" doc:"enable password of network gear"`
}

// Schema is the JSON Schema of inventory.yaml.
func Schema() []byte { return document.Schema("patchring inventory", fileYAML{}) }
