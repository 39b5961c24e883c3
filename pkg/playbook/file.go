package playbook

import (
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
)

// fileYAML is a playbook. What may be written is what these types say; the JSON
// Schema is made from them too.
type fileYAML struct {
	Version   document.Value[int]              `yaml:"version" doc:"format of this file: write version: 1" flags:"required" min:"1" max:"1"`
	Name      document.Value[name]             `yaml:"name" doc:"name of the playbook, such as monthly" flags:"required"`
	Patches   document.Value[[]patchYAML]      `yaml:"patches" doc:"which updates, on which hosts: patches: [{hosts: \"*\", packages: {kind: security}}]" flags:"required" count:"1"`
	Rings     document.Value[[]ringYAML]       `yaml:"rings" doc:"the test ring first, then what follows: rings: [{name: test, hosts: test}, {name: production, hosts: production}]" flags:"required" count:"1"`
	Reboot    document.Value[patch.RebootRule] `yaml:"reboot" doc:"when to reboot" enum:"if_needed|always|never"`
	OnFailure document.Value[string]           `yaml:"on_failure" doc:"what a ring does past its failure limit" enum:"halt" later:"rollback" why:"this build can't roll back; write halt"`
	Checks    document.Value[[]checkYAML]      `yaml:"checks" doc:"name at least one check, or leave checks out: then default_diff is asked of every host" count:"1"`
	Urgent    document.Unsupported             `yaml:"urgent" doc:"this build has no urgent lane; remove it, and keep a playbook of its own for urgent fixes"`
	Drain     document.Unsupported             `yaml:"drain" doc:"this build can't drain; remove it only if these hosts may be patched under load"`
	Freezes   document.Unsupported             `yaml:"freezes" doc:"this build can't enforce freezes; remove it, and start no run in a freeze"`
	Windows   document.Unsupported             `yaml:"windows" doc:"this build can't enforce windows; remove it, and start runs when hosts may be touched"`
	MinAge    document.Unsupported             `yaml:"min_age" doc:"this build doesn't know how old a fix is; remove it"`
	MinPart   document.Unsupported             `yaml:"min_participation" doc:"this build doesn't enforce it; remove it: 95 % of a ring must have taken part before the next one opens"`
	Budget    document.Unsupported             `yaml:"budget" doc:"this build can't enforce budgets; remove it, and keep max_in_flight low"`
	Hosts     document.Elsewhere               `yaml:"hosts" doc:"patches, rings and checks each name their hosts"`
}

type patchYAML struct {
	Hosts    document.Value[string]       `yaml:"hosts" doc:"pattern, such as \"*\" or web:!web-03" flags:"required"`
	Packages document.Value[packagesYAML] `yaml:"packages" doc:"which updates of the package manager: packages: {kind: security}"`
	Image    document.Unsupported         `yaml:"image" doc:"this build installs no images; remove this entry"`
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
	Name         document.Value[name]       `yaml:"name" doc:"name of the ring" flags:"required"`
	Hosts        document.Value[string]     `yaml:"hosts" doc:"pattern, such as production or web:!web-03" flags:"required"`
	Window       document.Value[string]     `yaml:"window" doc:"when hosts may be started; this build knows only any" enum:"any" later:"*" why:"this build can't enforce windows; write any, and start runs when hosts may be touched"`
	Gate         document.Value[gateYAML]   `yaml:"gate" doc:"what must hold before the ring's first host is touched; the health of the ring before always must"`
	Batches      document.Value[[]sizeYAML] `yaml:"batches" doc:"how many hosts to start together, such as [1, 10%, 50%]; the last repeats" count:"1"`
	MaxInFlight  document.Value[int]        `yaml:"max_in_flight" doc:"the most hosts worked on at once" min:"1" max:"10000"`
	FailureLimit document.Value[limitYAML]  `yaml:"failure_limit" doc:"more failures than this stop the ring: 2 or 5%"`
	Order        document.Unsupported       `yaml:"order" doc:"this build doesn't order hosts within a ring; remove it, and make a ring of each step"`
	MinPart      document.Unsupported       `yaml:"min_participation" doc:"this build doesn't enforce it; remove it: 95 % of a ring must have taken part before the next one opens"`
	Soak         document.Unsupported       `yaml:"soak" doc:"this build can't soak; remove it, and pause the rollout between the rings"`
	Approval     document.Unsupported       `yaml:"approval" doc:"this build knows no approvals; remove it, and pause the rollout between the rings"`
	Budget       document.Unsupported       `yaml:"budget" doc:"this build can't enforce budgets; remove it, and keep max_in_flight low"`
	Urgent       document.Unsupported       `yaml:"urgent" doc:"this build has no urgent lane; remove it"`
}

// gateYAML may be empty: the health of the ring before is always asked.
type gateYAML struct {
	Soak     document.Unsupported `yaml:"soak" doc:"this build can't soak; remove it, and pause the rollout between the rings"`
	Approval document.Unsupported `yaml:"approval" doc:"this build knows no approvals; remove it, and pause the rollout between the rings"`
	MinPart  document.Unsupported `yaml:"min_participation" doc:"this build doesn't enforce it; remove it"`
	Checks   document.Unsupported `yaml:"checks" doc:"write the checks at the top: they are asked of every host after its patch"`
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
	DefaultDiff document.Value[bool]          `yaml:"default_diff" doc:"no new fault against the state before: failed units, lost listeners, mounts, default route, time sync"`
}

// ExactlyOne tells document that a check asks one question.
func (*checkYAML) ExactlyOne() []string {
	return []string{"service", "tcp", "http", "command", "disk", "load", "default_diff"}
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

// Schema is the JSON Schema of a playbook.
func Schema() []byte { return document.Schema("patchring playbook", fileYAML{}) }
