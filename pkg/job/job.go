// Package job runs a command on a host detached from the connection, so that a
// dropped session, a closed lid or a killed patchring never stops it half-way.
// Everything here is pure: it builds the commands that start a job and look at it,
// and reads what the look printed.
//
// A job lives in a folder of its own in a Place, such as /var/lib/patchring/jobs/ID. The
// folder is its owner's alone: root's, or the login's.
//
//	spec       the command and its environment, as sent
//	run.sh     the script that runs it
//	bound.sh   the script that ends it in time, where its time is bounded
//	started/   made by run.sh just before the command begins: boot_id, pid;
//	           or by start.sh, to call the job off: revoked
//	log        what the command printed
//	late       made before a command is ended whose time is over
//	rc         its exit status, and "late"; written last, under another name, then renamed
//
// Nothing here ends a command by itself: a package transaction runs as long as it takes.
// Only with Spec.Within its time is bounded, and then by the host.
//
// # Why a job never runs twice
//
// The right to run the command is not the start of a unit or process but one
// mkdir of started/, done by run.sh and synced to disk before the command begins.
// mkdir either makes a folder or fails, so of any number of run.sh, started by any
// number of patchrings, exactly one goes on; the others leave. A folder without
// started/ therefore proves that nothing ran (Claimed), whatever became of who
// claimed it, and Start may launch it again. A folder with started/ is never
// launched again: it runs, or has ended, or was Interrupted, which a person must
// look at. The folder of a job that has ended is removed after 90 days, by the start of
// another; one without an exit status never is.
//
// What was launched may be slow to begin, on storage that stalls. A start that has
// waited long enough calls it off (Revoked) by that same mkdir: either it gets the
// right itself, and then no run.sh ever does, or run.sh was first, and the job has
// begun. So a start that says that it failed is not followed by a job that runs,
// unless it says so. That the mark of it may be lost in a power cut does no harm: no
// run.sh outlives the boot in which it was launched.
package job

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// Folder is where jobs live on a host.
const Folder = "/var/lib/patchring/jobs"

// keepLogs is how many finished jobs keep their log on the host. Older ones keep
// only what proves that they ran, and that for 90 days.
const keepLogs = 20

// maxLook bounds how long a look may wait on the host.
const maxLook = 60 * time.Second

//go:embed place.sh
var placeScript string

//go:embed start.sh
var startScript string

//go:embed run.sh
var runScript string

//go:embed bound.sh
var boundScript string

//go:embed look.sh
var lookScript string

var (
	idForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	envForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
)

// Spec is what to run. The same ID must always mean the same Argv and Env: a
// second Start with another command is refused by the host.
type Spec struct {
	ID      string   // [a-z0-9-], at most 64 bytes
	Argv    []string // run in /, without stdin
	Env     []string // NAME=value, in addition to PATH, HOME and LC_ALL=C
	Inhibit bool     // hold off shutdown and sleep meanwhile, where the host can
	// Within: the host ends the command, with all of its process group, when it has run for
	// so long (whole seconds, rounded up). 0: it runs as long as it takes.
	Within time.Duration
}

// Start gives the command that starts the job as root, or attaches to it where it was
// started before. It returns when the job has begun, not when it has ended. Its
// exit status says whether the job was begun; only Look says how it stands.
func Start(s Spec) (remote.Command, error) { return Root().Start(s) }

// Look gives the command that tells how the job stands. It waits on the host, up
// to wait (whole seconds, at most a minute), for the job to end.
func Look(id string, wait time.Duration) remote.Command { return Root().Look(id, wait) }

// encode writes the spec as lines: "inhibit", "within …", "env …", "arg …", and last "end" with
// the number of lines before it, so that a spec cut off on its way is not taken for
// a whole one. Each is a remote.Line.
func encode(s Spec) ([]byte, error) {
	if err := check(s); err != nil {
		return nil, err
	}
	var lines strings.Builder
	n := len(s.Env) + len(s.Argv)
	if s.Inhibit {
		lines.WriteString("inhibit\n")
		n++
	}
	if s.Within > 0 {
		lines.WriteString(remote.Line("within", strconv.Itoa(int((s.Within+time.Second-1)/time.Second))))
		n++
	}
	for _, e := range s.Env {
		lines.WriteString(remote.Line("env", e))
	}
	for _, a := range s.Argv {
		lines.WriteString(remote.Line("arg", a))
	}
	lines.WriteString(remote.Line("end", strconv.Itoa(n)))
	return []byte(lines.String()), nil
}

func check(s Spec) error {
	if !idForm.MatchString(s.ID) {
		return errors.New("the ID is not 1 to 64 of a-z, 0-9 and -")
	}
	if len(s.Argv) == 0 || s.Argv[0] == "" {
		return errors.New("there is no command")
	}
	if s.Within < 0 || s.Within > 0 && s.Inhibit {
		return errors.New("a command that may be ended can't hold off a shutdown")
	}
	for _, e := range s.Env {
		if !envForm.MatchString(e) {
			return fmt.Errorf("%q is not NAME=value", remote.Clean(e, 40))
		}
	}
	if strings.ContainsRune(strings.Join(slices.Concat(s.Argv, s.Env), ""), 0) {
		return errors.New("a NUL byte can't be part of an argument")
	}
	return nil
}
