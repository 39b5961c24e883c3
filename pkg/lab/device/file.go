package device

import (
	"github.com/patchring/patchring/pkg/document"
)

// File is a device file: what one kind of device shows, asks and does. README.md
// explains it with an example. Every text is a Go text/template over View.
type File struct {
	Device   string              `yaml:"device" flags:"required" doc:"what it is, in a few words"`
	Source   string              `yaml:"source" doc:"the vendor's documents that the texts were written from" flags:"raw"`
	Like     string              `yaml:"like" doc:"another device file that this one adds to"`
	SSH      *SSH                `yaml:"ssh" doc:"how it speaks SSH"`
	Console  *Console            `yaml:"console" doc:"how its command line talks"`
	Truth    TruthFile           `yaml:"truth" doc:"what it is before anything happens"`
	Images   []ImageForm         `yaml:"images" doc:"how it tells an image's version by its name; content made by Image goes before"`
	Texts    map[string]string   `yaml:"texts" doc:"named texts, for {{template \"name\" .}} and file:" flags:"raw"`
	Routines map[string][]Step   `yaml:"routines" doc:"named steps; setup runs once at the start, boot at each boot, login at the start of each shell"`
	Commands []Command           `yaml:"commands" doc:"what can be typed; the first that fits is meant"`
	Faults   []Fault             `yaml:"faults" doc:"what goes wrong"`
	Timing   map[string]Duration `yaml:"timing" doc:"durations that steps may use by name (wait: @add), and that a fleet file may change"`
}

// SSH is what the device's SSH server does.
type SSH struct {
	Ident     string   `yaml:"ident" doc:"identification string; left out: SSH-2.0-lab"`
	Banner    string   `yaml:"banner" doc:"before the login" flags:"raw"`
	Exec      string   `yaml:"exec" doc:"commands on exec channels: none, one a connection, or any" enum:"none|one|yes"`
	SCP       string   `yaml:"scp" doc:"none, ios (scp -t PATH only), or yes" enum:"none|ios|yes"`
	SFTP      bool     `yaml:"sftp" doc:"whether there is an SFTP subsystem"`
	Kex       []string `yaml:"kex" doc:"key exchanges it offers; left out: modern ones"`
	Ciphers   []string `yaml:"ciphers" doc:"ciphers it offers"`
	MACs      []string `yaml:"macs" doc:"MACs it offers"`
	HostKey   string   `yaml:"host_key" doc:"what its key is; ssh-rsa signs with SHA-1 only" enum:"ed25519|rsa|ssh-rsa"`
	Auth      []string `yaml:"auth" doc:"ways to log in: password, publickey, keyboard, none; left out: password, keyboard, publickey"`
	Idle      Duration `yaml:"idle" doc:"silence after which a session is ended; 0: never"`
	VTYs      int      `yaml:"vtys" doc:"how many sessions at once; 0: any number"`
	VTYRefuse string   `yaml:"vty_refuse" doc:"what is said before a session too many is closed" flags:"raw"`
}

