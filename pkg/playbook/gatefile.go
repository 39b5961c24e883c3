package playbook

import (
	"time"

	"github.com/patchring/patchring/pkg/document"
)

// gateYAML may be empty: the health of the ring before is always asked.
type gateYAML struct {
	Soak     document.Either[time.Duration, soakYAML] `yaml:"soak" doc:"how long the rings before must stay healthy: 48h, or {for: 48h, interval: 1h}" min:"1s"`
	Approval document.Value[approvalYAML]             `yaml:"approval" doc:"by people of a list in the site: {approvers: board}"`
	Checks   document.Value[[]inquiryYAML]            `yaml:"checks" doc:"questions of your own, asked from the controller: [{name: errors, prometheus: {...}}]"`
	MinPart  document.Value[percent]                  `yaml:"min_participation" doc:"the part of the rings before that must have taken part: 95%"`
	Coverage document.Value[percent]                  `yaml:"coverage" doc:"the part of this ring's updates that a ring before must have proven: 80%"`
	Window   document.Elsewhere                       `yaml:"window" doc:"it belongs to the ring: {name: production, window: weekend}"`
}

type soakYAML struct {
	For    document.Value[time.Duration] `yaml:"for" doc:"how long the rings before must stay healthy: {for: 48h}" flags:"required" min:"1s"`
	MaxGap document.Value[time.Duration] `yaml:"max_gap" doc:"a longer time without a sample counts as unknown" min:"1s"`
	paceYAML
}

// paceYAML has the names that Argo Rollouts gives them.
type paceYAML struct {
	InitialDelay document.Value[time.Duration] `yaml:"initial_delay" doc:"the first measurement comes this much later"`
	Interval     document.Value[time.Duration] `yaml:"interval" doc:"time between measurements" min:"1s"`
	FailureLimit document.Value[int]           `yaml:"failure_limit" doc:"more failed measurements than this shut the gate" min:"0" max:"1000"`
	Successes    document.Value[int]           `yaml:"consecutive_success_limit" doc:"so many good measurements in a row are needed" min:"1" max:"1000"`
}

type approvalYAML struct {
	Approvers document.Value[name]          `yaml:"approvers" doc:"name of a list in the site: sites: {hq: {approvers: {board: [jane@hq.example]}}}" flags:"required"`
	Count     document.Value[int]           `yaml:"count" doc:"how many different people" min:"1" max:"100"`
	Expires   document.Value[time.Duration] `yaml:"expires" doc:"how long one approval holds" min:"1m" max:"366d"`
}

// inquiryYAML is asked from the controller about the world, not about one host.
type inquiryYAML struct {
	Name       document.Value[name]           `yaml:"name" doc:"what people call it" flags:"required"`
	When       document.Value[When]           `yaml:"when" doc:"before the ring's first host, after its last, or both" enum:"before|after|both"`
	Within     document.Value[time.Duration]  `yaml:"within" doc:"a single answer takes at most this long" min:"1s" max:"1d"`
	Command    document.Value[programYAML]    `yaml:"command" doc:"a program on the controller that must exit 0: {argv: [/usr/local/bin/change-open]}"`
	HTTP       document.Value[pageYAML]       `yaml:"http" doc:"an answer: {url: \"https://shop.example/healthz\"}"`
	Prometheus document.Value[prometheusYAML] `yaml:"prometheus" doc:"a query: {url: \"http://prom:9090\", query: \"sum(rate(errors[5m]))\", max: 0.01}"`
	Hosts      document.Elsewhere             `yaml:"hosts" doc:"a gate's check is about the world; what each host is asked stands in checks at the top"`
	paceYAML
}

// ExactlyOne tells document that a check asks one question.
func (*inquiryYAML) ExactlyOne() []string { return []string{"command", "http", "prometheus"} }

type programYAML struct {
	Argv   document.Value[[]document.Value[argument]] `yaml:"argv" doc:"the program, by its absolute path, and its arguments; no shell is between: argv: [/usr/local/bin/change-open]" flags:"required,raw" count:"1"`
	Become document.Elsewhere                         `yaml:"become" doc:"a gate's command runs on the controller, as you"`
}

type pageYAML struct {
	URL      document.Value[plainURL] `yaml:"url" doc:"the same for all hosts, so without {{ }}" flags:"required"`
	Status   document.Value[int]      `yaml:"status" doc:"the status that is right" min:"100" max:"599"`
	Contains document.Value[string]   `yaml:"contains" doc:"text that the body must hold"`
	From     document.Elsewhere       `yaml:"from" doc:"a gate's checks are asked from the controller"`
}

type prometheusYAML struct {
	URL   document.Value[serverURL] `yaml:"url" doc:"of the server, without /api/v1/query" flags:"required"`
	Query document.Value[string]    `yaml:"query" doc:"an instant query; every sample of its answer must be within min and max" flags:"required,raw"`
	Min   document.Value[float64]   `yaml:"min" doc:"the least value that is right"`
	Max   document.Value[float64]   `yaml:"max" doc:"the greatest value that is right"`
	Token document.Value[ref]       `yaml:"token" doc:"where a bearer token is to be had: env:NAME, file:PATH, exec:COMMAND or prompt"`
}

// AtLeastOne tells document that there is a bound: without any, every answer would be right.
func (*prometheusYAML) AtLeastOne() []string { return []string{"min", "max"} }

// urgentYAML replaces parts of every ring.
type urgentYAML struct {
	Soak     document.Value[time.Duration] `yaml:"soak" doc:"instead of what the rings say; 0s is none"`
	Window   document.Value[name]          `yaml:"window" doc:"the name of a window of the site, or any"`
	Approval document.Value[approvalYAML]  `yaml:"approval" doc:"instead of what the rings say"`
}
