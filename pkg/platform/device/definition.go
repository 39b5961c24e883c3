package device

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/document"
)

// Definition is one platform's file: definitions/NAME.yaml, or of the folder that a user
// names. It holds facts (patterns, commands, questions, times) and no flow: the order,
// loops over members, reconnecting, deadlines and verdicts are named workflows in Go.
// Patterns are RE2, in multi-line mode; a carriage return never reaches them.
type Definition struct {
	Name   string   `yaml:"name" flags:"required" doc:"the platform's name: cisco_iosxe"`
	Title  string   `yaml:"title" flags:"required" doc:"as people call it: Cisco IOS-XE"`
	Vendor string   `yaml:"vendor" flags:"required" doc:"who makes it, in lower case: cisco"`
	Class  string   `yaml:"class" flags:"required" enum:"server|load_balancer|storage|appliance|network"`
	Proof  string   `yaml:"proof" flags:"required" doc:"what this file rests on" enum:"real|recorded|simulated|vendor_document|unproven"`
	Rests  Rests    `yaml:"rests" doc:"what single parts of detection rest on, where that is not proof"`
	Order  string   `yaml:"order" doc:"how its versions are ordered: a scheme of package version"`
	Match  Match    `yaml:"match" flags:"required" doc:"how it is told from others"`
	Refuse []Refuse `yaml:"refuse" doc:"what is recognised, and must not be upgraded over SSH"`
	// Why says why it is not upgraded, where Upgrade is empty.
	Why       string                   `yaml:"why" doc:"why it is not upgraded over SSH"`
	Session   Session                  `yaml:"session" doc:"how its command line talks"`
	Facts     Facts                    `yaml:"facts" doc:"where what is known of it stands"`
	BootTime  []BootTime               `yaml:"boot_time" doc:"how to tell when it came up"`
	Space     []Space                  `yaml:"space" doc:"how to tell the room on its file systems"`
	Hash      []Hash                   `yaml:"hash" doc:"how it computes a file's digest, best first"`
	Unhashed  string                   `yaml:"unhashed" doc:"why it has no such command: it checks the vendor's signature itself"`
	Transfer  []Transfer               `yaml:"transfer" doc:"how a file gets there, best first"`
	Questions document.Map[[]Question] `yaml:"questions" doc:"by the name of the upgrade's command, what it may ask"`
	Save      []Save                   `yaml:"save" doc:"how its configuration is saved on it, read, and compared"`
	Upgrade   []Upgrade                `yaml:"upgrade" doc:"how its software is replaced; the first whose when holds"`
	// Reads are beginnings of further commands, of two words at least, that change nothing.
	Reads []string            `yaml:"reads" doc:"beginnings of commands that only read, where the first word does not show it: request system software info"`
	State document.Map[Table] `yaml:"state" doc:"what is compared before and after: neighbours, ports, routes"`
}

// Match tells a platform from others. At least one probe must hold, and every refusal of
// a pattern (none) too: a prompt, an identification or a banner alone is never enough.
type Match struct {
	SSHIdent string  `yaml:"ssh_ident" is:"pattern" doc:"pattern of the server's identification line; where it is given and does not match, it is not this"`
	Hint     string  `yaml:"hint" is:"pattern" doc:"pattern of the identification line, banner, prompt or an error message that makes it worth asking first"`
	Prompt   string  `yaml:"prompt" is:"pattern" doc:"pattern of its prompt; weak"`
	Shell    bool    `yaml:"shell" doc:"it answers a POSIX shell on an exec channel: the probes are commands for that"`
	Probes   []Probe `yaml:"probes" flags:"required" count:"1" doc:"commands that only read; the first that holds is enough"`
	// Over names platforms that this one is a special case of: where both match, it wins.
	Over []string `yaml:"over" doc:"platforms that match too, and are less special"`
}

// Probe is a read-only command and what its output must and must not have.
type Probe struct {
	Cmd string `yaml:"cmd" is:"command" flags:"required"`
	// Prompt is of the probes for another command line than the platform's own: at such a
	// prompt they alone are asked, and nowhere else.
	Prompt string   `yaml:"prompt" is:"pattern" doc:"the prompt at which alone it is asked: a shell's that the user may have instead of the platform's own command line"`
	All    []string `yaml:"all" is:"pattern" flags:"required" count:"1" doc:"patterns: every one must match"`
	None   []string `yaml:"none" is:"pattern" doc:"patterns: none may match"`
}

