package linux

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// ErrNotLinux means that the probe did not run.
var ErrNotLinux = errors.New("this is not a Linux host with a POSIX shell")

// Reader gathers facts from a report, section by section. Each part that can't be
// read adds a Problem and leaves its fact at "unknown".
type Reader struct {
	Report Report
	Facts  fact.Facts
	boot   bool // /boot can be read
	all    Managers
	ruler  Manager // the one that rules this host; without a name: none that is known
	isRoot bool
}

// Read turns the probe's result into facts. It never fails half-way: the error is
// for a host on which the probe did not run at all.
func (all Managers) Read(results []remote.Result) (fact.Facts, error) {
	if len(results) == 0 {
		return fact.Facts{}, ErrNotLinux
	}
	rep, found := ReadReport(results[0])
	if !found {
		return fact.Facts{}, fmt.Errorf("%w: it answered %q", ErrNotLinux, answer(results[0]))
	}
	r := Reader{Report: rep, all: all, Facts: fact.Facts{Class: fact.ClassServer}}
	if !rep.Whole {
		r.Problem("output", "the host's answer was cut off: what is missing is unknown")
	}
	r.identity()
	r.osRelease()
	r.spaces()
	r.markers()
	r.manager()
	r.kernels()
	r.reboot()
	r.hidden()
	r.finish()
	return r.Facts, nil
}

func answer(res remote.Result) string {
	return remote.Clean(string(slices.Concat(res.Out, []byte(" "), res.Err)), 200)
}

// Problem notes what could not be learned.
func (r *Reader) Problem(what, format string, args ...any) {
	r.Facts.Problems = append(r.Facts.Problems, fact.Problem{What: what, Detail: fmt.Sprintf(format, args...)})
}

func (r *Reader) identity() {
	f := r.Report.Fields("identity")
	r.Facts.Hostname = f["hostname"]
	r.Facts.BootID = f["boot_id"]
	r.Facts.Kernel.Running = f["kernel"]
	r.Facts.Container = f["container"]
	r.Facts.Init = f["init"]
	r.Facts.System = f["system"]
	r.Facts.Manager.Name = f["manager"]
	r.Facts.Arch = f["machine"]
	r.Facts.Version = f["debian_version"]
	r.boot, r.isRoot = f["boot"] == "readable", f["uid"] == "0"
	if !r.isRoot {
		r.Problem("privilege", "looked without root: some things can't be seen")
	}
	if r.Facts.BootID == "" {
		r.Problem("boot_id", "the boot id can't be read: a reboot could not be proven")
	}
	if seconds, err := strconv.ParseInt(f["now"], 10, 64); err == nil && plausible(seconds) {
		r.Facts.Clock = time.Unix(seconds, 0).UTC()
	} else {
		r.Problem("clock", "date +%%s said %q", f["now"])
	}
}

// plausible keeps absurd times out of arithmetic: years 1970 to 9999.
func plausible(seconds int64) bool { return seconds >= 0 && seconds < 253402300800 }

func (r *Reader) osRelease() {
	s := r.Report.Get("os_release")
	r.Facts.OS = readOSRelease(s.Out)
	if !s.OK() || r.Facts.OS.ID == "" {
		r.Problem("os", "os-release can't be read: %s", s.Why())
	}
	if r.Facts.Version == "" || !strings.HasPrefix(r.Facts.Version, r.Facts.OS.VersionID) {
		r.Facts.Version = r.Facts.OS.VersionID
	}
}

func (r *Reader) spaces() {
	s := r.Report.Get("space")
	r.Facts.Spaces = readSpaces(s.Out, r.Report.Get("inodes").Out, r.Report.Get("mounts").Out)
	if len(r.Facts.Spaces) == 0 {
		r.Problem("space", "df can't be read: %s", s.Why())
	}
}

func (r *Reader) manager() {
	name := r.Facts.Manager.Name
	ruler, known := r.all.named(name)
	if !known {
		r.Facts.Platform = Other
		if name == "" {
			r.Problem("updates", "no package manager was found")
		} else {
			r.Problem("updates", "the package manager %s is not supported in this build", name)
		}
		return
	}
	r.ruler = ruler
	if ruler.Refused != "" {
		r.Problem("platform", "%s: %s", name, ruler.Refused)
	}
	r.Facts.Platform = Other
	if ruler.Is != nil {
		r.Facts.Platform = cmp.Or(ruler.Is(r.Facts.OS), Other)
	}
	if ruler.Read != nil {
		ruler.Read(r)
	}
	r.offers()
}

// Arch takes the package manager's name for the architecture, else uname's.
func (r *Reader) Arch() {
	if lines := r.Report.Get("arch").Lines(); len(lines) == 1 && IsArch(lines[0]) {
		r.Facts.Arch = lines[0]
	}
}

// Locks notes who holds the package manager's lock. What looks interrupted or broken then is
// theirs, and not done yet: what is left of it is seen once they are through.
func (r *Reader) Locks() {
	if holders := readHolders(r.Report.Get("locks").Lines()); len(holders) > 0 {
		r.Facts.Manager.State = fact.ManagerLocked
		r.Facts.Manager.Detail = "locked by " + strings.Join(holders, ", ")
	}
}

// Refreshed takes the newest stamp; after a refresh that succeeded, it is now. One
// that failed is a problem of its own kind: what was asked for is not there.
func (r *Reader) Refreshed(failure string) {
	for _, line := range r.Report.Get("stamp").Lines() {
		if seconds, err := strconv.ParseInt(line, 10, 64); err == nil && plausible(seconds) {
			if at := time.Unix(seconds, 0).UTC(); at.After(r.Facts.Refreshed) {
				r.Facts.Refreshed = at
			}
		}
	}
	switch {
	case failure != "":
		r.Problem("refresh", "the package lists could not be fetched, these are old ones: %s", failure)
	case r.Report.Has("refresh"):
		r.Facts.Refreshed = r.Facts.Clock
	case r.Facts.Refreshed.IsZero():
		r.Problem("lists", "when the package lists were last fetched is not known")
	}
}

func (r *Reader) finish() {
	byKey := func(a, b patch.Update) int {
		return strings.Compare(a.Key()+" "+a.To, b.Key()+" "+b.To)
	}
	slices.SortFunc(r.Facts.Updates, byKey)
	slices.SortFunc(r.Facts.KeptBack, func(a, b patch.Left) int { return byKey(a.Update, b.Update) })
	slices.Sort(r.Facts.Holds)
	slices.SortFunc(r.Facts.Packages, func(a, b fact.Package) int {
		return strings.Compare(a.Name+":"+a.Arch, b.Name+":"+b.Arch)
	})
}
