// Package fault is the one shape of an error that a person will read: what
// happened, to which host, at which step, whether trying again can help, and
// what to type next.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what the caller may do about an error.
type Kind uint8

const (
	Unknown Kind = iota // could not tell: treat as GiveUp, and never as harmless
	Retry               // transient: another try may succeed
	GiveUp              // trying again changes nothing
	Ask                 // only a person can decide
)

// Code names the class of a failure. It decides the exit code and is stable in JSON.
type Code string

const (
	Usage             Code = "usage"              // command line or configuration: exit 2
	Unsupported       Code = "unsupported"        // a setting that this build can't honour: exit 2
	Locked            Code = "locked"             // another operator holds the host or the state folder: exit 9
	Unreachable       Code = "unreachable"        // no TCP, no SSH: exit 5
	HostKeyUnknown    Code = "host_key_unknown"   // exit 5
	HostKeyChanged    Code = "host_key_changed"   // exit 5; the host is quarantined for this run
	Auth              Code = "auth"               // exit 5
	CredentialBlocked Code = "credential_blocked" // the fleet-wide breaker stopped this credential: exit 5
	Privilege         Code = "privilege"          // sudo, su, doas said no: exit 5
	Lost              Code = "lost"               // the connection ended in the middle; the outcome is unknown
	HostFailed        Code = "host_failed"        // the host's own work failed: exit 4
	Internal          Code = "internal"           // exit 1
)

// Error is an error with everything a tired person needs. Texts from hosts must
// have been cleaned (remote.Clean) before they come in here.
type Error struct {
	Kind Kind
	Code Code
	Host string // "site/name", or empty
	Step string // what was being done, e.g. "connect", "sudo", "preflight"
	What string // what happened
	Hint string // what to type or to check next
	Err  error  // the cause, or nil
}

// Error gives "host: step: what: cause" without the hint; Hint is printed on its own line.
func (e *Error) Error() string {
	var parts []string
	for _, p := range []string{e.Host, e.Step, e.What} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Usagef is a mistake in the command line or the configuration.
func Usagef(hint, format string, args ...any) *Error {
	return &Error{Kind: GiveUp, Code: Usage, What: fmt.Sprintf(format, args...), Hint: hint}
}

// CodeOf gives the code of the outermost *Error in err's chain, or Internal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != "" {
		return e.Code
	}
	return Internal
}

// KindOf gives the kind of the outermost *Error in err's chain, or Unknown.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unknown
}

// HintOf gives the first hint in err's chain, or "".
func HintOf(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// On returns a copy of err that names the host and the step, keeping what was
// named already. A plain error becomes one with Code Internal.
func On(err error, host, step string) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return &Error{Code: Internal, Host: host, Step: step, Err: err}
	}
	named := *e
	if named.Host == "" {
		named.Host = host
	}
	if named.Step == "" {
		named.Step = step
	}
	return &named
}
