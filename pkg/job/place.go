package job

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// Place is where jobs live on a host, and so with whose rights they run. The zero Place
// is Home. Whoever's it is: its folders belong to who runs the jobs, and nobody else may
// write to them, or nothing there is believed.
type Place struct {
	folder string // absolute; empty: in the home folder of who logs in
	root   bool
}

// Root is Folder, for jobs with root's rights.
func Root() Place { return Place{folder: Folder, root: true} }

// Home is the folder .patchring/jobs in the home folder of who logs in, for jobs with
// no more than their rights.
func Home() Place { return Place{} }

// In is a folder of who logs in, an absolute path; it is made with its parent, no more.
func In(folder string) Place { return Place{folder: folder} }

// Start gives the command that starts the job in this place; see the function Start.
func (p Place) Start(s Spec) (remote.Command, error) {
	spec, err := encode(s)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return remote.Command{}, fmt.Errorf("job %q: %w", s.ID, err)
	}
	argv := []string{"sh", "-c", placeScript + startScript, "patchring-job", p.word(), s.ID, strconv.Itoa(keepLogs), runScript}
	if s.Within > 0 {
		argv = append(argv, boundScript)
	}
	return remote.Command{Argv: argv, Stdin: spec, Become: p.root, Effect: remote.Changes, MaxOut: 64 << 10}, nil
}

// Look gives the command that tells how the job in this place stands; see the function Look.
func (p Place) Look(id string, wait time.Duration) remote.Command {
	seconds := int(min(max(wait, 0), maxLook) / time.Second)
	// The script comes on stdin, not in argv: sudo logs argv, at every look.
	argv := []string{"sh", "-s", "--", p.word(), id, strconv.Itoa(seconds)}
	return remote.Command{Argv: argv, Stdin: []byte(placeScript + lookScript), Become: p.root, Effect: remote.Reads, MaxOut: 64 << 10}
}

// homeWord can be no folder: those are absolute.
const homeWord = "home"

func (p Place) word() string {
	if p.folder == "" {
		return homeWord
	}
	return p.folder
}

func (p Place) check() error {
	if p.folder == "" {
		return nil
	}
	up := strings.LastIndexByte(p.folder, '/')
	if p.folder[0] != '/' || up < 1 || up == len(p.folder)-1 || strings.ContainsRune(p.folder, 0) {
		return fmt.Errorf("%q is no absolute path of a folder with a parent", p.folder)
	}
	return nil
}

// AsRoot tells whether jobs run there with root's rights.
func (p Place) AsRoot() bool { return p.root }
