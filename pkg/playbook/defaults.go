package playbook

import (
	"strconv"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/schedule"
)

// testRing is the name that a single ring must have: nothing is proven before it.
const testRing name = "test"

const (
	defaultKind        = KindSecurity
	defaultReboot      = patch.RebootIfNeeded
	defaultOnFailure   = OnFailureHalt
	defaultRestart     = patch.RestartIfNeeded
	defaultMaxInFlight = 20
	defaultOutage      = patch.OutageNone
	defaultStatus      = 200
	defaultFrom        = health.FromHost

	defaultMaxGap    = 26 * time.Hour // a run every night, with two hours to spare
	defaultSuccesses = 1
	defaultCount     = 1
	defaultExpires   = 7 * 24 * time.Hour
	defaultInterval  = 5 * time.Minute
	defaultAnswer    = 30 * time.Second
	defaultHook      = 10 * time.Minute
	defaultTTL       = 30 * time.Minute

	// A soak is sampled so many times, but neither more nor less often than this.
	soakSamples     = 24
	minSoakInterval = time.Minute
	maxSoakInterval = time.Hour
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
		{"patches.image.outage", string(defaultOutage), "a device that would be down for a moment or longer is left alone"},
		{"patches.image.sha512", "", "sha256 must be there"},
		{"patches.image.sha256", "", "sha512 must be there"},
		{"rings.window", schedule.Any, "hosts may be started at any time"},
		{"rings.gate", "", "the ring before must be healthy, nothing more"},
		{"rings.gate.soak", "", "no soak: being healthy once is enough"},
		{"rings.gate.soak.interval", "1h", "a 24th of the soak, but not under 1m and not over this"},
		{"rings.gate.soak.max_gap", short(defaultMaxGap), "a longer time without a sample does not count as soaked"},
		{"rings.gate.soak.initial_delay", "0s", "no wait before the first sample; the end of the rings before counts as one"},
		{"rings.gate.soak.failure_limit", "0", "the first bad sample shuts the gate"},
		{"rings.gate.soak.consecutive_success_limit", strconv.Itoa(defaultSuccesses), "so many good samples in a row at the end"},
		{"rings.gate.approval", "", "nobody is asked"},
		{"rings.gate.approval.count", strconv.Itoa(defaultCount), "so many different people, none of whom started the rollout"},
		{"rings.gate.approval.expires", "7d", "an approval holds so long"},
		{"rings.gate.checks", "", "nothing more is asked"},
		{"rings.gate.checks.when", string(WhenBoth), "before the ring's first host and after its last"},
		{"rings.gate.checks.within", short(defaultAnswer), "no answer in this time is no yes"},
		{"rings.gate.checks.interval", short(defaultInterval), "time between measurements"},
		{"rings.gate.checks.initial_delay", "0s", "the first measurement is made at once"},
		{"rings.gate.checks.failure_limit", "0", "the first bad measurement shuts the gate"},
		{"rings.gate.checks.consecutive_success_limit", strconv.Itoa(defaultSuccesses), "so many good measurements in a row at the end"},
		{"rings.gate.checks.http.status", strconv.Itoa(defaultStatus), "the status that is right"},
		{"rings.gate.checks.http.contains", "", "the body is not looked at"},
		{"rings.gate.checks.prometheus.min", "", "no lower bound; max must be said then"},
		{"rings.gate.checks.prometheus.max", "", "no upper bound; min must be said then"},
		{"rings.gate.checks.prometheus.token", "", "it is asked without a login"},
		{"rings.gate.min_participation", "95%", "of the hosts of the rings before"},
		{"rings.gate.coverage", "", "no part is asked for; what no ring before has proven is left alone in any case"},
		{"rings.order", "", "all hosts of the ring are one step, but for bastions and what others depend on: last and alone"},
		{"rings.batches", "[100%]", "the whole ring at once, as far as max_in_flight allows; the last size repeats"},
		{"rings.max_in_flight", strconv.Itoa(defaultMaxInFlight), "hosts worked on at once; never more than may still fail by failure_limit, and at least one"},
		{"rings.failure_limit", "0", "the first failure stops the ring, and so hosts are worked on one after the other"},
		{"failure_limit", "", "only the rings have one"},
		{"urgent", "", "there is no such lane"},
		{"urgent.soak", "", "as the ring says"},
		{"urgent.window", "", "as the ring says"},
		{"urgent.approval", "", "as the ring says"},
		{"reboot", string(defaultReboot), "a host reboots when its updates need it"},
		{"restart", string(defaultRestart), "after the work, unless the host reboots; sshd last, and never what would cut the connection"},
		{"one_shot", "false", "a new kernel becomes the default at once, as the distribution does it"},
		{"repair", "false", "a host whose last transaction was cut fails before it is touched, with what to type"},
		{"on_failure", defaultOnFailure, "no further host starts past the failure limit, and later rings stay closed"},
		{"rollback_window", schedule.Any, "a failed host that can go back does so at once"},
		{"checks", `[{hosts: "*", default_diff: true}]`, "only where the playbook has no checks at all"},
		{"checks.name", "", "made from what is asked"},
		{"checks.within", strconv.Itoa(int(health.DefaultWithin.Seconds())) + "s", "asked again until it passes or this time is over"},
		{"checks.tcp.from", string(defaultFrom), "the host itself asks"},
		{"checks.http.from", string(defaultFrom), "the host itself asks"},
		{"checks.http.status", strconv.Itoa(defaultStatus), "the status that is right"},
		{"checks.http.contains", "", "the body is not looked at"},
		{"checks.command.become", "false", "it runs as the user who logs in"},
		{"drain", "", "hosts are patched while they are in use"},
		{"drain.name", "", "the program's name"},
		{"drain.run_on", OnHost, "the host at work itself"},
		{"drain.within", short(defaultHook), "a drain that takes longer has failed, and its host is not touched"},
		{"drain.become", "false", "it runs as the user who logs in"},
		{"drain.undrain", "", "nothing is run to put the host back into use"},
		{"drain.wait", "", "a drain has taken effect when its program has ended"},
		{"drain.wait.within", short(defaultHook), "for at most this long"},
		{"hooks", "", "nothing runs before or after"},
		{"hooks.name", "", "the program's name"},
		{"hooks.run_on", OnHost, "the host at work itself"},
		{"hooks.within", short(defaultHook), "a hook that takes longer has failed"},
		{"hooks.become", "false", "it runs as the user who logs in"},
		{"silences", "", "alerts about hosts at work are not kept quiet"},
		{"silences.name", "", "where it goes to"},
		{"silences.ttl", short(defaultTTL), "it ends by itself after this, unless it is extended"},
		{"silences.alertmanager.token", "", "no login"},
		{"silences.webhook.token", "", "no login"},
		{"freezes", "", "nothing is frozen, but for what a site says"},
	}
}