// Console is how the command line talks.
type Console struct {
	Login    *LoginForm        `yaml:"login" doc:"asks for user and password again within the session"`
	MOTD     string            `yaml:"motd" doc:"after the login, before the first prompt" flags:"raw"`
	Modes    map[string]string `yaml:"modes" doc:"each mode's prompt" flags:"raw"`
	Start    string            `yaml:"start" doc:"mode after the login" flags:"raw"`
	Echo     string            `yaml:"echo" doc:"what ends an echoed line; left out: CR LF" flags:"raw"`
	Erase    string            `yaml:"erase" doc:"what is printed for a backspace; left out: BS SPACE BS" flags:"raw"`
	Wrap     string            `yaml:"wrap" doc:"what the echo inserts at the screen's edge: the client's columns, or the session's value width" flags:"raw"`
	NewLine  string            `yaml:"newline" doc:"what ends a line of output; left out: CR LF" flags:"raw"`
	Pager    *Pager            `yaml:"pager" doc:"what stops long output"`
	Unknown  string            `yaml:"unknown" doc:"said of input that fits no command; .Line is the input, .Column where its first unknown word begins" flags:"raw"`
	NotReady string            `yaml:"not_ready" doc:"said to a login while not ready, before it is closed" flags:"raw"`
	Shorten  bool              `yaml:"shorten" doc:"words may be abbreviated as far as they stay unambiguous"`
	Pipes    bool              `yaml:"pipes" doc:"| include, exclude, begin, section, count, no-more, match, grep work"`
	Cancel   string            `yaml:"cancel" doc:"keys that interrupt: ctrl-c, ctrl-^, ctrl-z; left out: ctrl-c" `
	Canceled string            `yaml:"canceled" doc:"said when a key interrupted" flags:"raw"`
	Log      string            `yaml:"log" doc:"form of an asynchronous line, .Line is its text; left out: the line" flags:"raw"`
}

// LoginForm is a second login, within the session.
type LoginForm struct {
	User     string `yaml:"user" flags:"required,raw" doc:"asks for the user"`
	Password string `yaml:"password" flags:"required,raw" doc:"asks for the password"`
	Wrong    string `yaml:"wrong" flags:"raw" doc:"said to a wrong one; three end the session"`
}

// Pager stops output that is longer than the screen.
type Pager struct {
	Prompt string `yaml:"prompt" flags:"raw,required" doc:"what it shows"`
	Rows   int    `yaml:"rows" doc:"screen rows before any setting; left out: 24"`
	Pty    bool   `yaml:"pty" doc:"the client's window gives the rows"`
	Wipe   string `yaml:"wipe" flags:"raw" doc:"what removes the prompt; left out: backspaces over it"`
	Value  string `yaml:"value" doc:"the session's value that holds the rows; 0 turns it off; left out: rows"`
}

// TruthFile is the state at the start.
type TruthFile struct {
	Clock   string            `yaml:"clock" doc:"right, or unset: it began at its epoch with the boot" enum:"right|unset"`
	Up      Duration          `yaml:"up" doc:"how long it has been up; left out: 12 weeks"`
	Values  map[string]string `yaml:"values" doc:"named values of the device" flags:"raw"`
	Members []MemberFile      `yaml:"members" doc:"its members; left out: one without values"`
	Config  string            `yaml:"config" doc:"running and startup configuration" flags:"raw"`
	Startup string            `yaml:"startup" doc:"startup configuration where it differs" flags:"raw"`
	Paths   []PathForm        `yaml:"paths" doc:"which volume a path's beginning means; the first that fits"`
}

// MemberFile is one member: a switch of a stack, a routing engine, a node.
type MemberFile struct {
	ID      string                `yaml:"id" flags:"required" doc:"its name or number"`
	Values  map[string]string     `yaml:"values" doc:"named values; each # of a value is a letter or digit, each % a digit, that follows from the host's name" flags:"raw"`
	Volumes map[string]VolumeFile `yaml:"volumes" doc:"its file systems"`
}

// VolumeFile is a file system.
type VolumeFile struct {
	Size  Size            `yaml:"size" flags:"required" doc:"bytes, such as 11e9"`
	Free  Size            `yaml:"free" doc:"bytes that are free at the start"`
	Files map[string]Size `yaml:"files" doc:"files that are there, with their sizes"`
}

// PathForm maps paths to volumes.
type PathForm struct {
	Prefix string `yaml:"prefix" flags:"required" doc:"beginning of a path: flash:, /var/tmp/; {id} stands for a member's ID"`
	Volume string `yaml:"volume" flags:"required" doc:"name of the volume"`
	Fold   string `yaml:"fold" doc:"put before what follows the prefix: sub/"`
}

