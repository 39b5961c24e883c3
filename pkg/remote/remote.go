// Package remote is what everything above the SSH connection knows of a host:
// a Session that can run commands, hold a console and move files. It holds the
// values, the only quoting, the read-only wrapper and the cleaning of what hosts
// print; the connection itself is package connect.
package remote

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/secret"
)

// ErrEndless is what a command that only looks fails with when it prints far too much, or
// does not come to its end: the host is there, and asking it again would do the same.
var ErrEndless = errors.New("the host's answer has no end")

// DefaultMaxOut bounds each of stdout and stderr where a Command does not say.
const DefaultMaxOut = 1 << 20

// Session is a connection to one host. A nil member means: this host can't.
type Session struct {
	Runner  Runner
	Console Console
	Files   Files
	Pusher  Pusher
}

// Runner runs one command to its end.
//
// The error is for what kept the command from being started or its ending from
// being known (a *fault.Error with Code Unreachable, Privilege, Lost …). A command
// that ran and exited non-zero is not an error. When the connection ends after the
// command was sent, the Result has Ending Lost and the error Code Lost.
type Runner interface {
	Run(ctx context.Context, c Command) (Result, error)
}

// Console sends one line to an interactive session and reads until a pattern of
// the exchange says how it ended.
type Console interface {
	Exchange(ctx context.Context, e Exchange) (Result, error)
}

// Files moves whole files. Put verifies the digest on arrival and replaces the
// target only when it matches. Get reads at most limit bytes.
type Files interface {
	Put(ctx context.Context, path string, content io.Reader, want patch.Digest) error
	Get(ctx context.Context, path string, limit int64) (io.ReadCloser, error)
}

// Pusher sends a file to a device that has no shell. Nothing of it is verified: what
// arrived, the device's own hash command says afterwards. The size is in bytes.
type Pusher interface {
	Push(ctx context.Context, how Protocol, path string, content io.Reader, size int64) error
}

// Protocol is how a file is pushed.
type Protocol string

const (
	SFTP Protocol = "sftp"
	// SCP is the old protocol, with nothing but -t: Cisco's servers refuse -d and -p, and
	// have no SFTP.
	SCP Protocol = "scp"
)

// Effect is what a command does to the host. The zero value is the worst.
type Effect uint8

const (
	Changes   Effect = iota // changes the host
	Refreshes               // renews caches only, e.g. package lists
	Reads                   // changes nothing
)

// Command is argv, never a shell line; package remote quotes it in one place.
type Command struct {
	Argv   []string
	Stdin  []byte        // sent after the Secret, then EOF. Data, so that a step can be shown and repeated
	Secret secret.Secret // if set: its value and a newline come first on stdin
	Become bool          // as root, by the session's sudo, su or doas
	Effect Effect
	MaxOut int64 // bytes kept of stdout and of stderr, each; 0: DefaultMaxOut. The rest is read and dropped
}

// Ending is how a command or exchange ended.
type Ending uint8

const (
	Lost     Ending = iota // unknown: the connection ended, or the exit status never came
	Exited                 // Code holds the exit status
	Signaled               // the remote side reported a signal
	Done                   // a Done pattern of the exchange matched
	Failed                 // a Failed pattern of the exchange matched
	Asked                  // the device asked something that no Question covers; nothing was answered
	Prompted               // the prompt came back, and neither a Done nor a Failed pattern had matched
	Stopped                // one of the dialect's Stop patterns matched: a person must look
)

// Result of a Command or an Exchange. Out and Err are what the host printed, as it
// came: bounded, not cleaned. Parse it as bytes; clean it before a person sees it.
type Result struct {
	Ending    Ending
	Code      int
	Out, Err  []byte
	Truncated bool // something was dropped at MaxOut: a parser must not take Out for whole
	// At is when the answer was complete, by the controller's clock; zero: not known.
	At time.Time
}

// OK is the one meaning of success: exited with 0 and nothing cut off.
func (r Result) OK() bool { return r.Ending == Exited && r.Code == 0 && !r.Truncated }

// Exchange is one console dialogue. What the device prints is cleaned of echoes, control
// codes, pagers and the dialect's Async lines before it is matched. Of what matches, the
// dialect's Stop comes first, then Failed and the dialect's Errors, Done, Questions.
//
// With no Done pattern the prompt itself is the end, and Ending is Done unless something
// Failed. With one, the prompt without it is Prompted. A question that nothing covers is
// answered by nothing: where Cancel says so the command is left in that way, else the
// session is closed; the Ending is Asked, and Out ends with the question.
type Exchange struct {
	Dialect   *Dialect
	Send      string
	Enable    bool // needs the rights of Dialect.Enable
	Effect    Effect
	Questions []Question
	Done      []Pattern
	Failed    []Pattern
	MayDrop   bool          // the connection may end here, as asked for: then the Ending is Lost and the error nil
	Cancel    string        // sent where the device asks what was not foreseen; empty: nothing may be sent, it is dangerous
	Quiet     time.Duration // how long nothing may be printed; 0: as the Dialect says
	Within    time.Duration // from Send to the end; 0: no bound but the context's and Quiet
	MaxOut    int64
}

// Pattern is an RE2 expression, kept as text so that a step can be printed and digested.
// It is matched in multi-line mode: ^ and $ are the ends of a line.
type Pattern string

// Question is one thing the device may ask, and its answer: a text, or the name of a
// secret. A newline follows the answer, unless Key says that it is a single key press.
type Question struct {
	Ask    Pattern
	Answer string
	Secret string // SecretPassword or SecretEnable
	Key    bool
	Times  int // how often it may be asked in one exchange; 0: once
}
