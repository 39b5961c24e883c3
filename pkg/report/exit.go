package report

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

// The exit codes of all commands.
const (
	ExitDone         = 0
	ExitError        = 1
	ExitUsage        = 2
	ExitPending      = 3
	ExitHostsFailed  = 4
	ExitUnreachable  = 5
	ExitGateFailed   = 6
	ExitNeedsPerson  = 7
	ExitWaiting      = 8
	ExitLocked       = 9
	ExitRolledBack   = 10
	ExitSecurityLeft = 12
	ExitInterrupted  = 130
)

// ExitCode is one line of the table of exit codes.
type ExitCode struct {
	Code    int    `json:"code"`
	Word    string `json:"word"`
	Meaning string `json:"meaning"`
}

// ExitCodes is the table that the docs, the help and Exit use, highest-ranked
// first: where several hold, the first one is the exit code.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{ExitInterrupted, "interrupted", "interrupted by a person; the same command carries on"},
		{ExitUsage, "usage", "a mistake in the command line or the configuration"},
		{ExitError, "error", "patchring itself could not go on"},
		{ExitLocked, "locked", "another operator or process is at work there"},
		{ExitHostsFailed, "hosts_failed", "some hosts failed"},
		{ExitRolledBack, "rolled_back", "changes were rolled back"},
		{ExitGateFailed, "gate_failed", "a gate said no; the next ring was not touched"},
		{ExitUnreachable, "unreachable", "some hosts could not be reached or logged in to; they were not touched"},
		{ExitNeedsPerson, "needs_person", "a person has to look or decide"},
		{ExitSecurityLeft, "security_left", "finished, but security fixes were left out"},
		{ExitWaiting, "waiting", "nothing is wrong, and it waits (only with --detailed-exitcode)"},
		{ExitPending, "changes_pending", "there are changes to make (plan, only with --detailed-exitcode)"},
		{ExitDone, "done", "done, nothing to do, or healthily waiting"},
	}
}

// Ending is an exit code, its word, and why, in one sentence.
type Ending struct {
	Code int    `json:"code"`
	Word string `json:"word"`
	Why  string `json:"why"`
}

// claim is one thing that holds, and asks for its exit code.
type claim struct {
	code int
	why  string
}

func rank(code int) int {
	table := ExitCodes()
	i := slices.IndexFunc(table, func(c ExitCode) bool { return c.Code == code })
	if i < 0 { // a code that is not in the table is an error of this program
		return rank(ExitError)
	}
	return i
}

// ending picks the highest-ranked claim. The why names all of them in that order,
// so that a failed host does not hide one that nobody could reach.
func ending(claims []claim, otherwise string) Ending {
	if len(claims) == 0 {
		claims = []claim{{ExitDone, otherwise}}
	}
	slices.SortStableFunc(claims, func(a, b claim) int { return cmp.Compare(rank(a.code), rank(b.code)) })
	whys := make([]string, len(claims))
	for i, c := range claims {
		whys[i] = c.why
	}
	first := ExitCodes()[rank(claims[0].code)]
	return Ending{Code: first.Code, Word: first.Word, Why: clean(strings.Join(whys, "; "))}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// ofFault is the exit code of one class of failure; an unknown class is an error.
func ofFault(c fault.Code) int {
	switch c {
	case fault.Usage, fault.Unsupported:
		return ExitUsage
	case fault.Locked:
		return ExitLocked
	case fault.Unreachable, fault.HostKeyUnknown, fault.HostKeyChanged, fault.Auth, fault.CredentialBlocked, fault.Privilege:
		return ExitUnreachable
	case fault.Lost:
		return ExitNeedsPerson
	case fault.HostFailed:
		return ExitHostsFailed
	}
	return ExitError
}

// ExitOf is the ending of a command that failed with err; nil is done. Several
// joined errors give the highest-ranked of their codes.
func ExitOf(err error) Ending {
	if err == nil {
		return ending(nil, "done")
	}
	if errors.Is(err, context.Canceled) {
		return ending([]claim{{ExitInterrupted, "interrupted"}}, "")
	}
	code := ofFault(fault.CodeOf(err))
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		for _, e := range joined.Unwrap() {
			if c := ofFault(fault.CodeOf(e)); rank(c) < rank(code) {
				code = c
			}
		}
	}
	return ending([]claim{{code, clean(err.Error())}}, "")
}