// Refuse is a pattern whose match means that it must not be upgraded, and why.
type Refuse struct {
	Cmd string `yaml:"cmd" is:"command" flags:"required"`
	Re  string `yaml:"re" is:"pattern" flags:"required"`
	Say string `yaml:"say" flags:"required" doc:"why: managed by a controller"`
}

// Session is a remote.Dialect in YAML. The words are its.
type Session struct {
	Prompt  string        `yaml:"prompt" is:"pattern" doc:"pattern; the group host is the device's own name"`
	Newline string        `yaml:"newline" flags:"raw"`
	Login   []Question    `yaml:"login"`
	Shell   []Question    `yaml:"shell"`
	Open    []string      `yaml:"open"`
	Pager   []Question    `yaml:"pager"`
	Enable  *Enable       `yaml:"enable"`
	Errors  []string      `yaml:"errors" is:"pattern"`
	Async   []string      `yaml:"async" is:"pattern"`
	Stop    []string      `yaml:"stop" is:"pattern"`
	Cancel  string        `yaml:"cancel" flags:"raw"`
	Exec    bool          `yaml:"exec"`
	Columns int           `yaml:"columns"`
	Quiet   time.Duration `yaml:"quiet"`
	// Legacy are algorithms that old releases need and that are off unless the inventory
	// says so: told in the hint of a failed handshake, never switched on from here.
	Legacy []string `yaml:"legacy"`
}

// Enable is remote.Raise.
type Enable struct {
	Cmd    string     `yaml:"cmd" is:"command" flags:"required"`
	Ask    []Question `yaml:"ask"`
	Prompt string     `yaml:"prompt" is:"pattern" flags:"required"`
}

// Question is remote.Question.
type Question struct {
	Re     string `yaml:"re" is:"pattern" flags:"required"`
	Send   string `yaml:"send" flags:"raw"`
	Secret string `yaml:"secret" enum:"password|enable"`
	Key    bool   `yaml:"key"`
	Times  int    `yaml:"times"`
	// Sample is the question as the device prints it: of its list, this pattern alone may
	// match it.
	Sample string `yaml:"sample" flags:"raw" doc:"the question as the device prints it; no other row of the list may match it"`
}

// Field is one way to read a value: the first of a list that matches wins. The value is
// the group named value, else the first group.
type Field struct {
	Cmd string `yaml:"cmd" is:"command" flags:"required"`
	Re  string `yaml:"re" is:"pattern" flags:"required"`
	// AllEqual: it must match at least once, and each time with the same value.
	AllEqual bool `yaml:"all_equal"`
	// Recorded: it is read where somebody hands over its output, and never asked for: a live
	// device says the same in a command that is asked anyhow.
	Recorded bool `yaml:"recorded"`
	// Trim is a pattern that is cut out of the value; Map turns words into ours.
	Trim string               `yaml:"trim" is:"pattern"`
	Map  document.Map[string] `yaml:"map"`
	// Require are the values with which it may be upgraded; others refuse.
	Require []string `yaml:"require"`
}

// Facts are where the facts of a device stand.
type Facts struct {
	Version  []Field `yaml:"version" flags:"required" count:"1"`
	Build    []Field `yaml:"build"`
	Model    []Field `yaml:"model"`
	Serial   []Field `yaml:"serial"`
	Hostname []Field `yaml:"hostname"`
	Family   []Field `yaml:"family" doc:"the series of the model; left out: the model up to its first hyphen"`
	Mode     []Field `yaml:"mode"`
	Role     []Field `yaml:"role" doc:"of the unit that answers, in its pair; map it to active and standby"`
	Synced   []Field `yaml:"synced" doc:"map it to yes and no"`
	// Members are rows: groups id, model, serial, role, state, version; rows of the same id
	// are put together.
	Members []Rows `yaml:"members"`
	// Slots are rows: groups member, name, state, version. State is mapped to one of
	// running, old, next, idle, trial.
	Slots  []Rows                `yaml:"slots"`
	Values document.Map[[]Field] `yaml:"values" doc:"other facts by name, that when and require look at"`
}