// ImageForm tells an image's version by its file's name.
type ImageForm struct {
	Name    string `yaml:"name" flags:"required" doc:"regular expression over the file's name"`
	Version string `yaml:"version" flags:"required" doc:"version, ${1} is the first group"`
	Kind    string `yaml:"kind" doc:"what the image is for"`
}

// Command is something that can be typed.
type Command struct {
	In    document.Many[string] `yaml:"in" flags:"required" doc:"words; <name> is any word, <name:REGEXP> one that fits, <name...> the rest; a word may stand before <"`
	Modes document.Many[string] `yaml:"modes" doc:"modes in which it is known; left out: every mode"`
	When  string                `yaml:"when" doc:"template condition without which it is not this command" flags:"raw"`
	At    string                `yaml:"at" doc:"names this moment for faults; told as an effect too"`
	Out   string                `yaml:"out" doc:"output" flags:"raw"`
	File  string                `yaml:"file" doc:"output is this text, or devices/NAME/FILE"`
	Do    []Step                `yaml:"do" doc:"steps, after out and file"`
	Lasts bool                  `yaml:"lasts" doc:"goes on when the connection ends"`
	Over  string                `yaml:"over" doc:"routine that runs when the command is over, however it came to that; a reload leaves it out"`
}

// Step is one thing that a command or routine does. What a step says is done in the
// order of these fields.
type Step struct {
	When   string            `yaml:"when" doc:"template condition without which the step is left out" flags:"raw"`
	Each   string            `yaml:"each" doc:"do the step for each member for which this condition holds (all: every one); .M is the member" flags:"raw"`
	On     string            `yaml:"on" doc:"do the step on the peer of the group: peer; or on every device of it: group" enum:"peer|group"`
	At     string            `yaml:"at" doc:"names this moment for faults"`
	Effect string            `yaml:"effect" doc:"told to the tests as having been done" flags:"raw"`
	Out    string            `yaml:"out" doc:"output" flags:"raw"`
	File   string            `yaml:"file" doc:"output is this text, or devices/NAME/FILE"`
	Log    string            `yaml:"log" doc:"an asynchronous line to every session that is in a shell" flags:"raw"`
	Wait   string            `yaml:"wait" doc:"time that passes on the device: 6m, @name of timing, or a template that gives it" flags:"raw"`
	Silent bool              `yaml:"silent" doc:"a key does not interrupt the wait"`
	Ask    string            `yaml:"ask" doc:"a question; .Answer is what was typed" flags:"raw"`
	Accept string            `yaml:"accept" doc:"regular expression of answers that go on; left out: any" flags:"raw"`
	Else   string            `yaml:"else" doc:"said to other answers and to an interrupt; then the command is over" flags:"raw"`
	Again  bool              `yaml:"again" doc:"ask again after another answer instead, three times"`
	Key    bool              `yaml:"key" doc:"one key answers, without Enter"`
	Secret bool              `yaml:"secret" doc:"the answer is not echoed"`
	Set    map[string]string `yaml:"set" doc:"values: NAME of the device, m.NAME of the member, s.NAME of the session" flags:"raw"`
	Config *ConfigStep       `yaml:"config" doc:"changes the configuration"`
	Copy   *CopyStep         `yaml:"copy" doc:"fetches or copies a file; .Err says what was wrong"`
	Delete string            `yaml:"delete" doc:"removes the files that fit this path, * stands for anything" flags:"raw"`
	Fill   *FillStep         `yaml:"fill" doc:"puts a file of a size there, or an image"`
	Run    string            `yaml:"run" doc:"runs a routine" flags:"raw"`
	Do     []Step            `yaml:"do" doc:"steps"`
	After  *AfterStep        `yaml:"after" doc:"runs a routine later"`
	Stop   string            `yaml:"cancel" doc:"takes back what after said by this name" flags:"raw"`
	Reload *ReloadStep       `yaml:"reload" doc:"the device goes down and comes back"`
	Booted bool              `yaml:"booted" doc:"the member's uptime begins anew"`
	Mode   string            `yaml:"mode" doc:"the session's mode from now on" flags:"raw"`
	Fail   string            `yaml:"fail" doc:"said; then the command is over, its exec status 1" flags:"raw"`
	End    string            `yaml:"end" doc:"the command is over, or the session" enum:"command|session|routine"`
}

