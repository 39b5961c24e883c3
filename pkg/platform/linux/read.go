package linux

import (
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

// errNotLinux means that the probe did not run.
var errNotLinux = errors.New("this is not a Linux host with a POSIX shell")

// reader gathers facts from a report, section by section. Each part that can't be
// read adds a Problem and leaves its fact at "unknown".
type reader struct {
	report report
	facts  fact.Facts
	boot   bool   // /boot can be read
	build  string // uname -v
	atomic string // what rules an image-based system
	isRoot bool
}

// Read turns the probe's result into facts. It never fails half-way: the error is
// for a host on which the probe did not run at all.
func Read(results []remote.Result) (fact.Facts, error) {
	if len(results) == 0 {
		return fact.Facts{}, errNotLinux
	}
	rep, found := readReport(results[0])
	if !found {
		return fact.Facts{}, fmt.Errorf("%w: it answered %q", errNotLinux, answer(results[0]))
	}
	r := reader{report: rep, facts: fact.Facts{Class: fact.ClassServer}}
	if !rep.whole {
		r.problem("output", "the host's answer was cut off: what is missing is unknown")
	}
	r.identity()
	r.osRelease()
	r.spaces()
	r.markers()
	r.manager()
	r.kernels()
	r.reboot()
	r.finish()
	return r.facts, nil
}

func answer(res remote.Result) string {
	return remote.Clean(string(slices.Concat(res.Out, []byte(" "), res.Err)), 200)
}

func (r *reader) problem(what, format string, args ...any) {
	r.facts.Problems = append(r.facts.Problems, fact.Problem{What: what, Detail: fmt.Sprintf(format, args...)})
}

func (r *reader) identity() {
	f := r.report.fields("identity")
	r.facts.Hostname = f["hostname"]
	r.facts.BootID = f["boot_id"]
	r.facts.Kernel.Running = f["kernel"]
	r.facts.Container = f["container"]
	r.facts.Init = f["init"]
	r.facts.Manager.Name = f["manager"]
	r.facts.Arch = f["machine"]
	r.facts.Version = f["debian_version"]
	r.build, r.atomic = f["build"], f["atomic"]
	r.boot, r.isRoot = f["boot"] == "readable", f["uid"] == "0"
	if !r.isRoot {
		r.problem("privilege", "looked without root: some things can't be seen")
	}
	if r.facts.BootID == "" {
		r.problem("boot_id", "/proc/sys/kernel/random/boot_id can't be read: a reboot could not be proven")
	}
	if seconds, err := strconv.ParseInt(f["now"], 10, 64); err == nil && plausible(seconds) {
		r.facts.Clock = time.Unix(seconds, 0).UTC()
	} else {
		r.problem("clock", "date +%%s said %q", f["now"])
	}
}

// plausible keeps absurd times out of arithmetic: years 1970 to 9999.
func plausible(seconds int64) bool { return seconds >= 0 && seconds < 253402300800 }

func (r *reader) osRelease() {
	s := r.report.get("os_release")
	r.facts.OS = readOSRelease(s.out)
	if !s.ok() || r.facts.OS.ID == "" {
		r.problem("os", "os-release can't be read: %s", s.why())
	}
	if r.facts.Version == "" || !strings.HasPrefix(r.facts.Version, r.facts.OS.VersionID) {
		r.facts.Version = r.facts.OS.VersionID
	}
}

func (r *reader) spaces() {
	s := r.report.get("space")
	r.facts.Spaces = readSpaces(s.out, r.report.get("inodes").out, r.report.get("mounts").out)
	if len(r.facts.Spaces) == 0 {
		r.problem("space", "df can't be read: %s", s.why())
	}
}

func (r *reader) manager() {
	r.facts.Platform = familyOf(r.facts.OS, r.facts.Manager.Name)
	switch r.facts.Manager.Name {
	case "apt":
		r.apt()
	case "dnf":
		r.dnf()
	case "":
		r.problem("updates", "no package manager was found")
	default:
		r.problem("updates", "the package manager %s is not supported in this build", r.facts.Manager.Name)
	}
}

// arch is the package manager's name for the architecture, else uname's.
func (r *reader) arch() {
	if lines := r.report.get("arch").lines(); len(lines) == 1 && isArch(lines[0]) {
		r.facts.Arch = lines[0]
	}
}

// locks notes who holds the package manager's lock, unless something worse is noted already.
func (r *reader) locks() {
	holders := readHolders(r.report.get("locks").lines())
	if len(holders) > 0 && (r.facts.Manager.State == fact.ManagerOK || r.facts.Manager.State == fact.ManagerUnknown) {
		r.facts.Manager.State = fact.ManagerLocked
		r.facts.Manager.Detail = "locked by " + strings.Join(holders, ", ")
	}
}

// refreshed takes the newest stamp; after a refresh that succeeded, it is now. One
// that failed is a problem of its own kind: what was asked for is not there.
func (r *reader) refreshed(failure string) {
	for _, line := range r.report.get("stamp").lines() {
		if seconds, err := strconv.ParseInt(line, 10, 64); err == nil && plausible(seconds) {
			if at := time.Unix(seconds, 0).UTC(); at.After(r.facts.Refreshed) {
				r.facts.Refreshed = at
			}
		}
	}
	switch {
	case failure != "":
		r.problem("refresh", "the package lists could not be fetched, these are old ones: %s", failure)
	case r.report.has("refresh"):
		r.facts.Refreshed = r.facts.Clock
	case r.facts.Refreshed.IsZero():
		r.problem("lists", "when the package lists were last fetched is not known")
	}
}

func (r *reader) finish() {
	byKey := func(a, b patch.Update) int {
		return strings.Compare(a.Key()+" "+a.To, b.Key()+" "+b.To)
	}
	slices.SortFunc(r.facts.Updates, byKey)
	slices.SortFunc(r.facts.KeptBack, func(a, b patch.Left) int { return byKey(a.Update, b.Update) })
	slices.Sort(r.facts.Holds)
	slices.SortFunc(r.facts.Packages, func(a, b fact.Package) int {
		return strings.Compare(a.Name+":"+a.Arch, b.Name+":"+b.Arch)
	})
	if r.atomic != "" {
		r.problem("platform", "this is an image-based system (%s): its packages can't be patched one by one", r.atomic)
		r.facts.Platform = Other
	}
}
