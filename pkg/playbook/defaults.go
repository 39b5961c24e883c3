package playbook

import (
	"strconv"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
)

// testRing is the name that a single ring must have: nothing is proven before it.
const testRing name = "test"

const (
	defaultKind        = KindSecurity
	defaultReboot      = patch.RebootIfNeeded
	defaultOnFailure   = "halt"
	defaultMaxInFlight = 20
	defaultStatus      = 200
	defaultFrom        = health.FromHost
)

// Default is one line of the table of defaults.
type Default struct {
	Key     string `json:"key"`
	Value   string `json:"value"` // "" where nothing holds
	Meaning string `json:"meaning"`
}

// Defaults is the table of every default of a playbook, in the order of the file.
func Defaults() []Default {
	return []Default{
		{"patches.packages.kind", string(defaultKind), "security fixes only"},
		{"patches.packages.min_severity", "", "no minimum; an unknown severity always counts as in"},
		{"patches.packages.exclude", "", "nothing is left out"},
		{"patches.packages.exclude.owner", "", "nobody is named"},
		{"patches.packages.exclude.until", "", "it has no end"},
		{"rings.window", "any", "hosts may be started at any time"},
		{"rings.gate", "", "the ring before must be healthy, nothing more"},
		{"rings.batches", "[100%]", "the whole ring at once, as far as max_in_flight allows; the last size repeats"},
		{"rings.max_in_flight", strconv.Itoa(defaultMaxInFlight), "hosts worked on at once; never more than may still fail by failure_limit, and at least one"},
		{"rings.failure_limit", "0", "the first failure stops the ring, and so hosts are worked on one after the other"},
		{"reboot", string(defaultReboot), "a host reboots when its updates need it"},
		{"on_failure", defaultOnFailure, "no further host starts, and later rings stay closed"},
		{"checks", `[{hosts: "*", default_diff: true}]`, "only where the playbook has no checks at all"},
		{"checks.name", "", "made from what is asked"},
		{"checks.within", strconv.Itoa(int(health.DefaultWithin.Seconds())) + "s", "asked again until it passes or this time is over"},
		{"checks.tcp.from", string(defaultFrom), "the host itself asks"},
		{"checks.http.from", string(defaultFrom), "the host itself asks"},
		{"checks.http.status", strconv.Itoa(defaultStatus), "the status that is right"},
		{"checks.http.contains", "", "the body is not looked at"},
		{"checks.command.become", "false", "it runs as the user who logs in"},
	}
}
