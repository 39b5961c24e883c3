package playbook

import (
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
)

// fileYAML is a playbook. What may be written is what these types say; the JSON
// Schema is made from them too.
type fileYAML struct {
	Version   document.Value[int]                    `yaml:"version" doc:"format of this file: write version: 1" flags:"required" min:"1" max:"1"`
	Name      document.Value[name]                   `yaml:"name" doc:"name of the playbook, such as monthly" flags:"required"`
	Patches   document.Value[[]patchYAML]            `yaml:"patches" doc:"which updates, on which hosts: patches: [{hosts: \"*\", packages: {kind: security}}]" flags:"required" count:"1"`
	Rings     document.Value[[]ringYAML]             `yaml:"rings" doc:"the test ring first, then what follows: rings: [{name: test, hosts: test}, {name: production, hosts: production}]" flags:"required" count:"1"`
	Reboot    document.Value[patch.RebootRule]       `yaml:"reboot" doc:"when to reboot" enum:"if_needed|always|never"`
	Restart   document.Value[patch.RestartRule]      `yaml:"restart" doc:"whether services that still use replaced libraries are restarted" enum:"if_needed|never"`
	OneShot   document.Value[bool]                   `yaml:"one_shot" doc:"a new kernel is booted once, with the former one to fall back to, and becomes the default when it has come up (GRUB with GRUB_DEFAULT=saved)"`
	Repair    document.Value[bool]                   `yaml:"repair" doc:"put right a package transaction that was cut, before the work on a host"`
	OnFailure document.Value[string]                 `yaml:"on_failure" doc:"what becomes of a host that has failed for sure; past its failure limit the ring stops in any case" enum:"halt|rollback"`
	BackIn    document.Value[name]                   `yaml:"rollback_window" doc:"when a rollback may begin by itself: the name of a window of the site, or any"`
	Checks    document.Value[[]checkYAML]            `yaml:"checks" doc:"name at least one check, or leave checks out: then default_diff is asked of every host" count:"1"`
	Limit     document.Value[limitYAML]              `yaml:"failure_limit" doc:"more failures than this, of all hosts with work, stop the rollout: 2 or 5%"`
	Urgent    document.Value[urgentYAML]             `yaml:"urgent" doc:"the lane for known-exploited fixes: same rings, same order, and these instead of what the rings say"`
	Drain     document.Value[[]drainYAML]            `yaml:"drain" doc:"how hosts are taken out of use before they are touched: drain: [{hosts: web, run_on: lb1, argv: [...]}]"`
	Hooks     document.Value[[]hookYAML]             `yaml:"hooks" doc:"programs that run before or after the work on a host: hooks: [{hosts: db, when: before, argv: [...]}]"`
	Silences  document.Value[[]silenceYAML]          `yaml:"silences" doc:"keep alerts about a host quiet while it is at work"`
	Freezes   document.Value[[]inventory.FreezeYAML] `yaml:"freezes" doc:"when no host is started, whatever the window says; on each site's clock, beside the site's own"`
	MinAge    document.Unsupported                   `yaml:"min_age" doc:"this build doesn't know how old a fix is; remove it"`
	Windows   document.Elsewhere                     `yaml:"windows" doc:"windows belong to a site, in the inventory; a ring names one: {window: weekend}"`
	Window    document.Elsewhere                     `yaml:"window" doc:"each ring names its own: rings: [{name: production, window: weekend}]"`
	Gate      document.Elsewhere                     `yaml:"gate" doc:"each ring has its own: rings: [{name: production, gate: {soak: 48h}}]"`
	Soak      document.Elsewhere                     `yaml:"soak" doc:"it belongs to a ring's gate: {gate: {soak: 48h}}"`
	Approval  document.Elsewhere                     `yaml:"approval" doc:"it belongs to a ring's gate: {gate: {approval: {approvers: board}}}"`
	Approvers document.Elsewhere                     `yaml:"approvers" doc:"approvers belong to a site, in the inventory; a gate names the list: {approval: {approvers: board}}"`
	MinPart   document.Elsewhere                     `yaml:"min_participation" doc:"it belongs to a ring's gate: {gate: {min_participation: 95%}}"`
	Order     document.Elsewhere                     `yaml:"order" doc:"each ring has its own: rings: [{name: production, order: [core, web]}]"`
	Budget    document.Elsewhere                     `yaml:"budget" doc:"budgets stand in the inventory: groups: {web: {budget: {max_unavailable: 1}}}"`
	Budgets   document.Elsewhere                     `yaml:"budgets" doc:"budgets stand in the inventory: budgets: [{hosts: PATTERN, max_unavailable: 1}]"`
	Undrain   document.Elsewhere                     `yaml:"undrain" doc:"it belongs to an entry of drain: {hosts: web, argv: [...], undrain: [...]}"`
	Hosts     document.Elsewhere                     `yaml:"hosts" doc:"patches, rings and checks each name their hosts"`
}

