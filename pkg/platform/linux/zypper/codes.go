package zypper

import "strconv"

// Exit is a status that zypper ends with, by the numbers of its manual.
type Exit int

// What zypper's exit status means. From 100 on they tell something beside "it worked".
const (
	Fine            Exit = 0
	Bug             Exit = 1
	Syntax          Exit = 2
	Arguments       Exit = 3
	Library         Exit = 4 // also: the resolver found a problem, and nobody was there to choose
	Privileges      Exit = 5
	NoRepositories  Exit = 6
	Locked          Exit = 7
	Commit          Exit = 8
	PatchesPending  Exit = 100
	SecurityPending Exit = 101
	RebootNeeded    Exit = 102
	RestartNeeded   Exit = 103
	NotFound        Exit = 104
	Signal          Exit = 105
	Skipped         Exit = 106
	ScriptFailed    Exit = 107
)

// Trusted tells whether the run did all that it was told to, and knew all repositories.
func (e Exit) Trusted() bool {
	return e == Fine || e == PatchesPending || e == SecurityPending || e == RebootNeeded
}

func (e Exit) String() string {
	switch e {
	case Fine:
		return "zypper ended well"
	case Bug, Syntax, Arguments:
		return "zypper did not understand its command"
	case Library:
		return "zypper found a problem"
	case Privileges:
		return "zypper needs root"
	case NoRepositories:
		return "there are no enabled repositories: is the system registered (SUSEConnect --status)?"
	case Locked:
		return "another program holds zypper's lock"
	case Commit:
		return "installing or removing packages failed"
	case PatchesPending, SecurityPending:
		return "patches are pending"
	case RebootNeeded:
		return "a reboot is needed"
	case RestartNeeded:
		return "zypper updated itself and has to be run again"
	case NotFound:
		return "no repository has it"
	case Signal:
		return "zypper was interrupted"
	case Skipped:
		return "zypper skipped a repository that it could not read: what that has is not known"
	case ScriptFailed:
		return "a package was installed, but its script failed"
	}
	return "zypper ended with status " + strconv.Itoa(int(e))
}
