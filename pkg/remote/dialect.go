package remote

import "time"

// Dialect is how the command line of one platform talks: data, made from a device's
// definition. It travels with each Exchange, so that a step can be shown, digested and
// performed without anything else. Two with the same Name are the same dialect.
type Dialect struct {
	Name    string
	Prompt  Pattern    // matches the end of what was printed when the device waits for a command
	Newline string     // what ends a line that is sent; empty: "\r"
	Login   []Question // asked between the login and the first prompt: banners, a second login
	Shell   []Question // prompts of another shell, and what leads from there to this command line
	Open    []string   // sent once after the first prompt: the pager off, a wide line
	Pager   []Question // in the middle of output: "--More--"
	Enable  *Raise     // how to get the rights that changes need; nil: everybody has them
	Errors  []Pattern  // a line of output that means that the command was refused
	Async   []Pattern  // whole lines that the device throws in by itself: log messages
	Stop    []Pattern  // prompts and questions that mean that a person must look: rommon, a setup dialogue
	Cancel  string     // what leaves an unforeseen question of a command that may be interrupted; empty: "\x03"
	Exec    bool       // one command may go over an exec channel of its own, without a terminal
	Columns int        // of the terminal; 0: 511
	// Quiet is how long the device may print nothing at all before a command counts as
	// hung; 0: a minute. An Exchange may allow more.
	Quiet time.Duration
}

// Raise is how a session gets more rights: Send, and Ask is answered with a secret. What
// Prompt matches has them.
type Raise struct {
	Send   string
	Ask    []Question
	Prompt Pattern
}

// The names of secrets that a Question may be answered with; the host's settings in the
// inventory say what they are.
const (
	SecretPassword = "password" // of the user who logged in
	SecretEnable   = "enable"   // of the higher level
)