type patchYAML struct {
	Hosts    document.Value[string]       `yaml:"hosts" doc:"pattern, such as \"*\" or web:!web-03" flags:"required"`
	Packages document.Value[packagesYAML] `yaml:"packages" doc:"which updates of the package manager: packages: {kind: security}"`
	Image    document.Value[imageYAML]    `yaml:"image" doc:"the image that network gear, load balancers and other devices get: image: {version: 17.12.4, file: images/a.bin, sha512: ..., models: [\"C9300*\"]}"`
}

// ExactlyOne tells document that an entry is about packages or an image.
func (*patchYAML) ExactlyOne() []string { return []string{"packages", "image"} }

type packagesYAML struct {
	Kind        document.Value[Kind]           `yaml:"kind" doc:"which updates" enum:"security|bugfix|all"`
	MinSeverity document.Value[patch.Severity] `yaml:"min_severity" doc:"leave out what is known to be less severe" enum:"low|moderate|important|critical"`
	Exclude     document.Value[[]excludeYAML]  `yaml:"exclude" doc:"packages to leave alone"`
	MinAge      document.Unsupported           `yaml:"min_age" doc:"this build doesn't know how old a fix is; remove it"`
}

type excludeYAML struct {
	Package document.Value[packageGlob] `yaml:"package" doc:"name of the package; * and ? stand for any text and character" flags:"required"`
	Reason  document.Value[string]      `yaml:"reason" doc:"say why: it stands in every plan and report" flags:"required"`
	Owner   document.Value[string]      `yaml:"owner" doc:"who asked for it"`
	Until   document.Value[day]         `yaml:"until" doc:"last day on which it holds: 2027-02-01"`
}

type ringYAML struct {
	Name         document.Value[name]                     `yaml:"name" doc:"name of the ring" flags:"required"`
	Hosts        document.Value[string]                   `yaml:"hosts" doc:"pattern, such as production or web:!web-03" flags:"required"`
	Window       document.Value[name]                     `yaml:"window" doc:"when hosts may be started: the name of a window of the site, or any"`
	Gate         document.Value[gateYAML]                 `yaml:"gate" doc:"what must hold before the ring's first host is touched; the health of the ring before always must"`
	Batches      document.Value[[]sizeYAML]               `yaml:"batches" doc:"how many units to start together, such as [1, 10%, 50%]; the last repeats" count:"1"`
	MaxInFlight  document.Value[int]                      `yaml:"max_in_flight" doc:"the most hosts worked on at once" min:"1" max:"10000"`
	FailureLimit document.Value[limitYAML]                `yaml:"failure_limit" doc:"more failures than this stop the ring: 2 or 5%"`
	Order        document.Value[[]document.Value[string]] `yaml:"order" doc:"patterns: hosts of the first are done before those of the next, and the rest comes last: [core, web]" count:"1"`
	MinPart      document.Elsewhere                       `yaml:"min_participation" doc:"it belongs to the gate: {gate: {min_participation: 95%}}"`
	Soak         document.Elsewhere                       `yaml:"soak" doc:"it belongs to the gate: {gate: {soak: 48h}}"`
	Approval     document.Elsewhere                       `yaml:"approval" doc:"it belongs to the gate: {gate: {approval: {approvers: board}}}"`
	Budget       document.Elsewhere                       `yaml:"budget" doc:"budgets stand in the inventory: groups: {web: {budget: {max_unavailable: 1}}}"`
	Urgent       document.Elsewhere                       `yaml:"urgent" doc:"the urgent lane is the same for all rings: write it at the top"`
	Drain        document.Elsewhere                       `yaml:"drain" doc:"write it at the top: drain: [{hosts: web, argv: [...]}]"`
	Freezes      document.Elsewhere                       `yaml:"freezes" doc:"a freeze holds for all rings: write it at the top"`
}

