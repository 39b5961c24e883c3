package connect

import (
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// complaint is one thing that sudo, su or doas say instead of running the command.
// Texts as in sudo 1.8 to 1.9 (sudoers.c, parse_args.c, tgetpass.c), util-linux su
// and OpenDoas 6.8; their locale is the host's, so the rest falls to "unknown".
type complaint struct{ says, what, hint string }

func complaints() []complaint {
	return []complaint{
		{"a password is required", "it asks for a password, and there is none to give", hintPassword},
		{"a terminal is required", "it asks for a password, and there is none to give", hintPassword},
		{"no password was provided", "it asks for a password, and there is none to give", hintPassword},
		{"interactive authentication is required", "it asks for a password, and there is none to give", hintPassword},
		{"incorrect password", "it refused the password", hintWrong},
		{"authentication failure", "it refused the password", hintWrong},
		{"sorry, try again", "it refused the password", hintWrong},
		{"you must have a tty", "it wants a terminal (requiretty)", "on the host, with visudo: Defaults:USER !requiretty"},
		{"is not in the sudoers file", "the user has no right to use it", hintRights},
		{"may not run sudo", "the user has no right to use it", hintRights},
		{"is not allowed to", "the user has no right to run this command", hintRights},
		{"operation not permitted", "the user has no right to use it", hintRights},
		{"authorization required", "it asks for a password, and there is none to give", hintPassword},
		{"account is locked", "the account is locked", "on the host: faillock --user USER"},
		{"account validation failure", "the account is locked or expired", "on the host: chage -l USER"},
		{"setuid root", "it is not installed rightly (not setuid root, or nosuid)", "on the host: ls -l /usr/bin/sudo"},
		{"no new privileges", "the host's sshd does not let it (NoNewPrivileges)", "on the host: systemctl cat ssh"},
	}
}

const (
	hintPassword = "set credentials: {become: …} in the inventory, or give USER the rights that this prints: patchring doctor --sudoers"
	hintWrong    = "correct credentials: {become: …} in the inventory; it is not tried again, so that no account gets locked"
	hintRights   = "give USER the rights that this prints, with visudo on the host: patchring doctor --sudoers"
	hintInstall  = "install it on the host, or set become: to another means, or log in as root"
)

// missing is how shells say that the tool itself is not there: dash and ash, bash,
// zsh, env.
func missing(tool, line string) bool {
	return strings.HasSuffix(line, ": "+tool+": not found") || strings.HasSuffix(line, ": "+tool+": command not found") ||
		strings.HasSuffix(line, "command not found: "+tool) || strings.Contains(line, tool+": No such file or directory") ||
		strings.Contains(line, tool+"’: No such file or directory")
}

// denied reads what the means of becoming root itself said; nil when it was the
// command that failed. It is so only when nobody but the tool spoke: what a command
// prints must not pass for a refusal.
func denied(how inventory.Become, user string, code int, stderr []byte) error {
	tool := string(how)
	lines := remote.CleanLines(string(stderr), 20, peerText)
	said := ""
	for _, line := range lines {
		switch {
		case code == 127 && missing(tool, line):
			return privilegeFault(tool+" is not installed", hintInstall)
		case warning(line, tool):
		case fromTool(line, tool, user):
			said = strings.TrimPrefix(line, tool+": ")
		default:
			return nil
		}
	}
	if said == "" || code != 1 || strings.HasSuffix(said, ": command not found") {
		return nil
	}
	return explainDenial(tool, user, said)
}

// fromTool tells whether a line is the tool's own.
func fromTool(line, tool, user string) bool {
	return strings.HasPrefix(line, tool+": ") || strings.HasPrefix(line, user+" is not in the sudoers file") ||
		strings.HasPrefix(line, "Sorry, user "+user+" ") || strings.HasPrefix(line, "Sorry, try again")
}

// warning: said by the tool, but it goes on.
func warning(line, tool string) bool {
	text, ok := strings.CutPrefix(line, tool+": ")
	return ok && (strings.HasPrefix(text, "unable to resolve host") || strings.HasPrefix(text, "setrlimit"))
}

func explainDenial(tool, user, said string) *fault.Error {
	for _, c := range complaints() {
		if strings.Contains(strings.ToLower(said), c.says) {
			hint := strings.ReplaceAll(c.hint, "USER", user)
			return privilegeFault(tool+": "+c.what+" (it said: "+said+")", hint)
		}
	}
	return privilegeFault(tool+" said: "+said, "try it by hand on the host: "+tool+" id")
}