// ConfigStep changes configurations, line by line.
type ConfigStep struct {
	Remove string `yaml:"remove" doc:"regular expression of running lines that go" flags:"raw"`
	Add    string `yaml:"add" doc:"line that comes, before the last line" flags:"raw"`
	Save   bool   `yaml:"save" doc:"startup becomes running"`
	Load   bool   `yaml:"load" doc:"running becomes startup"`
}

// CopyStep brings a file onto the device.
type CopyStep struct {
	From string `yaml:"from" flags:"required,raw" doc:"http URL that is really fetched, or a path"`
	To   string `yaml:"to" flags:"required,raw" doc:"path"`
}

// FillStep makes a file.
type FillStep struct {
	Path    string `yaml:"path" flags:"required,raw" doc:"path"`
	Size    string `yaml:"size" flags:"raw" doc:"bytes"`
	Version string `yaml:"version" flags:"raw" doc:"it is an image of this version"`
}

// AfterStep is a timer.
type AfterStep struct {
	Name string `yaml:"name" flags:"required,raw" doc:"to ask for it (.Left) and to cancel it; a second one replaces the first"`
	In   string `yaml:"in" flags:"required,raw" doc:"5m, @name of timing, or a template that gives it"`
	Do   string `yaml:"do" flags:"required,raw" doc:"routine; the member of the step stays .M"`
	// Deadline: people are expected to be faster.
	Deadline bool `yaml:"deadline" doc:"it does not make the device's time run fast"`
	Keeps    bool `yaml:"keeps" doc:"it goes on over reloads, and strikes even while the device is down"`
}

// ReloadStep takes the device down. Its session ends.
type ReloadStep struct {
	Grace    string `yaml:"grace" flags:"raw" doc:"time until connections are cut"`
	Refuse   string `yaml:"refuse" flags:"raw" doc:"time in which nothing listens; left out: @refuse"`
	AAADown  string `yaml:"aaa_down" flags:"raw" doc:"time after that in which logins fail; left out: @aaa_down"`
	NotReady string `yaml:"not_ready" flags:"raw" doc:"time after that in which sessions are closed; left out: @not_ready"`
	Replay   string `yaml:"config_replay" flags:"raw" doc:"time from the boot in which .Replaying is true; left out: @config_replay"`
	Run      string `yaml:"run" flags:"raw" doc:"routine of this boot, after the routine boot"`
}

// Fault is something that goes wrong.
type Fault struct {
	At     string   `yaml:"at" doc:"moment: login, prompt, transfer, down, boot, back, or what a command or step calls itself" flags:"required"`
	Member string   `yaml:"member" doc:"which member"`
	After  string   `yaml:"after" doc:"so many bytes of a transfer, or so much time after the moment"`
	Nth    int      `yaml:"nth" doc:"it strikes only this time; left out: the first" min:"1"`
	Times  int      `yaml:"times" doc:"how many times it strikes; left out: once" min:"1"`
	Do     string   `yaml:"do" doc:"what happens; words that the engine does not know are for .Struck in the file" `
	Ask    string   `yaml:"ask" doc:"a question that nobody expects" flags:"raw"`
	Key    bool     `yaml:"key" doc:"one key answers it"`
	Answer string   `yaml:"answer" doc:"regular expression of answers with which the command goes on; left out: none" flags:"raw"`
	Text   string   `yaml:"text" doc:"what is printed" flags:"raw"`
	For    Duration `yaml:"for" doc:"how long"`
}
