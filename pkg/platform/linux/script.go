package linux

import (
	_ "embed"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed frame.sh
var frameScript string

//go:embed common.sh
var commonScript string

//go:embed probe.sh
var probeScript string

//go:embed jobs.sh
var jobsScript string

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

// looks makes the command of a generic script that calls the manager's functions. Its
// first words are those of way in common.sh.
func (m Manager) looks(purpose string, f fact.Facts, w patch.Work, script string, args ...string) remote.Command {
	first := append([]string{nonce(purpose, f, args), m.Name}, m.way(f, w)...)
	return look(remote.Reads, maxReport, append(first, args...), frameScript, commonScript, m.text(), script)
}

// text is all of the manager's functions that only look.
func (m Manager) text() string { return strings.Join(m.Shared, "") + m.Script }

// way is "yes" on the way back, then the packages that are new here, and those to go.
func (m Manager) way(f fact.Facts, w patch.Work) []string {
	back := ""
	if w.Back {
		back = "yes"
	}
	var gone []string
	for _, name := range w.Remove {
		gone = append(gone, m.keyOf(f, name))
	}
	return []string{back, strings.Join(m.newHere(f, w), " "), strings.Join(gone, " ")}
}

// newHere are the packages that come as dependencies and were not there before.
func (m Manager) newHere(f fact.Facts, w patch.Work) []string {
	var list []string
	for _, u := range w.Install {
		if u.From == "" && u.Dependency && !w.Back {
			list = append(list, m.Key(u.Name, u.Arch, f.Arch))
		}
	}
	return list
}

// nonce frames a script's output where no randomness may be had: steps are the same
// for the same input. Nobody but this host's root can know all that it is made of.
func nonce(purpose string, f fact.Facts, words []string) string {
	text := purpose + "\x00" + f.Host.String() + "\x00" + f.BootID + "\x00" + strings.Join(words, "\x00")
	return strings.TrimPrefix(string(patch.DigestOf([]byte(text))), "sha256:")[:32]
}
