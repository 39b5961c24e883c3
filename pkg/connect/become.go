package connect

import (
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// beginScript tells on stderr that the password stage is over, then becomes the
// command. The nonce is its first two arguments; nothing is spliced into it.
const beginScript = `printf %s%s "$1" "$2" >&2; shift 2; exec "$@"`

// begin runs argv behind that script. The nonce goes in two halves: sudo repeats the whole
// command line when it refuses the user, and that must not pass for the nonce.
func begin(n nonces, argv []string) []string {
	half := len(n.begun) / 2
	return append([]string{"sh", "-c", beginScript, "patchring", n.begun[:half], n.begun[half:]}, argv...)
}

// superuser needs no means to become root.
const superuser = "root"

// asRoot wraps argv in the host's way to become root. With a password it also gives
// what recognises the stages on stderr.
//
//	sudo:  sudo -n -- ARGV, or with a password sudo -S -p NONCE -- sh -c … NON CE ARGV
//	su:    su -s /bin/sh -c … root; only with a password, since su always asks
//	doas:  doas -n -- ARGV; doas reads passwords from a terminal only
func asRoot(how inventory.Become, argv []string, password bool, n nonces) ([]string, *stages, error) {
	switch how {
	case inventory.BecomeSudo:
		if !password {
			return append([]string{"sudo", "-n", "--"}, argv...), nil, nil
		}
		return append([]string{"sudo", "-S", "-p", n.prompt, "--"}, begin(n, argv)...), &stages{prompt: n.prompt, begun: n.begun}, nil
	case inventory.BecomeSu:
		if !password {
			return nil, nil, privilegeFault("su always asks for a password",
				"set credentials: {become: …} in the inventory, or use become: sudo")
		}
		return []string{"env", "LC_ALL=C", "su", "-s", "/bin/sh", "-c", remote.Quote(begin(n, argv)), superuser},
			&stages{begun: n.begun, guess: true}, nil
	case inventory.BecomeDoas:
		if password {
			return nil, nil, privilegeFault("doas reads passwords from a terminal only",
				"allow it without: permit nopass … in /etc/doas.conf, and remove credentials: {become: …}")
		}
		return append([]string{"doas", "-n", "--"}, argv...), nil, nil
	case inventory.BecomeEnable:
		return nil, nil, privilegeFault("become: enable is for devices with a command line of their own; this host runs commands in a shell",
			"write become: sudo, su, doas or none for it")
	}
	return nil, nil, &fault.Error{
		Kind: fault.GiveUp, Code: fault.Unsupported, Step: stepPrivilege,
		What: "become: " + string(how) + " is not supported for commands", Hint: "use sudo, su, doas or none",
	}
}

const stepPrivilege = "privilege"

func privilegeFault(what, hint string) *fault.Error {
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Privilege, Step: stepPrivilege, What: what, Hint: hint}
}

// needsRoot tells whether a command must be wrapped: root needs nothing, and
// become: none runs it as it is.
func needsRoot(how inventory.Become, user string) bool {
	return user != superuser && how != inventory.BecomeNone && how != ""
}
