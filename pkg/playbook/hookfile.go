package playbook

import (
	"time"

	"github.com/patchring/patchring/pkg/document"
)

// runYAML is what drains and hooks have in common.
type runYAML struct {
	Hosts  document.Value[string]                     `yaml:"hosts" doc:"pattern of the hosts for whose work it runs" flags:"required"`
	Name   document.Value[string]                     `yaml:"name" doc:"what people call it"`
	RunOn  document.Value[name]                       `yaml:"run_on" doc:"host (the one at work), controller, or another host of its site by name"`
	Argv   document.Value[[]document.Value[argument]] `yaml:"argv" doc:"the program, by its absolute path, and its arguments; no shell is between, and the host's name is in PATCHRING_HOST: argv: [/usr/local/bin/lbctl, drain]" flags:"required,raw" count:"1"`
	Within document.Value[time.Duration]              `yaml:"within" doc:"when it takes longer it has failed" min:"1s" max:"1d"`
	Become document.Value[bool]                       `yaml:"become" doc:"run it as root; not on the controller"`
}

type drainYAML struct {
	Undrain document.Value[[]document.Value[argument]] `yaml:"undrain" doc:"puts the host back into use, where the drain ran: undrain: [/usr/local/bin/lbctl, enable]" flags:"raw" count:"1"`
	Wait    document.Value[waitYAML]                   `yaml:"wait" doc:"until the host is really out of use: {idle: 5m}, or {argv: [...], within: 5m}"`
	When    document.Elsewhere                         `yaml:"when" doc:"a drain comes before the first change of the host; what should run at another time is a hook"`
	runYAML
}

// waitYAML asks again and again.
type waitYAML struct {
	Idle   document.Value[time.Duration]              `yaml:"idle" doc:"until no TCP connection from outside is left to listeners of the host's own network namespace, SSH's aside, for at most this long; UDP is not seen, and where containers, guests or IPVS are behind the host it can't be told: use argv there" min:"1s" max:"1d"`
	Argv   document.Value[[]document.Value[argument]] `yaml:"argv" doc:"until this exits 0; it runs where the drain did, and is asked again and again: a program by its absolute path that changes nothing" flags:"raw" count:"1"`
	Within document.Value[time.Duration]              `yaml:"within" doc:"for at most this long; with idle the time stands there: {idle: 5m}" with:"argv" min:"1s" max:"1d"`
}

// ExactlyOne tells document that there is one way to wait.
func (*waitYAML) ExactlyOne() []string { return []string{"idle", "argv"} }

type hookYAML struct {
	When    document.Value[HookAt] `yaml:"when" doc:"before the host is drained and touched, or after it is healthy and in use again" flags:"required" enum:"before|after"`
	Undrain document.Elsewhere     `yaml:"undrain" doc:"it belongs to an entry of drain"`
	runYAML
}

type silenceYAML struct {
	Hosts        document.Value[string]           `yaml:"hosts" doc:"pattern of the hosts whose alerts are kept quiet while they are at work" flags:"required"`
	Name         document.Value[string]           `yaml:"name" doc:"what people call it"`
	Alertmanager document.Value[alertmanagerYAML] `yaml:"alertmanager" doc:"{url: \"http://am:9093\", matchers: {instance: \"{{ .name }}\"}}"`
	Webhook      document.Value[webhookYAML]      `yaml:"webhook" doc:"gets a POST of JSON when a silence is set, extended and removed: {url: \"https://hooks.example/x\"}"`
	TTL          document.Value[time.Duration]    `yaml:"ttl" doc:"it ends by itself after this, unless it is extended" min:"1m" max:"1d"`
}

// ExactlyOne tells document that a silence goes to one place.
func (*silenceYAML) ExactlyOne() []string { return []string{"alertmanager", "webhook"} }

type alertmanagerYAML struct {
	URL      document.Value[serverURL]                            `yaml:"url" doc:"of the server, without /api/v2" flags:"required"`
	Matchers document.Map[document.Either[holed, matchRegexYAML]] `yaml:"matchers" doc:"which alerts: {instance: \"{{ .name }}\"}, or {instance: {regex: \"{{ .name }}(:[0-9]+)?\"}}; {{ .name }}, {{ .address }} and {{ .site }} are known" flags:"required" keys:"^[A-Za-z_][A-Za-z0-9_]*$"`
	Token    document.Value[ref]                                  `yaml:"token" doc:"where a bearer token is to be had: env:NAME, file:PATH, exec:COMMAND or prompt"`
}

// matchRegexYAML matches by a regular expression.
type matchRegexYAML struct {
	Regex document.Value[holedRegex] `yaml:"regex" doc:"a regular expression that must match the whole value" flags:"required"`
}

type webhookYAML struct {
	URL   document.Value[plainURL] `yaml:"url" doc:"where to POST; the host is in the body" flags:"required"`
	Token document.Value[ref]      `yaml:"token" doc:"where a bearer token is to be had: env:NAME, file:PATH, exec:COMMAND or prompt"`
}
