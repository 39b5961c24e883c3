package linux

import (
	_ "embed"

	"github.com/patchring/patchring/pkg/remote"
)

//go:embed frame.sh
var frameScript string

//go:embed common.sh
var commonScript string

//go:embed probe.sh
var probeScript string

// look makes the command that runs scripts, one after the other as one text, with
// args as $1 …. The text goes over stdin: sudo logs argv, and some SSH servers
// bound it. Each script does its work in its last line, so that a text cut off on
// its way does nothing.
func look(effect remote.Effect, maxOut int64, args []string, scripts ...string) remote.Command {
	var text []byte
	for _, s := range scripts {
		text = append(text, s...)
	}
	argv := append([]string{"sh", "-s", "--"}, args...)
	return remote.Command{Argv: argv, Stdin: text, Become: true, Effect: effect, MaxOut: maxOut}
}
