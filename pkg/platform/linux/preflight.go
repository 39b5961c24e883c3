package linux

import (
	_ "embed"
	"fmt"
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
func (s scheme) preflight(f fact.Facts, w patch.Work, read func(fact.Facts, section) transaction) platform.Step {
	specs, asked := s.specs(f, w.Install), names(w.Install)
	args := []string{nonce("preflight "+w.ID, f, specs), s.manager, strconv.Itoa(lockPatience), strconv.Itoa(len(asked))}
	args = append(append(args, asked...), specs...)
	command := look(remote.Reads, maxReport, args, frameScript, commonScript, preflightScript)
	return platform.Step{
		ID: "preflight", On: f.Host, Title: "look whether everything is ready",
		Look: platform.Look{
			Do:    []platform.Operation{{Command: &command}},
			Judge: func(r []remote.Result) platform.Standing { return s.judgePreflight(f, w, read, r) },
		},
		Deadline: 10 * time.Minute, Rest: true,
	}
}

func (s scheme) judgePreflight(f fact.Facts, w patch.Work, read func(fact.Facts, section) transaction, results []remote.Result) platform.Standing {
	rep, trouble := wholeReport(results)
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	if holders := readHolders(rep.get("locks").lines()); len(holders) > 0 {
		reason := "the package manager is locked by " + strings.Join(holders, ", ")
		return platform.Standing{State: platform.NotDone, Reasons: []string{reason}, Progress: "waiting: " + reason}
	}
	versions := rep.get("versions")
	installed, odd := readInstalled(versions.lines())
	if versions.status < 0 || versions.status > 1 || odd > 0 {
		return platform.Standing{Reasons: []string{"the installed versions could not be read: " + versions.why()}}
	}
	var wrong []string
	if s.manager == "apt" {
		wrong = append(wrong, dpkgTrouble(rep)...)
	}
	wrong = append(wrong, spaceTrouble(rep, w)...)
	wrong = append(wrong, s.differences(f, w, read(f, rep.get("plan")), installed)...)
	if len(wrong) > 0 {
		return platform.Standing{State: platform.Failed, Reasons: wrong}
	}
	return platform.Standing{State: platform.Done}
}

// wholeReport takes the last look's report, or says why there is none.
func wholeReport(results []remote.Result) (rep report, trouble string) {
	if len(results) == 0 {
		return report{}, "the host was not asked"
	}
	rep, found := readReport(results[len(results)-1])
	switch {
	case !found:
		return rep, "the host's answer was not understood: " + answer(results[len(results)-1])
	case !rep.whole:
		return rep, "the host's answer was cut off"
	}
	return rep, ""
}

func dpkgTrouble(rep report) []string {
	switch state, detail := dpkgState(rep.get("audit"), rep.get("journal")); state {
	case fact.ManagerOK:
		return nil
	case fact.ManagerUnknown:
		return []string{detail}
	default:
		return []string{detail + "; on the host, type: sudo dpkg --configure -a"}
	}
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

func spaceTrouble(rep report, w patch.Work) []string {
	spaces := readSpaces(rep.get("space").out, rep.get("inodes").out, rep.get("mounts").out)
	if len(spaces) == 0 {
		return []string{"the free space could not be read: " + rep.get("space").why()}
	}
	var wrong []string
	wanted := map[string]int64{}
	for _, n := range needs(w, rep.get("boot_files").lines()) {
		s, ok := spaceFor(spaces, n.path)
		if !ok {
			wrong = append(wrong, "the free space of "+n.path+" is not known")
			continue
		}
		if wanted[s.Mount] < 0 {
			continue // said already
		}
		wanted[s.Mount] += n.bytes
		if trouble := mountTrouble(s, n, wanted[s.Mount]); trouble != "" {
			wrong = append(wrong, trouble)
			wanted[s.Mount] = -1
		}
	}
	return wrong
}

func mountTrouble(s fact.Space, n need, bytes int64) string {
	switch {
	case s.ReadOnly:
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
	var download, grown int64
	kernel := false
	for _, u := range w.Install {
		size := u.Size
		if size <= 0 {
			size = unknownSize
		}
		size = min(size, 1<<40)
		download += size
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
	if kernel {
		list = append(list, need{"/boot", "a new kernel", bootNeed(bootFiles)})
	}
	return list
}

// bootsFrom: packages that put files into /boot, or make it be rewritten.
func bootsFrom(name string) bool {
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
