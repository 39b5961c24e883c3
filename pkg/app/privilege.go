package app

import (
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/report"
)

// rootCommand tries what all work needs: the shell as root. A narrower try would succeed under
// rules that let nothing else through, and fail under the smallest that do.
func rootCommand() remote.Command {
	return remote.Command{Argv: []string{linux.RootShell, "-c", "id -u"}, Become: true, Effect: remote.Reads}
}

// withRule adds how to get the rule that is missing.
func withRule(t report.Test, h inventory.Host) report.Test {
	command := "patchring doctor --sudoers " + h.ID.Name
	if t.Result != "fail" || h.Become != inventory.BecomeSudo && h.Become != inventory.BecomeDoas || strings.Contains(t.Hint, "--sudoers") {
		return t
	}
	t.Hint = strings.TrimPrefix(t.Hint+"; ", "; ") + "the rule that it needs: " + command
	return t
}

// judgePrivilege reads what `id -u` said when run as root should be.
func judgePrivilege(test report.Test, became remote.Result, err error) report.Test {
	switch {
	case fault.CodeOf(err) == fault.Privilege && err != nil:
		test.Result, test.Seen, test.Hint = "fail", err.Error(), fault.HintOf(err)
	case err != nil:
		test.Seen, test.Hint = err.Error(), fault.HintOf(err)
	case became.OK() && strings.TrimSpace(string(became.Out)) == "0":
		test.Result = "ok"
	case became.OK():
		test.Result = "fail"
		test.Seen = "commands run as user id " + remote.Clean(string(became.Out), 20) + ", not as root"
		test.Hint = "log in as root, or set become: sudo in the inventory"
	default:
		test.Seen = "id -u did not answer: " + remote.Clean(string(became.Err), 200)
	}
	return test
}