type checkYAML struct {
	Hosts       document.Value[string]        `yaml:"hosts" doc:"pattern of the hosts that are asked" flags:"required"`
	Name        document.Value[string]        `yaml:"name" doc:"what people call it"`
	Within      document.Value[time.Duration] `yaml:"within" doc:"asked again until it passes, for at most this long: 60s" min:"1s" max:"1d"`
	Service     document.Value[unit]          `yaml:"service" doc:"a systemd unit that must be active"`
	TCP         document.Value[tcpYAML]       `yaml:"tcp" doc:"an open port: {port: 443}"`
	HTTP        document.Value[httpYAML]      `yaml:"http" doc:"an answer: {url: \"https://{{ .address }}/healthz\"}"`
	Command     document.Value[commandYAML]   `yaml:"command" doc:"a command that must exit 0: {argv: [/usr/local/bin/smoke]}"`
	Disk        document.Value[diskYAML]      `yaml:"disk" doc:"free space: {path: /var, min_free: 10%}"`
	Load        document.Value[loadYAML]      `yaml:"load" doc:"load average of a minute, per processor: {max: 1.5}"`
	Conffiles   document.Value[conffilesYAML] `yaml:"conffiles" doc:"nothing that a package manager left beside the admin's files waits to be merged (.dpkg-dist, .rpmnew, .pacnew and the like): {paths: [/etc/nginx]}"`
	DefaultDiff document.Value[bool]          `yaml:"default_diff" doc:"no new fault against the state before: failed units, lost listeners, mounts, default route, time sync, BGP neighbours (FRR); of a device also its configuration, ports and routes"`
}

// ExactlyOne tells document that a check asks one question.
func (*checkYAML) ExactlyOne() []string {
	return []string{"service", "tcp", "http", "command", "disk", "load", "conffiles", "default_diff"}
}

type tcpYAML struct {
	Port    document.Value[int]         `yaml:"port" doc:"a port of the host itself" min:"1" max:"65535"`
	Address document.Value[hostPort]    `yaml:"address" doc:"host:port; without host it is the host itself"`
	From    document.Value[health.From] `yaml:"from" doc:"who asks" enum:"host|controller"`
}

// ExactlyOne tells document that a port is named in one way.
func (*tcpYAML) ExactlyOne() []string { return []string{"port", "address"} }

type httpYAML struct {
	URL      document.Value[webAddress]    `yaml:"url" doc:"may hold {{ .address }}, {{ .name }} and {{ .site }}" flags:"required"`
	Status   document.Value[int]           `yaml:"status" doc:"the status that is right" min:"100" max:"599"`
	Contains document.Value[string]        `yaml:"contains" doc:"text that the body must hold"`
	From     document.Value[health.From]   `yaml:"from" doc:"who asks" enum:"host|controller"`
	Within   document.Value[time.Duration] `yaml:"within" doc:"the same as the check's own within" min:"1s" max:"1d"`
}

type commandYAML struct {
	Argv   document.Value[[]document.Value[string]] `yaml:"argv" doc:"the program and its arguments; no shell is between: argv: [/usr/local/bin/smoke, --fast]" flags:"required,raw" count:"1"`
	Become document.Value[bool]                     `yaml:"become" doc:"run it as root"`
}

type diskYAML struct {
	Path    document.Value[absolutePath] `yaml:"path" doc:"a file system's mount point or any path in it" flags:"required"`
	MinFree document.Value[free]         `yaml:"min_free" doc:"10% or 500MiB" flags:"required"`
}

type loadYAML struct {
	Max document.Value[float64] `yaml:"max" doc:"times the number of processors" flags:"required" min:"0.01" max:"1000"`
}

type conffilesYAML struct {
	Paths document.Value[[]document.Value[absolutePath]] `yaml:"paths" doc:"a folder with all below it, or a file; looked at as root, and one that is not there holds nothing: [/etc/nginx, /etc/ssh/sshd_config]" flags:"required" count:"1"`
}

// Schema is the JSON Schema of a playbook.
func Schema() []byte { return document.Schema("patchring playbook", fileYAML{}) }