// Rows are the matches of one pattern with named groups.
type Rows struct {
	Cmd string `yaml:"cmd" is:"command" flags:"required"`
	Re  string `yaml:"re" is:"pattern" flags:"required"`
	// Per is a pattern of a heading; its group id holds for the rows below it.
	Per   string               `yaml:"per" is:"pattern"`
	State document.Map[string] `yaml:"state" doc:"what the device's words in group state mean"`
	Role  document.Map[string] `yaml:"role" doc:"what the device's words in group role mean"`
	// When, as in Upgrade: rows of platforms with more than one form.
	When document.Map[string] `yaml:"when"`
}

// BootTime is how to tell when a device came up. The group id, or Per, names the member.
type BootTime struct {
	Cmd   string        `yaml:"cmd" is:"command" flags:"required"`
	Re    string        `yaml:"re" is:"pattern" flags:"required"`
	Per   string        `yaml:"per" is:"pattern"`
	As    string        `yaml:"as" flags:"required" enum:"uptime|absolute" doc:"a duration in words, or a time"`
	Grain time.Duration `yaml:"grain" flags:"required" doc:"how exact it is"`
}

// Space is the room on one kind of file system. {fs} in Cmd is one of FS, and {n} in that
// the ID of a member.
type Space struct {
	Cmd  string   `yaml:"cmd" is:"command" flags:"required"`
	Re   string   `yaml:"re" is:"pattern" flags:"required" doc:"groups bytes, or amount and unit (K, M, G, KiB …)"`
	Per  string   `yaml:"per" is:"pattern"`
	FS   []string `yaml:"fs" flags:"required" count:"1" doc:"the first that answers without an error is used"`
	Need float64  `yaml:"need" flags:"required" doc:"how often the image must fit: 2.2"`
}

// Hash is a command that prints a file's digest. {path} is the file's.
type Hash struct {
	Kind    string        `yaml:"kind" flags:"required" enum:"sha512|sha256|sha1|md5|size"`
	Cmd     string        `yaml:"cmd" is:"command" flags:"required"`
	Re      string        `yaml:"re" is:"pattern" flags:"required"`
	Timeout time.Duration `yaml:"timeout"`
}

// Transfer is a way to bring a file. {path} is where it goes, {url} where it comes from.
type Transfer struct {
	How       string        `yaml:"how" flags:"required" enum:"scp|sftp|pull"`
	Dir       string        `yaml:"dir" doc:"folder of pushed files, with its last separator: flash: or /var/tmp/"`
	Cmd       string        `yaml:"cmd" is:"command" doc:"of pull: copy {url} {path}"`
	OK        string        `yaml:"ok" is:"pattern"`
	Fail      []string      `yaml:"fail" is:"pattern"`
	Cancel    string        `yaml:"cancel" flags:"raw"`
	Timeout   time.Duration `yaml:"timeout"`
	Delete    string        `yaml:"delete" is:"command" doc:"removes {path}; questions.delete answers"`
	Present   string        `yaml:"present" is:"command" doc:"tells whether {path} is there"`
	PresentRe string        `yaml:"present_re" is:"pattern"`
	Member    string        `yaml:"member" is:"command" doc:"copies {path} to member {n}, where each needs its own"`
}

// Save is how the configuration is saved and read.
type Save struct {
	Cmd   string   `yaml:"cmd" is:"command" doc:"saves it on the device; questions.save answers"`
	OK    string   `yaml:"ok" is:"pattern"`
	Show  string   `yaml:"show" is:"command" flags:"required" doc:"prints it"`
	Drop  []string `yaml:"drop" is:"pattern" doc:"patterns of lines that differ each time: times, counters, key hashes"`
	Dirty string   `yaml:"dirty" is:"command" doc:"prints whether it is unsaved"`
	Re    string   `yaml:"dirty_re" is:"pattern" doc:"matches where it is unsaved"`
}

