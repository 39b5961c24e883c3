package linux

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed preflight.sh
var preflightScript string

// lockPatience is how long one look waits on the host for the package manager's
// lock; the step's deadline bounds it all.
const lockPatience = 20

// preflight looks, and does nothing: a lock in the way is "not done yet", anything
// else that is wrong fails the host before it was touched.
func (s Manager) preflight(f fact.Facts, w patch.Work) platform.Step {
	asked := asked(w)
	args := slices.Concat([]string{strconv.Itoa(lockPatience), strconv.Itoa(len(asked))}, asked, s.words(f, w))
	command := s.looks("preflight "+w.ID, f, w, preflightScript, args...)
	return platform.Step{
		ID: "preflight", On: f.Host, Title: "look whether everything is ready",
		Look: platform.Look{
			Do:    []platform.Operation{{Command: &command}},
			Judge: func(r []remote.Result) platform.Standing { return s.judgePreflight(f, w, r) },
		},
		Deadline: 10 * time.Minute, Rest: true,
	}
}

func (s Manager) judgePreflight(f fact.Facts, w patch.Work, results []remote.Result) platform.Standing {
	rep, trouble := WholeReport(results)
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	if holders := readHolders(rep.Get("locks").Lines()); len(holders) > 0 {
		reason := "the package manager is locked by " + strings.Join(holders, ", ")
		return platform.Standing{State: platform.NotDone, Reasons: []string{reason}, Progress: "waiting: " + reason}
	}
	versions := rep.Get("versions")
	installed, odd := ReadInstalled(versions.Lines())
	if versions.Status < 0 || versions.Status > 1 || odd > 0 {
		return platform.Standing{Reasons: []string{"the installed versions could not be read: " + versions.Why()}}
	}
	wrong := s.ailments(rep)
	if len(wrong) > 0 && cutShort(f) && !w.Repair {
		wrong = append(wrong, "or set repair: true in the playbook: what a crash has cut is then put right first")
	}
	wrong = append(wrong, s.readOnly(rep)...)
	wrong = append(wrong, s.spaceTrouble(rep, w)...)
	wrong = append(wrong, s.differences(f, w, s.Simulated(f, w, rep.Get("plan")), installed)...)
	if len(wrong) > 0 {
		return platform.Standing{State: platform.Failed, Reasons: append(wrong, clockTrouble(f)...)}
	}
	return platform.Standing{State: platform.Done, Notes: clockTrouble(f)}
}

// WholeReport takes the last look's report, or says why there is none.
func WholeReport(results []remote.Result) (rep Report, trouble string) {
	if len(results) == 0 {
		return Report{}, "the host was not asked"
	}
	rep, found := ReadReport(results[len(results)-1])
	switch {
	case !found:
		return rep, "the host's answer was not understood: " + answer(results[len(results)-1])
	case !rep.Whole:
		return rep, "the host's answer was cut off"
	}
	return rep, ""
}

// maxSkew is by how much the host's clock may differ: lists and signatures are dated.
const maxSkew = 5 * time.Minute

// clockTrouble compares the host's clock with ours, as detection saw both. It is told, and
// explains what fails: which of the two is wrong can't be seen from here, and what has
// expired there, its package manager refuses by itself.
func clockTrouble(f fact.Facts) []string {
	if f.Clock.IsZero() || f.Seen.IsZero() {
		return nil
	}
	by, where := f.Clock.Sub(f.Seen), "ahead of"
	if by < 0 {
		by, where = -by, "behind"
	}
	if by <= maxSkew {
		return nil
	}
	return []string{fmt.Sprintf("its clock is %s %s this machine's: signatures and package lists that are valid here may have expired there, or be of the future; set the wrong one right", by.Round(time.Second), where)}
}

// readOnly lists what is mounted read-only and would be written to.
func (s Manager) readOnly(rep Report) []string {
	mounted := readOnlyMounts(rep.Get("mounts").Out)
	var wrong []string
	for _, folder := range []string{"/", "/etc", "/usr", "/var", "/var/cache", "/var/lib"} {
		if s.Frozen && (folder == "/" || folder == "/usr") {
			continue
		}
		if mounted[folder] {
			wrong = append(wrong, folder+" is mounted read-only")
		}
	}
	return wrong
}