// Upgrade is how the software is replaced, in one situation.
type Upgrade struct {
	When     document.Map[string] `yaml:"when" doc:"facts that must hold: mode: INSTALL; members: many"`
	Workflow string               `yaml:"workflow" flags:"required" enum:"activate_commit|boot_variable|junos|dual_slot|cluster_image|image_job"`
	Outage   string               `yaml:"outage" flags:"required" enum:"whole|switchover|none"`
	// Proof of this way; empty: as the definition's.
	Proof string `yaml:"proof" enum:"real|recorded|simulated|vendor_document|unproven"`
	// Rests are its parts that rest on something else.
	Rests WayRests `yaml:"rests" doc:"what its parts rest on, where that is not its proof"`
	Net   Net      `yaml:"net" flags:"required" doc:"what puts the device right by itself"`
	// Commands by the name that the workflow knows them by: add, activate, commit …
	Commands document.Map[Command] `yaml:"commands"`
	Fallback string                `yaml:"fallback" doc:"what brings the former software back" enum:"none|reinstall|reboot|abort"`
	Time     Times                 `yaml:"time" flags:"required"`
	// Steps with no command are left out: "peer" choreography is the workflow's.
	Values document.Map[string] `yaml:"values" doc:"what else the workflow wants to know"`
}

// Command is one line and how it ends. Braces are filled from facts and work: {path},
// {file}, {version}, {slot}, {n}, {minutes}, {other}.
type Command struct {
	Cmd      string        `yaml:"cmd" is:"command" flags:"required"`
	OK       string        `yaml:"ok" is:"pattern" doc:"pattern that means done; left out: the prompt is the end"`
	Fail     []string      `yaml:"fail" is:"pattern"`
	Cancel   string        `yaml:"cancel" flags:"raw" doc:"what may be typed at a question nobody foresaw; left out: never anything"`
	Drops    bool          `yaml:"drops" doc:"the connection ends here, as asked for"`
	Timeout  time.Duration `yaml:"timeout"`
	Quiet    time.Duration `yaml:"quiet"`
	Survives bool          `yaml:"survives" doc:"it goes on when the connection is lost"`
	Ask      []Question    `yaml:"ask" doc:"what it may ask, beside questions.NAME"`
}

// Net is a device's own safety net.
type Net struct {
	Kind string `yaml:"kind" flags:"required" enum:"timer|next_boot|boot_failure|peer|none"`
	Cmd  string `yaml:"cmd" is:"command" doc:"of timer: reads it back"`
	Re   string `yaml:"re" is:"pattern" doc:"of timer: matches where it runs; its group is the time left"`
	Off  string `yaml:"off_re" is:"pattern" doc:"of timer: matches where it does not"`
}

// Times bound the steps.
type Times struct {
	Reload   time.Duration `yaml:"reload" flags:"required" doc:"until it answers again"`
	Settle   time.Duration `yaml:"settle" flags:"required" doc:"until members and neighbours are back"`
	Deadline time.Duration `yaml:"deadline" flags:"required" doc:"of the whole change"`
}

// Table is a kind of state that is compared before and after. Rows are keyed by the group
// key (or all groups named key, key2); Up is a pattern of the group state that means well.
type Table struct {
	Cmd       string               `yaml:"cmd" is:"command" flags:"required"`
	Re        string               `yaml:"re" is:"pattern" flags:"required"`
	Per       string               `yaml:"per" is:"pattern"`
	Up        string               `yaml:"up" is:"pattern"`
	Tolerance string               `yaml:"tolerance" doc:"of a number in group value: 2%"`
	Rule      string               `yaml:"rule" enum:"keep|no_new|count" doc:"keep: what is there must stay; no_new: nothing may come to it; left out: count with a tolerance, else keep"`
	When      document.Map[string] `yaml:"when"`
}

// named is a kind of fact and the ways to read it.
type named struct {
	name string
	list []Field
}

// live are the facts without what is only read in recordings.
func (f *Facts) live() Facts {
	kept := *f
	drop := func(list []Field) []Field {
		return slices.DeleteFunc(slices.Clone(list), func(f Field) bool { return f.Recorded })
	}
	for _, list := range []*[]Field{&kept.Version, &kept.Build, &kept.Model, &kept.Serial, &kept.Hostname, &kept.Family, &kept.Mode, &kept.Role, &kept.Synced} {
		*list = drop(*list)
	}
	return kept
}

// fields are the facts with one value each, by the key they have in a definition.
func (f *Facts) fields() []named {
	all := []named{
		{"version", f.Version}, {"build", f.Build}, {"model", f.Model}, {"serial", f.Serial}, {"hostname", f.Hostname},
		{"family", f.Family}, {"mode", f.Mode}, {"role", f.Role}, {"synced", f.Synced},
	}
	for _, e := range f.Values.Entries {
		all = append(all, named{"values." + e.Key, e.Value})
	}
	return all
}