// What an installation is taken to need, where nothing better is known. Packages
// are compressed about 1:4 and replace what is there; a new kernel image is 1:6.
const (
	unknownSize  = 30 << 20 // bytes, of an update whose size is not known
	upgradeGrows = 2
	newGrows     = 7
	headroom     = 100 << 20 // bytes: logs, caches, the package database's own copy
	bootLeast    = 80 << 20  // bytes, where /boot has nothing to measure by
	inodesLeast  = 1000
)

// need is how many bytes a folder's file system must have free.
type need struct {
	path, what string
	bytes      int64
}

func (s Manager) spaceTrouble(rep Report, w patch.Work) []string {
	spaces := readSpaces(rep.Get("space").Out, rep.Get("inodes").Out, rep.Get("mounts").Out)
	if len(spaces) == 0 {
		return []string{"the free space could not be read: " + rep.Get("space").Why()}
	}
	var wrong []string
	wanted := map[string]int64{}
	for _, n := range needs(w, rep.Get("boot_files").Lines()) {
		if s.Frozen && n.path == "/usr" {
			n.path = "/sysroot" // what an image is written to
		}
		space, ok := spaceFor(spaces, n.path)
		if !ok {
			wrong = append(wrong, "the free space of "+n.path+" is not known")
			continue
		}
		if wanted[space.Mount] < 0 {
			continue // said already
		}
		wanted[space.Mount] += n.bytes
		if trouble := mountTrouble(space, n, wanted[space.Mount]); trouble != "" {
			wrong = append(wrong, trouble)
			wanted[space.Mount] = -1
		}
	}
	return wrong
}

func mountTrouble(s fact.Space, n need, bytes int64) string {
	switch {
	case s.ReadOnly && n.path == "/boot": // of all else readOnly tells
		return fmt.Sprintf("%s (%s) is mounted read-only", s.Mount, n.what)
	case s.FreeKiB < bytes>>10:
		return fmt.Sprintf("%s has %s free, %s are wanted (%s)", s.Mount, mib(s.FreeKiB<<10), mib(bytes), n.what)
	case s.InodeTotal > 0 && s.InodeFree < inodesLeast: // btrfs and vfat have none at all
		return fmt.Sprintf("%s has only %d inodes free", s.Mount, s.InodeFree)
	}
	return ""
}

func mib(bytes int64) string { return strconv.FormatInt((bytes+1<<20-1)>>20, 10) + " MiB" }

func needs(w patch.Work, bootFiles []string) []need {
	var download, grown, kept int64
	kernel := false
	for _, u := range w.Install {
		size := u.Size
		if size <= 0 {
			size = unknownSize
		}
		size = min(size, 1<<40)
		download += size
		if w.Keep && u.From != "" || u.Source == patch.SourceStore {
			kept += size // what goes is about as large as what comes
		}
		if u.From == "" {
			grown += size * newGrows
		} else {
			grown += size * upgradeGrows
		}
		kernel = kernel || bootsFrom(u.Name)
	}
	if len(w.Install) == 0 {
		return nil
	}
	list := []need{{"/usr", "installing", grown + headroom}, {"/var/cache", "downloading", download}}
	if kept > 0 {
		list = append(list, need{SentFolder, "keeping package files", kept})
	}
	if kernel {
		list = append(list, need{"/boot", "a new kernel", bootNeed(bootFiles)})
	}
	return list
}

// bootsFrom: packages that put files into /boot, or make it be rewritten.
func bootsFrom(name string) bool {
	switch name { // Arch and Alpine name kernels so
	case "linux", "linux-lts", "linux-zen", "linux-hardened", "linux-virt", "mkinitcpio", "mkinitfs":
		return true
	}
	for _, prefix := range []string{"linux-image", "kernel", "initramfs", "dracut", "linux-firmware", "firmware-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// bootNeed is twice the largest initial RAM disk (it is written beside the old one)
// and the largest kernel.
func bootNeed(lines []string) int64 {
	var initrd, kernel int64
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 2 {
			continue
		}
		size, err := strconv.ParseInt(f[0], 10, 64)
		switch {
		case err != nil || size < 0 || size > 1<<32:
		case strings.HasPrefix(f[1], "vmlinuz-"):
			kernel = max(kernel, size)
		default:
			initrd = max(initrd, size)
		}
	}
	return max(2*initrd+kernel, bootLeast)
}
